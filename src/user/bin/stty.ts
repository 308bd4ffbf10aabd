/** stty(1). */
import { O_NONBLOCK, O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import * as t from '#abi/posix/termios.ts'
import { CHARACTERS, MODES, SPEEDS } from '../coreutils/stty-settings.ts'
import { OsError } from '../libc/errno.ts'
import { quote } from '../libc/quote.ts'
import { STDIN, STDOUT } from '../libc/stdio.ts'
import { open } from '../libc/syscall.ts'
import {
  screenColumns,
  TCSADRAIN,
  type Termios,
  tcgetattr,
  tcgetwinsize,
  tcsetattr,
  tcsetwinsize,
} from '../libc/termios.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

export const stty = utility({
  name: 'stty',
  usage:
    'stty [-F DEVICE | --file=DEVICE] [SETTING]...\nstty [-F DEVICE | --file=DEVICE] [-a|--all]\nstty [-F DEVICE | --file=DEVICE] [-g|--save]',
  help: `Print or change terminal characteristics.

  -a, --all          print all current settings in human-readable form
  -g, --save         print all current settings in a stty-readable form
  -F, --file=DEVICE  open and use the specified DEVICE instead of stdin
      --help     display this help and exit
      --version  output version information and exit

Optional - before SETTING indicates negation.

Special characters: eof, eol, eol2, erase, intr, kill, lnext, rprnt, start,
stop, susp, quit, swtch, werase, flush CHAR

Special settings: N and ispeed N, ospeed N, cols N, columns N, rows N, line N,
min N, time N, size, speed

Combination settings: cbreak, cooked, crt, dec, [-]evenp, ek, [-]lcase, [-]litout,
[-]nl, [-]oddp, [-]parity, pass8, [-]raw, sane

Report bugs to <bug-coreutils@gnu.org>.`,
  // Settings look like options, so only those that are options are taken out.
  prepare(args) {
    const options: string[] = []
    const settings: string[] = []
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!
      if (arg === '-F' || arg === '--file') options.push('-F', args[++i] ?? '')
      else if (/^(-F.+|--file=.*|-a|-g|-ag|-ga|--all|--save|--help|--version)$/.test(arg)) options.push(arg)
      else settings.push(arg)
    }
    return [...options, '--', ...settings]
  },
  short: 'agF:',
  long: { all: 'a', save: 'g', 'file:': 'F' },
  *main(run) {
    const device = run.value('F')
    if (run.has('a') && run.has('g'))
      throw new Exit(1, 'the options for verbose and stty-readable output styles are\nmutually exclusive')
    if (run.operands.length > 0 && (run.has('a') || run.has('g')))
      throw new Exit(1, 'when specifying an output style, modes may not be set')
    const name = device ?? 'standard input'
    try {
      const fd = device === undefined ? STDIN : yield* open(device, O_RDONLY | O_NONBLOCK, 0)
      const tio = yield* tcgetattr(fd)
      if (run.operands.length > 0) return yield* change(run, fd, tio)
      if (run.has('g')) yield* run.out.line(saved(tio))
      else yield* show(run, fd, tio, run.has('a'))
      return 0
    } catch (error) {
      yield* run.warn(error, name)
      return 1
    }
  },
})

const speedOf = ({ cflag }: Termios): number => SPEEDS.find(([, code]) => code === (cflag & t.CBAUD))?.[0] ?? 0

const saved = ({ iflag, oflag, cflag, lflag, cc }: Termios): string =>
  [iflag, oflag, cflag, lflag, ...cc, ...new Uint8Array(32 - cc.length)].map((value) => value.toString(16)).join(':')

/** visible(): ^C, M-x, <undef>. */
function visible(code: number): string {
  if (code === 0) return '<undef>'
  const low = code & 127
  const text = low < 32 ? `^${String.fromCharCode(low + 64)}` : low === 127 ? '^?' : String.fromCharCode(low)
  return code > 127 ? `M-${text}` : text
}

/** Words on lines no longer than the screen is wide. */
class Wrapper {
  readonly #run: Run
  readonly #width: number
  #column: number

  constructor(run: Run, width: number) {
    this.#run = run
    this.#width = width
    this.#column = 0
  }

  word(text: string): void {
    if (this.#column > 0) {
      if (this.#width - this.#column <= text.length) this.end()
      else {
        this.#run.out.put(' ')
        this.#column++
      }
    }
    this.#run.out.put(text)
    this.#column += text.length
  }

  end(): void {
    if (this.#column > 0) this.#run.out.put('\n')
    this.#column = 0
  }
}

function* show(run: Run, fd: number, tio: Termios, all: boolean): Sys<void> {
  const wrapper = new Wrapper(run, yield* screenColumns(STDOUT, run.env))
  wrapper.word(`speed ${speedOf(tio)} baud;`)
  if (all) {
    try {
      const { rows, cols } = yield* tcgetwinsize(fd)
      wrapper.word(`rows ${rows};`)
      wrapper.word(`columns ${cols};`)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
  wrapper.word(`line = ${tio.line};`)
  wrapper.end()
  for (const [name, sane, index] of CHARACTERS) {
    // swtch has no character that would be sane, and -a shows it all the same.
    if (all || (tio.cc[index] !== sane && name !== 'swtch')) wrapper.word(`${name} = ${visible(tio.cc[index]!)};`)
  }
  const raw = (tio.lflag & t.ICANON) === 0
  if (all || raw) {
    wrapper.word(`min = ${tio.cc[t.VMIN]};`)
    wrapper.word(`time = ${tio.cc[t.VTIME]};`)
  }
  wrapper.end()
  for (const word of ['cflag', 'iflag', 'oflag', 'lflag'] as const) {
    for (const mode of MODES) {
      if (mode.word !== word || mode.hidden) continue
      const set = (tio[word] & (mode.mask || mode.bits)) >>> 0 === mode.bits
      if (all ? set : set && mode.sane !== true && !isDefault(mode.name)) wrapper.word(mode.name)
      else if (mode.reversible && (all ? !set : !set && mode.sane === true)) wrapper.word(`-${mode.name}`)
    }
    if (all) wrapper.end()
  }
  wrapper.end()
}

/** What `stty` alone leaves out though `sane` does not set it. */
const isDefault = (name: string): boolean => !MODES.some((mode) => mode.name === name && mode.sane === false)

function* change(run: Run, fd: number, tio: Termios): Sys<number> {
  const words = run.operands
  let size: { rows?: number; cols?: number } = {}
  let dirty = false
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    const off = word.startsWith('-')
    const name = off ? word.slice(1) : word
    const number = (): number => {
      const text = words[++i]
      if (text === undefined) throw new UsageError(`missing argument to ${quote(word)}`)
      if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) throw new Exit(1, `invalid integer argument ${quote(text)}`)
      return Number(/^0\d/.test(text) ? `0o${text}` : text)
    }
    const character = CHARACTERS.find((row) => row[0] === name || (row[0] === 'flush' && name === 'discard'))
    if (character && !off) {
      const text = words[++i]
      if (text === undefined) throw new UsageError(`missing argument to ${quote(word)}`)
      tio.cc[character[2]] = parseCharacter(text)
      dirty = true
    } else if (word === 'rows') size = { ...size, rows: number() }
    else if (word === 'cols' || word === 'columns') size = { ...size, cols: number() }
    else if (word === 'size') {
      const { rows, cols } = yield* tcgetwinsize(fd)
      yield* run.out.line(`${rows} ${cols}`)
    } else if (word === 'speed') yield* run.out.line(String(speedOf(tio)))
    else if (word === 'min' || word === 'time') {
      tio.cc[word === 'min' ? t.VMIN : t.VTIME] = number() & 255
      dirty = true
    } else if (word === 'line') {
      tio.line = number()
      dirty = true
    } else if (word === 'ispeed' || word === 'ospeed' || /^\d+$/.test(word)) {
      const text = /^\d+$/.test(word) ? word : words[++i]
      if (text === undefined) throw new UsageError(`missing argument to ${quote(word)}`)
      const speed = SPEEDS.find(([rate]) => String(rate) === text)
      if (!speed) throw new UsageError(`invalid argument ${quote(text)}`)
      tio.cflag = ((tio.cflag & ~t.CBAUD) | speed[1]) >>> 0
      dirty = true
    } else if (applySaved(tio, word) || applyMode(tio, name, off) || applyCombination(tio, name, off)) dirty = true
    else throw new UsageError(`invalid argument ${quote(word)}`)
  }
  if (dirty) yield* tcsetattr(fd, TCSADRAIN, tio)
  if (size.rows !== undefined || size.cols !== undefined) {
    const old = yield* tcgetwinsize(fd)
    yield* tcsetwinsize(fd, { rows: size.rows ?? old.rows, cols: size.cols ?? old.cols })
  }
  return run.status
}

/** x, ^X, ^?, ^-, undef, or a number. */
function parseCharacter(text: string): number {
  if (text === '^-' || text === 'undef') return 0
  if (text.length === 1) return text.charCodeAt(0)
  if (text.startsWith('^') && text.length === 2) return text[1] === '?' ? 127 : text.charCodeAt(1) & ~0o140
  const value = /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number(text)
  if (!Number.isInteger(value) || value < 0 || value > 255) throw new Exit(1, `invalid integer argument ${quote(text)}`)
  return value
}

function applySaved(tio: Termios, word: string): boolean {
  const fields = word.split(':')
  if (fields.length !== 36 || !fields.every((field) => /^[0-9a-f]{1,8}$/.test(field))) return false
  const values = fields.map((field) => Number.parseInt(field, 16))
  ;[tio.iflag, tio.oflag, tio.cflag, tio.lflag] = values as [number, number, number, number]
  for (let i = 0; i < tio.cc.length; i++) tio.cc[i] = values[4 + i]!
  return true
}

function applyMode(tio: Termios, name: string, off: boolean): boolean {
  const mode = MODES.find((row) => row.name === name)
  if (!mode || (off && !mode.reversible)) return false
  const cleared = tio[mode.word] & ~(mode.mask || mode.bits)
  tio[mode.word] = (off ? cleared : cleared | mode.bits) >>> 0
  return true
}

const RAW_INPUT =
  t.IGNBRK |
  t.BRKINT |
  t.IGNPAR |
  t.PARMRK |
  t.INPCK |
  t.ISTRIP |
  t.INLCR |
  t.IGNCR |
  t.ICRNL |
  t.IXON |
  t.IXOFF |
  t.IUCLC |
  t.IXANY |
  t.IMAXBEL

function applyCombination(tio: Termios, name: string, off: boolean): boolean {
  const set = (word: 'cflag' | 'iflag' | 'oflag' | 'lflag', bits: number, on: boolean): void => {
    tio[word] = (on ? tio[word] | bits : tio[word] & ~bits) >>> 0
  }
  const canonical = (): void => {
    tio.cc[t.VEOF] = 4
    tio.cc[t.VEOL] = 0
  }
  switch (name) {
    case 'raw':
    case 'cooked':
      if ((name === 'raw') !== off) {
        tio.iflag = (tio.iflag & ~RAW_INPUT) >>> 0
        set('oflag', t.OPOST, false)
        set('lflag', t.ISIG | t.ICANON | 0o4, false)
        tio.cc[t.VMIN] = 1
        tio.cc[t.VTIME] = 0
      } else {
        set('iflag', t.BRKINT | t.IGNPAR | t.ISTRIP | t.ICRNL | t.IXON, true)
        set('oflag', t.OPOST, true)
        set('lflag', t.ISIG | t.ICANON, true)
        canonical()
      }
      return true
    case 'cbreak':
      set('lflag', t.ICANON, off)
      if (off) canonical()
      else tio.cc[t.VMIN] = 1
      return true
    case 'sane':
      if (off) return false
      for (const [, sane, index] of CHARACTERS) tio.cc[index] = sane
      for (const mode of MODES) if (mode.sane !== undefined) applyMode(tio, mode.name, !mode.sane && mode.reversible)
      tio.cc[t.VMIN] = 1
      tio.cc[t.VTIME] = 0
      return true
    case 'ek':
      tio.cc[t.VERASE] = 127
      tio.cc[t.VKILL] = 21
      return !off
    case 'nl':
      set('iflag', t.ICRNL, off)
      if (off) set('iflag', t.INLCR | t.IGNCR, false)
      set('oflag', t.ONLCR, off)
      if (off) set('oflag', t.OCRNL | t.ONLRET, false)
      return true
    case 'evenp':
    case 'parity':
    case 'oddp':
      tio.cflag = ((tio.cflag & ~t.CSIZE) | (off ? t.CS8 : t.CS7)) >>> 0
      set('cflag', t.PARENB, !off)
      if (!off) set('cflag', t.PARODD, name === 'oddp')
      return true
    case 'pass8':
    case 'litout': {
      const eight = !off
      tio.cflag = ((tio.cflag & ~t.CSIZE) | (eight ? t.CS8 : t.CS7)) >>> 0
      set('cflag', t.PARENB, !eight)
      set('iflag', t.ISTRIP, !eight)
      if (name === 'litout') set('oflag', t.OPOST, !eight)
      return true
    }
    case 'lcase':
    case 'LCASE':
      set('lflag', 0o4, !off)
      set('iflag', t.IUCLC, !off)
      set('oflag', t.OLCUC, !off)
      return true
    case 'crt':
      set('lflag', t.ECHOE | t.ECHOCTL | t.ECHOKE, true)
      return !off
    case 'dec':
      set('lflag', t.ECHOE | t.ECHOCTL | t.ECHOKE, true)
      set('iflag', t.IXANY, false)
      tio.cc[t.VINTR] = 3
      tio.cc[t.VERASE] = 127
      tio.cc[t.VKILL] = 21
      return !off
    case 'decctlq':
      set('iflag', t.IXANY, off)
      return true
  }
  return false
}
