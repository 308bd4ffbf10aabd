/** stty's words: which bits of struct termios they are. */
import * as t from '#abi/posix/termios.ts'

export type FlagWord = 'cflag' | 'iflag' | 'oflag' | 'lflag'

export interface Mode {
  readonly name: string
  readonly word: FlagWord
  readonly bits: number
  /** Bits that are cleared first; 0: `bits` themselves. */
  readonly mask: number
  /** What `stty sane` makes of it. */
  readonly sane: boolean | undefined
  /** `-name` is allowed. */
  readonly reversible: boolean
  /** Another name of one before it: understood, not shown. */
  readonly hidden: boolean
}

const mode = (
  name: string,
  word: FlagWord,
  bits: number,
  sane?: boolean,
  { mask = 0, reversible = true, hidden = false } = {},
): Mode => ({ name, word, bits, mask, sane, reversible, hidden })

const OFDEL = 0o200
const OFILL = 0o100
const NLDLY = 0o400
const CRDLY = 0o3000
const TABDLY = 0o14000
const BSDLY = 0o20000
const VTDLY = 0o40000
const FFDLY = 0o100000
const XCASE = 0o4

const one = (mask: number) => ({ mask, reversible: false })
const alias = { hidden: true }

/** In the order of `stty -a`. */
export const MODES: readonly Mode[] = [
  mode('parenb', 'cflag', t.PARENB),
  mode('parodd', 'cflag', t.PARODD),
  mode('cs5', 'cflag', t.CS5, undefined, one(t.CSIZE)),
  mode('cs6', 'cflag', t.CS6, undefined, one(t.CSIZE)),
  mode('cs7', 'cflag', t.CS7, undefined, one(t.CSIZE)),
  mode('cs8', 'cflag', t.CS8, undefined, one(t.CSIZE)),
  mode('hupcl', 'cflag', t.HUPCL),
  mode('hup', 'cflag', t.HUPCL, undefined, alias),
  mode('cstopb', 'cflag', t.CSTOPB),
  mode('cread', 'cflag', t.CREAD, true),
  mode('clocal', 'cflag', t.CLOCAL),
  mode('crtscts', 'cflag', t.CRTSCTS),
  mode('ignbrk', 'iflag', t.IGNBRK, false),
  mode('brkint', 'iflag', t.BRKINT, true),
  mode('ignpar', 'iflag', t.IGNPAR),
  mode('parmrk', 'iflag', t.PARMRK),
  mode('inpck', 'iflag', t.INPCK),
  mode('istrip', 'iflag', t.ISTRIP),
  mode('inlcr', 'iflag', t.INLCR, false),
  mode('igncr', 'iflag', t.IGNCR, false),
  mode('icrnl', 'iflag', t.ICRNL, true),
  mode('ixon', 'iflag', t.IXON),
  mode('ixoff', 'iflag', t.IXOFF, false),
  mode('tandem', 'iflag', t.IXOFF, undefined, alias),
  mode('iuclc', 'iflag', t.IUCLC, false),
  mode('ixany', 'iflag', t.IXANY, false),
  mode('imaxbel', 'iflag', t.IMAXBEL, true),
  mode('opost', 'oflag', t.OPOST, true),
  mode('olcuc', 'oflag', t.OLCUC, false),
  mode('ocrnl', 'oflag', t.OCRNL, false),
  mode('onlcr', 'oflag', t.ONLCR, true),
  mode('onocr', 'oflag', t.ONOCR, false),
  mode('onlret', 'oflag', t.ONLRET, false),
  mode('ofill', 'oflag', OFILL, false),
  mode('ofdel', 'oflag', OFDEL, false),
  mode('nl1', 'oflag', NLDLY, undefined, one(NLDLY)),
  mode('nl0', 'oflag', 0, true, one(NLDLY)),
  mode('cr3', 'oflag', 0o3000, undefined, one(CRDLY)),
  mode('cr2', 'oflag', 0o2000, undefined, one(CRDLY)),
  mode('cr1', 'oflag', 0o1000, undefined, one(CRDLY)),
  mode('cr0', 'oflag', 0, true, one(CRDLY)),
  mode('tab3', 'oflag', 0o14000, undefined, one(TABDLY)),
  mode('tab2', 'oflag', 0o10000, undefined, one(TABDLY)),
  mode('tab1', 'oflag', 0o4000, undefined, one(TABDLY)),
  mode('tab0', 'oflag', 0, true, one(TABDLY)),
  mode('bs1', 'oflag', BSDLY, undefined, one(BSDLY)),
  mode('bs0', 'oflag', 0, true, one(BSDLY)),
  mode('vt1', 'oflag', VTDLY, undefined, one(VTDLY)),
  mode('vt0', 'oflag', 0, true, one(VTDLY)),
  mode('ff1', 'oflag', FFDLY, undefined, one(FFDLY)),
  mode('ff0', 'oflag', 0, true, one(FFDLY)),
  mode('isig', 'lflag', t.ISIG, true),
  mode('icanon', 'lflag', t.ICANON, true),
  mode('iexten', 'lflag', t.IEXTEN, true),
  mode('echo', 'lflag', t.ECHO, true),
  mode('echoe', 'lflag', t.ECHOE, true),
  mode('crterase', 'lflag', t.ECHOE, undefined, alias),
  mode('echok', 'lflag', t.ECHOK, true),
  mode('echonl', 'lflag', t.ECHONL, false),
  mode('noflsh', 'lflag', t.NOFLSH, false),
  mode('xcase', 'lflag', XCASE, false),
  mode('tostop', 'lflag', t.TOSTOP, false),
  mode('echoprt', 'lflag', t.ECHOPRT, false),
  mode('prterase', 'lflag', t.ECHOPRT, undefined, alias),
  mode('echoctl', 'lflag', t.ECHOCTL, true),
  mode('ctlecho', 'lflag', t.ECHOCTL, undefined, alias),
  mode('echoke', 'lflag', t.ECHOKE, true),
  mode('crtkill', 'lflag', t.ECHOKE, undefined, alias),
]

/** Special characters: name, sane value, index. 0 is undefined. */
export const CHARACTERS: readonly (readonly [name: string, sane: number, index: number])[] = [
  ['intr', 3, t.VINTR],
  ['quit', 28, t.VQUIT],
  ['erase', 127, t.VERASE],
  ['kill', 21, t.VKILL],
  ['eof', 4, t.VEOF],
  ['eol', 0, t.VEOL],
  ['eol2', 0, t.VEOL2],
  ['swtch', 0, t.VSWTC],
  ['start', 17, t.VSTART],
  ['stop', 19, t.VSTOP],
  ['susp', 26, t.VSUSP],
  ['rprnt', 18, t.VREPRINT],
  ['werase', 23, t.VWERASE],
  ['lnext', 22, t.VLNEXT],
  ['flush', 15, t.VDISCARD],
]

/** Rates and their codes in c_cflag. */
export const SPEEDS: readonly (readonly [rate: number, code: number])[] = [
  [0, 0],
  [50, 1],
  [75, 2],
  [110, 3],
  [134, 4],
  [150, 5],
  [200, 6],
  [300, 7],
  [600, 8],
  [1200, 9],
  [1800, 10],
  [2400, 11],
  [4800, 12],
  [9600, 13],
  [19200, 14],
  [38400, 15],
  [57600, 0o10001],
  [115200, 0o10002],
  [230400, 0o10003],
  [460800, 0o10004],
]
