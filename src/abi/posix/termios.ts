/** Terminals (Linux: asm-generic/termbits.h, ioctls.h). struct termios of the kernel: 36 bytes. */
import { bytes, struct, u8, u16, u32 } from '../struct.ts'

export const NCCS = 19
export const termios = struct('termios', 36, {
  c_iflag: u32(0),
  c_oflag: u32(4),
  c_cflag: u32(8),
  c_lflag: u32(12),
  c_line: u8(16),
  c_cc: bytes(17, NCCS),
})
export const winsize = struct('winsize', 8, { ws_row: u16(0), ws_col: u16(2), ws_xpixel: u16(4), ws_ypixel: u16(6) })

export const VINTR = 0
export const VQUIT = 1
export const VERASE = 2
export const VKILL = 3
export const VEOF = 4
export const VTIME = 5
export const VMIN = 6
export const VSWTC = 7
export const VSTART = 8
export const VSTOP = 9
export const VSUSP = 10
export const VEOL = 11
export const VREPRINT = 12
export const VDISCARD = 13
export const VWERASE = 14
export const VLNEXT = 15
export const VEOL2 = 16

export const IGNBRK = 0o1
export const BRKINT = 0o2
export const IGNPAR = 0o4
export const PARMRK = 0o10
export const INPCK = 0o20
export const ISTRIP = 0o40
export const INLCR = 0o100
export const IGNCR = 0o200
export const ICRNL = 0o400
export const IUCLC = 0o1000
export const IXON = 0o2000
export const IXANY = 0o4000
export const IXOFF = 0o10000
export const IMAXBEL = 0o20000
export const IUTF8 = 0o40000

export const OPOST = 0o1
export const OLCUC = 0o2
export const ONLCR = 0o4
export const OCRNL = 0o10
export const ONOCR = 0o20
export const ONLRET = 0o40

export const CBAUD = 0o10017
export const B0 = 0
export const B300 = 0o7
export const B1200 = 0o11
export const B2400 = 0o13
export const B4800 = 0o14
export const B9600 = 0o15
export const B19200 = 0o16
export const B38400 = 0o17
export const B57600 = 0o10001
export const B115200 = 0o10002
export const CSIZE = 0o60
export const CS5 = 0
export const CS6 = 0o20
export const CS7 = 0o40
export const CS8 = 0o60
export const CSTOPB = 0o100
export const CREAD = 0o200
export const PARENB = 0o400
export const PARODD = 0o1000
export const HUPCL = 0o2000
export const CLOCAL = 0o4000
export const CRTSCTS = 0o20000000000

export const ISIG = 0o1
export const ICANON = 0o2
export const ECHO = 0o10
export const ECHOE = 0o20
export const ECHOK = 0o40
export const ECHONL = 0o100
export const NOFLSH = 0o200
export const TOSTOP = 0o400
export const ECHOCTL = 0o1000
export const ECHOPRT = 0o2000
export const ECHOKE = 0o4000
export const FLUSHO = 0o10000
export const PENDIN = 0o40000
export const IEXTEN = 0o100000

/** What tcflush and tcflow take. */
export const TCIFLUSH = 0
export const TCOFLUSH = 1
export const TCIOFLUSH = 2
