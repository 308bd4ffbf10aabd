/** fsck of e2fsprogs 1.39: the right checker for each file system of /etc/fstab, in the order of their passes. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { WEXITSTATUS, WIFEXITED } from '#abi/posix/wait.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '../libc/errno.ts'
import { candidates, run } from '../libc/process.ts'
import { program } from '../libc/program.ts'
import { eprint, STDOUT, writeAll } from '../libc/stdio.ts'
import { access } from '../libc/syscall.ts'
import { deviceOf, FSTAB, type Mntent, matchesType, readTable, superblockOf } from './mount/fstab.ts'

const FSCK_ERROR = 8
const USAGE = 'Usage: fsck [-ANPRTV] [ -C [ fd ] ] [-t fstype] [fs-options] [filesys ...]\n'
/** What has no checker. */
const IGNORED = ['ignore', 'iso9660', 'nfs', 'proc', 'sysfs', 'devpts', 'tmpfs', 'swap', 'none', 'usbfs', 'sw']
const PATH = ['PATH=/sbin:/usr/sbin:/bin:/usr/bin']

interface Asked {
  readonly all: boolean
  readonly dryRun: boolean
  readonly skipRoot: boolean
  readonly title: boolean
  readonly verbose: boolean
  readonly progress: boolean
  readonly type: string | undefined
  /** For the checkers. */
  readonly options: readonly string[]
  readonly devices: readonly string[]
}

export const fsck = program({
  name: 'fsck',
  usage: 'fsck [-ANRTVC] [-t FSTYPE] [FS-OPTIONS] [DEVICE...]',
  help: [
    'Check file systems: the DEVICEs, or with -A those of /etc/fstab.',
    '  -A   all of /etc/fstab whose pass is not 0, the root first',
    '  -R   with -A: not the root',
    '  -N   only show what would be done',
    '  -T   no title',
    '  -V   show the commands',
    '  -C   progress, for checkers that can',
    '  -t   only these types',
    'Other options (-a, -p, -n, -y, -f) go to the checker.',
  ].join('\n'),
  *main(argv, env) {
    const asked = parse(argv.slice(1))
    if (!asked) {
      yield* eprint(USAGE)
      return 16
    }
    const out = (text: string): Sys<void> => writeAll(STDOUT, bytesOfString(text))
    if (asked.title) yield* out('fsck 1.39 (29-May-2006)\n')
    const table = yield* readTable(FSTAB)
    let entries: Mntent[]
    if (asked.all) {
      if (asked.verbose) yield* out('Checking all file systems.\n')
      entries = table
        .filter((entry) => entry.pass > 0 && !IGNORED.includes(entry.type) && matchesType(entry.type, asked.type))
        .filter((entry) => !entry.options.split(',').includes('noauto') || entry.dir === '/')
        .filter((entry) => !(asked.skipRoot && entry.dir === '/'))
      const rank = ({ dir, pass }: Mntent): number => (dir === '/' ? 0 : pass)
      entries = entries
        .map((entry, i) => ({ entry, i }))
        .sort((a, b) => rank(a.entry) - rank(b.entry) || a.i - b.i)
        .map(({ entry }) => entry)
    } else {
      entries = asked.devices.map(
        (name) =>
          table.find(({ spec, dir }) => spec === name || dir === name) ?? {
            spec: name,
            dir: name,
            type: asked.type ?? 'auto',
            options: '',
            freq: 0,
            pass: 1,
          },
      )
      if (entries.length === 0) entries = table.filter(({ pass, type }) => pass > 0 && !IGNORED.includes(type))
    }
    let status = 0
    let number = 0
    for (const entry of entries) status |= yield* checkOne(entry, ++number, asked, out, env)
    return status
  },
})

function* checkOne(
  entry: Mntent,
  number: number,
  asked: Asked,
  out: (text: string) => Sys<void>,
  env: readonly string[],
): Sys<number> {
  const device = (yield* deviceOf(entry.spec)) ?? entry.spec
  const type = entry.type === 'auto' ? ((yield* superblockOf(device)) ? 'ext2' : 'ext2') : entry.type
  const name = `fsck.${type}`
  const options = asked.progress && /^ext[23]$/.test(type) ? [...asked.options, '-C0'] : asked.options
  const path = yield* find(name, env)
  if (path === undefined) {
    yield* eprint(`fsck: ${name}: not found\n`)
    return FSCK_ERROR
  }
  const argv = [name, ...options, device]
  if (asked.verbose || asked.dryRun) yield* out(`[${path} (${number}) -- ${entry.dir}] ${argv.join(' ')} \n`)
  if (asked.dryRun) return 0
  const status = yield* run(path, argv, env)
  if (WIFEXITED(status)) return WEXITSTATUS(status)
  yield* eprint(`Warning... ${name} for device ${device} exited with signal ${status & 0x7f}.\n`)
  return FSCK_ERROR
}

function* find(name: string, env: readonly string[]): Sys<string | undefined> {
  for (const path of candidates(name, env.some((entry) => entry.startsWith('PATH=')) ? env : PATH))
    try {
      yield* access(path, 1)
      return path
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  return undefined
}

function parse(args: readonly string[]): Asked | undefined {
  const flags = new Set<string>()
  const options: string[] = []
  const devices: string[] = []
  let type: string | undefined
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (!arg.startsWith('-') || arg === '-') {
      devices.push(arg)
      continue
    }
    if (arg === '--') {
      options.push(...args.slice(i + 1))
      break
    }
    let own = ''
    for (let k = 1; k < arg.length; k++) {
      const letter = arg[k]!
      if ('ANRTVMPs'.includes(letter)) flags.add(letter)
      else if (letter === 'C') {
        flags.add('C')
        while (/\d/.test(arg[k + 1] ?? '')) k++
      } else if (letter === 't') {
        type = arg.slice(k + 1) || args[++i]
        if (type === undefined) return undefined
        break
      } else own += letter
    }
    if (own !== '') options.push(`-${own}`)
  }
  return {
    all: flags.has('A'),
    dryRun: flags.has('N'),
    skipRoot: flags.has('R'),
    title: !flags.has('T'),
    verbose: flags.has('V'),
    progress: flags.has('C'),
    type: type?.includes('opts=') ? undefined : type,
    options,
    devices,
  }
}
