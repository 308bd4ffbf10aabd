/** Builtins about the process: umask, ulimit, hash. */
import {
  RLIM_INFINITY,
  RLIMIT_AS,
  RLIMIT_CORE,
  RLIMIT_CPU,
  RLIMIT_DATA,
  RLIMIT_FSIZE,
  RLIMIT_MEMLOCK,
  RLIMIT_NOFILE,
  RLIMIT_NPROC,
  RLIMIT_RSS,
  RLIMIT_STACK,
} from '#abi/posix/resource.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { adjustMode, parseMode } from '../../libc/mode.ts'
import { getrlimit, setrlimit, umask } from '../../libc/syscall.ts'
import { ShellError } from '../errors.ts'
import type { Shell } from '../shell.ts'
import { type Builtin, options } from './types.ts'

const octal = (mask: number): string => mask.toString(8).padStart(4, '0')

function symbolic(mask: number): string {
  const rights = (shift: number): string =>
    ['r', 'w', 'x'].filter((_, i) => ((mask >> shift) & (4 >> i)) === 0).join('')
  return `u=${rights(6)},g=${rights(3)},o=${rights(0)}`
}

function* umaskBuiltin(sh: Shell, argv: readonly string[]): Sys<number> {
  const { set, rest } = options(sh, argv, sh.bash ? 'Sp' : 'S')
  const old = yield* umask(0)
  yield* umask(old)
  const word = rest[0]
  if (word === undefined) return yield* sh.out(set.has('S') ? `${symbolic(old)}\n` : `${octal(old)}\n`)
  if (/^[0-9]/.test(word)) {
    if (!/^[0-7]+$/.test(word))
      throw new ShellError(sh.bash ? `${word}: octal number out of range` : `Illegal number: ${word}`)
    yield* umask(Number.parseInt(word, 8) & 0o777)
    return 0
  }
  const changes = parseMode(word)
  if (!changes)
    throw new ShellError(sh.bash ? `\`${word[0]}': invalid symbolic mode character` : `Illegal mode: ${word}`)
  yield* umask(~adjustMode(~old & 0o777, changes) & 0o777)
  return 0
}

/** Letter, dash's name, resource, unit. */
const LIMITS: readonly (readonly [letter: string, name: string, resource: number, unit: number])[] = [
  ['t', 'time(seconds)', RLIMIT_CPU, 1],
  ['f', 'file(blocks)', RLIMIT_FSIZE, 512],
  ['d', 'data(kbytes)', RLIMIT_DATA, 1024],
  ['s', 'stack(kbytes)', RLIMIT_STACK, 1024],
  ['c', 'coredump(blocks)', RLIMIT_CORE, 512],
  ['m', 'memory(kbytes)', RLIMIT_RSS, 1024],
  ['l', 'locked memory(kbytes)', RLIMIT_MEMLOCK, 1024],
  ['p', 'process', RLIMIT_NPROC, 1],
  ['n', 'nofiles', RLIMIT_NOFILE, 1],
  ['v', 'vmemory(kbytes)', RLIMIT_AS, 1024],
]

function* ulimit(sh: Shell, argv: readonly string[]): Sys<number> {
  const { set, rest } = options(sh, argv, `HSa${LIMITS.map(([letter]) => letter).join('')}${sh.bash ? 'u' : ''}`)
  const show = (value: number, unit: number): string =>
    value === RLIM_INFINITY ? 'unlimited' : String(Math.floor(value / unit))
  const which = (limits: readonly [number, number]): number => (set.has('H') ? limits[1] : limits[0])
  if (set.has('a')) {
    let text = ''
    for (const [, name, resource, unit] of LIMITS)
      text += `${name.padEnd(20)} ${show(which(yield* getrlimit(resource)), unit)}\n`
    return yield* sh.out(text)
  }
  const letter = [...set.keys()].filter((key) => key !== 'H' && key !== 'S').at(-1) ?? 'f'
  const [, , resource, unit] = LIMITS.find(([each]) => each === (letter === 'u' ? 'p' : letter))!
  const [soft, hard] = yield* getrlimit(resource)
  const word = rest[0]
  if (word === undefined) return yield* sh.out(`${show(which([soft, hard]), unit)}\n`)
  if (word !== 'unlimited' && !/^[0-9]+$/.test(word))
    throw new ShellError(sh.bash ? `${word}: invalid number` : 'bad number')
  const value = word === 'unlimited' ? RLIM_INFINITY : Number(word) * unit
  const both = set.has('H') === set.has('S')
  try {
    yield* setrlimit(resource, both || set.has('S') ? value : soft, both || set.has('H') ? value : hard)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new ShellError(`error setting limit: ${strerror(error.errno)}`)
  }
  return 0
}

export const systemBuiltins: readonly Builtin[] = [
  { name: 'umask', run: umaskBuiltin },
  { name: 'ulimit', run: ulimit },
  {
    name: 'hash',
    *run(sh, argv) {
      const { set, rest } = options(sh, argv, 'rv')
      if (set.has('r')) {
        sh.hash.clear()
        return 0
      }
      if (rest.length === 0) {
        let text = sh.bash && sh.hash.size > 0 ? 'hits\tcommand\n' : ''
        for (const path of sh.hash.values()) text += sh.bash ? `   1\t${path}\n` : `${path}\n`
        return yield* sh.out(text)
      }
      let status = 0
      for (const name of rest) {
        sh.hash.delete(name)
        if (typeof (yield* sh.interpreter.find(sh, name)) === 'string') continue
        yield* sh.complain(`${name}: not found`)
        status = 1
      }
      return status
    },
  },
]
