/** The command line of `npm run -s headless --`, read as getopt_long reads one. */

import type { Forward } from './forward.ts'

export type Com1 =
  | { readonly kind: 'stdio' }
  | { readonly kind: 'tcp'; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

export interface Options {
  readonly turbo: boolean
  readonly seed: number | undefined
  readonly memoryMiB: number | undefined
  readonly disk: string | undefined
  /** The second disk: a file, or 'auto': the one that `npm run guests:debian` makes, if it is there. */
  readonly guests: string | undefined
  /** What executes machine code begins with what is in this file. */
  readonly translations: string | undefined
  /** And what it has translated itself is written to this one. */
  readonly writeTranslations: string | undefined
  readonly exportDisk: string | undefined
  readonly tape: string | undefined
  readonly com1: Com1
  readonly forwards: readonly Forward[]
  readonly digest: boolean
  readonly record: string | undefined
  readonly replay: string | undefined
  readonly help: boolean
}

export const SEED_DEFAULT = 1
export const MEMORY_MIB_DEFAULT = 1024
/** As much as the machine takes: its whole memory stays within 3 GiB (machine/memory.ts). */
export const MEMORY_MIB_MAX = 3008
export const MEMORY_MIB_MIN = 16

export const USAGE = `Usage: npm run -s headless -- [OPTION]...
Power on a Xen host in this terminal, or let a tape drive it.

      --tape FILE          play FILE (VHS's .tape language), print what COM1 sent
      --com1 WHERE         connect COM1 to stdio (default), tcp:PORT or unix:PATH
      --forward A=dom0:S   join every client of A (tcp:PORT or unix:PATH) to the unix socket S in domain 0;
                           may be given several times
      --turbo              run freely until nothing but input is awaited
      --seed N             the world's dice (default ${SEED_DEFAULT})
      --memory MiB         RAM, ${MEMORY_MIB_MIN} to ${MEMORY_MIB_MAX} (default ${MEMORY_MIB_DEFAULT})
      --disk FILE          start from this disk (raw, or the playground's container; gzipped or not)
      --guests FILE|auto   put this disk into the second drive bay; auto: the one that
                           'npm run guests:debian' has made, if it has
      --translations FILE  machine code that was translated before (with '--guests auto', by
                           'npm run guests:debian'); it makes no difference but to the time
      --write-translations FILE
                           write what is translated in this run to FILE at the end
      --export-disk FILE   write the raw disk to FILE at the end
      --record FILE        write the input log to FILE at the end
      --replay FILE        run an input log again, print what COM1 sent
      --digest             print the digest of the whole world at the end, on standard error
      --help               show this and exit

In the terminal, Ctrl-] q leaves and Ctrl-] ? shows the other keys.

Exit status: 0 all is well (every Wait of the tape was met), 1 a Wait was not met or the machine failed,
2 bad usage, a bad tape or a file that cannot be read.
`

/** Bad usage, in getopt's words. */
export class UsageError extends Error {}

const FLAGS = ['turbo', 'digest', 'help'] as const
const VALUES = [
  'tape',
  'com1',
  'forward',
  'seed',
  'memory',
  'disk',
  'guests',
  'translations',
  'write-translations',
  'export-disk',
  'record',
  'replay',
] as const
type Flag = (typeof FLAGS)[number]
type Valued = (typeof VALUES)[number]
const NAMES: readonly string[] = [...FLAGS, ...VALUES]

const isFlag = (name: string): name is Flag => (FLAGS as readonly string[]).includes(name)

export function parseOptions(argv: readonly string[]): Options {
  const flags = new Set<Flag>()
  const values = new Map<Valued, string>()
  const forwards: Forward[] = []
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!
    if (argument === '--') {
      if (i + 1 < argv.length) throw new UsageError(`extra operand '${argv[i + 1]}'`)
      break
    }
    if (!argument.startsWith('--')) {
      if (argument.length > 1 && argument.startsWith('-')) throw new UsageError(`invalid option -- '${argument[1]}'`)
      throw new UsageError(`extra operand '${argument}'`)
    }
    const equals = argument.indexOf('=')
    const given = argument.slice(2, equals < 0 ? undefined : equals)
    const name = optionNamed(given)
    if (isFlag(name)) {
      if (equals >= 0) throw new UsageError(`option '--${name}' doesn't allow an argument`)
      flags.add(name)
    } else {
      const value = equals >= 0 ? argument.slice(equals + 1) : argv[++i]
      if (value === undefined) throw new UsageError(`option '--${name}' requires an argument`)
      values.set(name, value)
      if (name === 'forward') forwards.push(forward(value))
    }
  }
  return checked({
    turbo: flags.has('turbo'),
    digest: flags.has('digest'),
    help: flags.has('help'),
    seed: optional(values.get('seed'), (text) => integer('seed', text, 0, Number.MAX_SAFE_INTEGER)),
    memoryMiB: optional(values.get('memory'), (text) => integer('memory', text, MEMORY_MIB_MIN, MEMORY_MIB_MAX)),
    disk: file('disk', values),
    guests: file('guests', values),
    translations: file('translations', values),
    writeTranslations: file('write-translations', values),
    exportDisk: file('export-disk', values),
    tape: file('tape', values),
    com1: com1(values.get('com1') ?? 'stdio'),
    forwards,
    record: file('record', values),
    replay: file('replay', values),
  })
}

/** A whole name, or a beginning that only one name has. */
function optionNamed(given: string): Flag | Valued {
  if (NAMES.includes(given)) return given as Flag | Valued
  const found = given === '' ? [] : NAMES.filter((name) => name.startsWith(given))
  if (found.length === 1) return found[0] as Flag | Valued
  if (found.length === 0) throw new UsageError(`unrecognized option '--${given}'`)
  const possible = found.map((name) => `'--${name}'`).join(' ')
  throw new UsageError(`option '--${given}' is ambiguous; possibilities: ${possible}`)
}

const optional = <T>(text: string | undefined, read: (text: string) => T): T | undefined =>
  text === undefined ? undefined : read(text)

function integer(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least && value <= most)) {
    throw new UsageError(`invalid argument '${text}' for '--${name}': a whole number from ${least} to ${most}`)
  }
  return value
}

function file(name: Valued, values: ReadonlyMap<Valued, string>): string | undefined {
  const path = values.get(name)
  if (path === '') throw new UsageError(`invalid argument '' for '--${name}': a file name`)
  return path
}

function com1(text: string): Com1 {
  if (text === 'stdio') return { kind: 'stdio' }
  const tcp = /^tcp:(\d{1,5})$/.exec(text)
  if (tcp && Number(tcp[1]) <= 65535) return { kind: 'tcp', port: Number(tcp[1]) }
  if (/^unix:./s.test(text)) return { kind: 'unix', path: text.slice('unix:'.length) }
  throw new UsageError(`invalid argument '${text}' for '--com1': stdio, tcp:PORT or unix:PATH`)
}

/** sun_path, without its NUL. */
const SOCKET_PATH_MAX = 107

function forward(text: string): Forward {
  const bad = (why: string) => new UsageError(`invalid argument '${text}' for '--forward': ${why}`)
  const match = /^(.*)=dom0:(.*)$/s.exec(text)
  if (!match) throw bad('unix:PATH=dom0:SOCKET or tcp:PORT=dom0:SOCKET')
  const [, from = '', to = ''] = match
  const tcp = /^tcp:(\d{1,5})$/.exec(from)
  if (/^\d+$/.test(to)) throw bad('domain 0 has no network yet, only sockets: dom0:/PATH')
  if (!to.startsWith('/') || Buffer.byteLength(to) > SOCKET_PATH_MAX || to.includes('\0'))
    throw bad('a socket in domain 0 is an absolute path: dom0:/PATH')
  if (tcp && Number(tcp[1]) <= 65535) return { listen: { kind: 'tcp', port: Number(tcp[1]) }, to }
  if (/^unix:./s.test(from)) return { listen: { kind: 'unix', path: from.slice('unix:'.length) }, to }
  throw bad('unix:PATH=dom0:SOCKET or tcp:PORT=dom0:SOCKET')
}

/** A tape and a log bring their own input; a log also brings its world. */
function checked(options: Options): Options {
  const conflict = (a: string, b: string) => new UsageError(`options '--${a}' and '--${b}' cannot be used together`)
  if (options.help) return options
  const driver = options.tape !== undefined ? 'tape' : options.replay !== undefined ? 'replay' : undefined
  if (options.tape !== undefined && options.replay !== undefined) throw conflict('tape', 'replay')
  if (driver && options.com1.kind !== 'stdio') throw conflict(driver, 'com1')
  if (driver && options.forwards.length > 0) throw conflict(driver, 'forward')
  if (options.replay !== undefined && options.seed !== undefined) throw conflict('replay', 'seed')
  if (options.replay !== undefined && options.memoryMiB !== undefined) throw conflict('replay', 'memory')
  return options
}
