/** killall5 and pidof of sysvinit 2.86: processes found in /proc. */
import { SIGCONT, SIGSTOP } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { namesIn } from '../libc/dirent.ts'
import { OsError } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { eprint, readFile, STDOUT, writeAll } from '../libc/stdio.ts'
import { getpid, getppid, getsid, kill } from '../libc/syscall.ts'

interface Found {
  readonly pid: number
  readonly sid: number
  readonly comm: string
  /** Empty for kernel threads. */
  readonly argv: readonly string[]
}

/** All processes. */
function* processes(): Sys<Found[]> {
  const found: Found[] = []
  for (const name of yield* namesIn('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = yield* readFile(`/proc/${name}/stat`)
      const cmdline = yield* readFile(`/proc/${name}/cmdline`)
      const end = stat.lastIndexOf(')')
      found.push({
        pid: Number(name),
        comm: stat.slice(stat.indexOf('(') + 1, end),
        sid: Number(stat.slice(end + 2).split(' ')[3]),
        argv: cmdline === '' ? [] : cmdline.replace(/\0$/, '').split('\0'),
      })
    } catch (error) {
      // It has ended meanwhile.
      if (!(error instanceof OsError)) throw error
    }
  }
  return found
}

export const killall5 = program({
  name: 'killall5',
  usage: 'killall5 -SIGNAL',
  help: 'Send a signal to all processes but those of this session, kernel threads and init.',
  *main(argv) {
    const [, option = '-9'] = argv
    const signo = /^-(\d{1,2})$/.exec(option)?.[1]
    if (signo === undefined || argv.length > 2) {
      yield* eprint('only one argument, a signal number, allowed\n')
      return 1
    }
    // Nobody is to fork while the list is made.
    yield* tolerant(kill(-1, SIGSTOP))
    const own = yield* getsid(0)
    for (const { pid, sid, argv: words } of yield* processes())
      if (pid !== 1 && sid !== own && words.length > 0) yield* tolerant(kill(pid, Number(signo)))
    yield* tolerant(kill(-1, SIGCONT))
    return 0
  },
})

function* tolerant(call: Sys<unknown>): Sys<void> {
  try {
    yield* call
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}

export const pidof = program({
  name: 'pidof',
  usage: 'pidof [-s] [-x] [-o OMITPID]... PROGRAM...',
  help: [
    'Print the process numbers of PROGRAM, the latest first.',
    '  -s      one is enough',
    '  -x      scripts too: shells that run PROGRAM',
    '  -o PID  leave that one out; %PPID is the caller',
  ].join('\n'),
  *main(argv) {
    const { options, operands, error } = getopt(argv.slice(1), 'so:x')
    if (error !== undefined) {
      yield* eprint(`pidof: ${error}\n`)
      return 1
    }
    const has = (code: string): boolean => options.some((option) => option.code === code)
    const self = yield* getpid()
    const parent = yield* getppid()
    const omitted = options
      .filter(({ code }) => code === 'o')
      .map(({ value = '' }) => (value === '%PPID' ? parent : Number(value)))
    const all = (yield* processes()).sort((a, b) => b.pid - a.pid)
    const pids: number[] = []
    for (const name of operands) {
      const fits = all.filter((one) => one.pid !== self && !omitted.includes(one.pid) && isProgram(one, name, has('x')))
      pids.push(...(has('s') ? fits.slice(0, 1) : fits).map(({ pid }) => pid))
    }
    if (pids.length === 0) return 1
    yield* writeAll(STDOUT, bytesOfString(`${pids.join(' ')}\n`))
    return 0
  },
})

const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/^-/, '')

function isProgram({ comm, argv }: Found, name: string, scripts: boolean): boolean {
  const [first, second] = argv
  if (first === undefined) return comm === name
  if (name.startsWith('/') ? first === name : base(first) === base(name)) return true
  return scripts && second !== undefined && base(second) === base(name)
}
