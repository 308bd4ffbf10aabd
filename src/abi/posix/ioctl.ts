/**
 * ioctl requests (Linux: asm-generic/ioctls.h, fs.h, hdreg.h, kd.h). The argument is a number or the bytes of a struct; what the request
 * reads comes back as the call's result: bytes for a struct or an int of the real one's, which are written through the pointer there.
 */
export const TCGETS = 0x5401 // -> struct termios
export const TCSETS = 0x5402
export const TCSETSW = 0x5403
export const TCSETSF = 0x5404
export const TCSBRK = 0x5409
export const TCXONC = 0x540a
export const TCFLSH = 0x540b
export const TIOCEXCL = 0x540c
export const TIOCSCTTY = 0x540e
export const TIOCGPGRP = 0x540f // -> u32
export const TIOCSPGRP = 0x5410 // number
export const TIOCOUTQ = 0x5411 // -> u32
export const TIOCSTI = 0x5412
export const TIOCGWINSZ = 0x5413 // -> struct winsize
export const TIOCSWINSZ = 0x5414
export const FIONREAD = 0x541b // -> u32
export const TIOCLINUX = 0x541c
export const TIOCCONS = 0x541d
export const TIOCNOTTY = 0x5422
export const TIOCGSID = 0x5429 // -> u32
export const TIOCGPTN = 0x80045430 // -> u32
export const TIOCSPTLCK = 0x40045431 // number
/** Only a virtual terminal knows this one: how CentOS's consoletype tells. -> u8 */
export const KDGETMODE = 0x4b3b
export const KDGKBTYPE = 0x4b33
export const VT_ACTIVATE = 0x5606
export const VT_WAITACTIVE = 0x5607
export const VT_GETSTATE = 0x5603 // -> struct vt_stat: u16 active, signal, state

export const BLKROGET = 0x125e // -> u32
export const BLKRRPART = 0x125f
export const BLKGETSIZE = 0x1260 // -> u64, sectors
export const BLKFLSBUF = 0x1261
export const BLKSSZGET = 0x1268 // -> u32
export const BLKGETSIZE64 = 0x80081272 // -> u64, bytes
export const HDIO_GETGEO = 0x301 // -> u8 heads, u8 sectors, u16 cylinders, u64 start at 8
