/** Small tools: chvt of kbd 1.12, resize of xterm, uuidgen of e2fsprogs, blockdev of util-linux. */
import { O_RDONLY, O_RDWR } from '#abi/posix/fcntl.ts'
import {
  BLKFLSBUF,
  BLKGETSIZE,
  BLKGETSIZE64,
  BLKROGET,
  BLKRRPART,
  BLKSSZGET,
  VT_ACTIVATE,
  VT_WAITACTIVE,
} from '#abi/posix/ioctl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { ECHO, ICANON } from '#abi/posix/termios.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { getenv } from '../libc/env.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { program } from '../libc/program.ts'
import { eprint, STDOUT, writeAll } from '../libc/stdio.ts'
import { close, ioctl, open, poll, read } from '../libc/syscall.ts'
import { ioctlBytes, TCSADRAIN, tcgetattr, tcsetattr, tcsetwinsize } from '../libc/termios.ts'

const POLLIN = 1
/** A terminal that does not answer within this is no terminal. */
const ANSWER_MS = 2000

const say = (text: string): Sys<void> => writeAll(STDOUT, bytesOfString(text))

export const chvt = program({
  name: 'chvt',
  usage: 'chvt N',
  help: 'Make /dev/ttyN the foreground terminal.',
  *main(argv) {
    if (argv.length !== 2 || !/^\d{1,2}$/.test(argv[1]!)) {
      yield* eprint('usage: chvt N\n')
      return 1
    }
    try {
      const fd = yield* open('/dev/tty0', O_RDWR, 0)
      yield* ioctl(fd, VT_ACTIVATE, Number(argv[1]))
      yield* ioctl(fd, VT_WAITACTIVE, Number(argv[1]))
      yield* close(fd)
      return 0
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint(
        error.call === 'open'
          ? 'Couldnt get a file descriptor referring to the console\n'
          : `chvt: VT_ACTIVATE: ${strerror(error.errno)}\n`,
      )
      return 1
    }
  },
})

export const resize = program({
  name: 'resize',
  usage: 'resize [-c | -u]',
  help: [
    'Ask the terminal how large it is, tell the kernel, and print what a shell needs to know: eval `resize`.',
    '  -c   for csh',
    '  -u   for a Bourne shell',
  ].join('\n'),
  *main(argv, env) {
    const option = argv[1]
    if (argv.length > 2 || (option !== undefined && option !== '-c' && option !== '-u')) {
      yield* eprint('Usage: resize [-cu] [-s [rows cols]]\n')
      return 1
    }
    try {
      const fd = yield* open('/dev/tty', O_RDWR, 0)
      const size = yield* askSize(fd)
      if (!size) {
        yield* close(fd)
        yield* eprint('resize: Time out occurred\n')
        return 1
      }
      const [rows, cols] = size
      yield* tcsetwinsize(fd, { rows, cols })
      yield* close(fd)
      const csh = option === '-c' || (option === undefined && /csh$/.test(getenv(env, 'SHELL') ?? ''))
      yield* say(
        csh
          ? `set noglob;\nsetenv COLUMNS '${cols}';\nsetenv LINES '${rows}';\nunset noglob;\n`
          : `COLUMNS=${cols};\nLINES=${rows};\nexport COLUMNS LINES;\n`,
      )
      return 0
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint(`resize:  can't open terminal /dev/tty\n`)
      return 1
    }
  },
})

/** Cursor to the far corner, then where it is: `ESC [ rows ; columns R`. */
function* askSize(fd: number): Sys<readonly [number, number] | undefined> {
  const before = yield* tcgetattr(fd)
  const during = yield* tcgetattr(fd)
  during.lflag &= ~(ICANON | ECHO)
  yield* tcsetattr(fd, TCSADRAIN, during)
  try {
    yield* writeAll(fd, bytesOfString('\x1b7\x1b[r\x1b[999;999H\x1b[6n'))
    let answer = ''
    for (;;) {
      if ((yield* poll([fd, POLLIN], ANSWER_MS))[0] === 0) return undefined
      answer += byteString(yield* read(fd, 64))
      const match = /\x1b\[(\d{1,4});(\d{1,4})R/.exec(answer)
      if (match) return [Number(match[1]), Number(match[2])]
      if (answer.length > 256) return undefined
    }
  } finally {
    yield* writeAll(fd, bytesOfString('\x1b8'))
    yield* tcsetattr(fd, TCSADRAIN, before)
  }
}

export const uuidgen = program({
  name: 'uuidgen',
  usage: 'uuidgen [-r]',
  help: 'Make a new random UUID.\n  -r   random: what is made in any case',
  *main(argv) {
    if (argv.length > 2 || (argv.length === 2 && argv[1] !== '-r')) {
      yield* eprint('Usage: uuidgen [-r] [-t]\n')
      return 1
    }
    const fd = yield* open('/dev/urandom', O_RDONLY, 0)
    const bytes = (yield* read(fd, 16)).slice()
    yield* close(fd)
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    yield* say(`${digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}\n`)
    return 0
  },
})

const BLOCKDEV: Readonly<Record<string, readonly [request: number, bytes: number]>> = {
  '--getro': [BLKROGET, 4],
  '--getss': [BLKSSZGET, 4],
  '--getsize': [BLKGETSIZE, 8],
  '--getsz': [BLKGETSIZE64, 8],
  '--getsize64': [BLKGETSIZE64, 8],
  '--flushbufs': [BLKFLSBUF, 0],
  '--rereadpt': [BLKRRPART, 0],
}

export const blockdev = program({
  name: 'blockdev',
  usage: 'blockdev COMMAND... DEVICE...',
  help: [
    'Ask the kernel about block devices.',
    '  --getro      1: read-only',
    '  --getss      bytes of a sector',
    '  --getsize    sectors of 512 bytes, as --getsz',
    '  --getsize64  bytes',
    '  --flushbufs  write and forget what is cached',
    '  --rereadpt   read the partition table again',
  ].join('\n'),
  *main(argv) {
    const commands = argv.slice(1).filter((arg) => arg.startsWith('-'))
    const devices = argv.slice(1).filter((arg) => !arg.startsWith('-'))
    const unknown = commands.find((command) => !(command in BLOCKDEV))
    if (unknown !== undefined || commands.length === 0 || devices.length === 0) {
      if (unknown !== undefined) yield* eprint(`blockdev: Unknown command: ${unknown}\n`)
      yield* eprint(
        `Usage:\n  blockdev [-v|-q] commands devices\nAvailable commands:\n${Object.keys(BLOCKDEV)
          .map((one) => `\t${one}\n`)
          .join('')}`,
      )
      return 1
    }
    for (const device of devices) {
      try {
        const fd = yield* open(device, O_RDONLY, 0)
        for (const command of commands) yield* ask(fd, command)
        yield* close(fd)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        yield* eprint(`${device}: ${strerror(error.errno)}\n`)
        return 1
      }
    }
    return 0
  },
})

function* ask(fd: number, command: string): Sys<void> {
  const [request, bytes] = BLOCKDEV[command]!
  if (bytes === 0) {
    yield* ioctl(fd, request, 0)
    return
  }
  const answer = yield* ioctlBytes(fd, request)
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength)
  const value = bytes === 8 && answer.length >= 8 ? Number(view.getBigUint64(0, true)) : view.getUint32(0, true)
  yield* say(`${command === '--getsz' ? Math.floor(value / 512) : value}\n`)
}
