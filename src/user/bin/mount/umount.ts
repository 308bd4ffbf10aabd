/** umount of util-linux 2.13. */
import { EACCES, EBUSY, EINVAL, EIO, ENOENT, ENXIO, EPERM } from '#abi/posix/errno.ts'
import { MNT_DETACH, MNT_FORCE, MS_RDONLY, MS_REMOUNT } from '#abi/posix/mount.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { getopt } from '../../libc/getopt.ts'
import { program } from '../../libc/program.ts'
import { eprint, Out, STDOUT } from '../../libc/stdio.ts'
import { geteuid, mount as mountCall, umount2 } from '../../libc/syscall.ts'
import { type Mntent, MTAB, matchesOptions, matchesType, readTable, rewriteMtab } from './fstab.ts'
import { deleteLoop } from './loop.ts'
import { canonical } from './mount.ts'

const USAGE = `Usage: umount [-hV]
       umount -a [-f] [-r] [-n] [-v] [-t vfstypes] [-O opts]
       umount [-f] [-r] [-n] [-v] special | node...
`

const COMPLAINTS: Readonly<Record<number, string>> = {
  [ENXIO]: 'invalid block device',
  [EINVAL]: 'not mounted',
  [EIO]: "can't write superblock",
  [EBUSY]: 'device is busy',
  [ENOENT]: 'not found',
  [EPERM]: 'must be superuser to umount',
  [EACCES]: 'block devices not permitted on fs',
}

interface How {
  readonly flags: number
  readonly noMtab: boolean
  readonly readOnly: boolean
  readonly verbose: boolean
  readonly out: Out
}

export const umount = program({
  name: 'umount',
  usage: 'umount [-hV]\numount -a [-fnrv] [-t TYPES] [-O OPTS]\numount [-flnrv] DEVICE | DIR...',
  help: [
    'Detach file systems.',
    '  -a         all of /etc/mtab (of TYPES, with OPTS)',
    '  -f, -l     by force; now, and cleaned up when it is no longer busy',
    '  -n         without /etc/mtab',
    '  -r         if it cannot be unmounted, make it read-only',
    '  -v         say what is done',
  ].join('\n'),
  *main(argv) {
    const { options, operands, error } = getopt(argv.slice(1), 'adfhlnrit:O:vV', {
      all: 'a',
      force: 'f',
      help: 'h',
      'no-mtab': 'n',
      'read-only': 'r',
      'types:': 't',
      verbose: 'v',
      version: 'V',
    })
    const has = (code: string): boolean => options.some((option) => option.code === code)
    const value = (code: string): string | undefined => options.findLast((option) => option.code === code)?.value
    const out = new Out(STDOUT)
    if (error !== undefined || (operands.length === 0 && !has('a') && !has('h') && !has('V'))) {
      yield* eprint(`${error === undefined ? '' : `umount: ${error}\n`}${USAGE}`)
      return 1
    }
    if (has('h') || has('V')) {
      yield* out.print(has('h') ? USAGE : 'umount: (util-linux 2.13-pre7)\n')
      yield* out.flush()
      return 0
    }
    const flags = (has('f') ? MNT_FORCE : 0) | (has('l') ? MNT_DETACH : 0)
    const how: How = { flags, noMtab: has('n'), readOnly: has('r'), verbose: has('v'), out }
    const mtab = yield* readTable(MTAB)
    let status = 0
    if (has('a')) {
      const wanted = (entry: Mntent): boolean =>
        matchesType(entry.type, value('t')) && matchesOptions(entry.options, value('O'))
      for (const entry of mtab.filter(wanted).reverse())
        if ((yield* detach(entry.spec, entry.dir, how)) !== 0) status = 1
    } else for (const operand of operands) if ((yield* byName(operand, mtab, how)) !== 0) status = 1
    yield* out.flush()
    return status
  },
})

function* byName(operand: string, mtab: readonly Mntent[], how: How): Sys<number> {
  const path = yield* canonical(operand)
  const entry = mtab.findLast(({ dir }) => dir === path) ?? mtab.findLast(({ spec }) => spec === path)
  if ((yield* geteuid()) !== 0) {
    yield* eprint(
      entry
        ? `umount: only root can unmount ${entry.spec} from ${entry.dir}\n`
        : `umount: ${path} is not mounted (according to mtab)\n`,
    )
    return 1
  }
  return yield* detach(entry?.spec ?? path, entry?.dir ?? path, how)
}

function* detach(spec: string, dir: string, { flags, noMtab, readOnly, verbose, out }: How): Sys<number> {
  try {
    yield* umount2(dir, flags)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    if (readOnly && error.errno === EBUSY && (yield* makeReadOnly(spec, dir))) {
      yield* eprint(`umount: ${spec} busy - remounted read-only\n`)
      yield* rewriteMtab((entries) => entries.map((old) => (old.dir === dir ? { ...old, options: 'ro' } : old)))
      return 0
    }
    yield* eprint(`umount: ${dir}: ${COMPLAINTS[error.errno] ?? strerror(error.errno)}\n`)
    return 1
  }
  if (verbose) yield* out.line(`${spec} umounted`)
  // What mount -o loop has set up goes with it.
  const entry = (yield* readTable(MTAB)).findLast((old) => old.dir === dir)
  const loop = /(?:^|,)loop=([^,]+)/.exec(entry?.options ?? '')?.[1]
  if (loop !== undefined) yield* deleteLoop(loop)
  if (!noMtab)
    yield* rewriteMtab((entries) => {
      const at = entries.findLastIndex((old) => old.dir === dir)
      return entries.filter((_, i) => i !== at)
    })
  return 0
}

function* makeReadOnly(spec: string, dir: string): Sys<boolean> {
  try {
    yield* mountCall(spec, dir, 'none', MS_RDONLY | MS_REMOUNT, '')
    return true
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}
