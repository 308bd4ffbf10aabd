/** tune2fs -l and dumpe2fs -h of e2fsprogs 1.39: what the superblock says. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { EXT2_ERROR_FS, EXT2_VALID_FS, type Superblock, viewOf } from '#lib/ondisk/ext2/layout.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { eprint, STDOUT, writeAll } from '../libc/stdio.ts'
import { strftime } from '../libc/time.ts'
import { labelOf, superblockOf, uuidOf } from './mount/fstab.ts'

const BANNER = (name: string): string => `${name} 1.39 (29-May-2006)\n`

export const tune2fs = program({
  name: 'tune2fs',
  usage: 'tune2fs -l DEVICE',
  help: '  -l   list the contents of the superblock',
  *main(argv) {
    const { options, operands, error } = getopt(argv.slice(1), 'l')
    yield* writeAll(STDOUT, bytesOfString(BANNER('tune2fs')))
    if (error !== undefined || operands.length !== 1 || options.length === 0) {
      yield* eprint(`${error === undefined ? '' : `tune2fs: ${error}\n`}Usage: tune2fs [-l] device\n`)
      return 1
    }
    return yield* show('tune2fs', operands[0]!)
  },
})

export const dumpe2fs = program({
  name: 'dumpe2fs',
  usage: 'dumpe2fs -h DEVICE',
  help: '  -h   only the superblock',
  *main(argv) {
    const { options, operands, error } = getopt(argv.slice(1), 'h')
    yield* eprint(BANNER('dumpe2fs'))
    if (error !== undefined || operands.length !== 1 || options.length === 0) {
      yield* eprint(`${error === undefined ? '' : `dumpe2fs: ${error}\n`}Usage: dumpe2fs [-h] device\n`)
      return 1
    }
    return yield* show('dumpe2fs', operands[0]!)
  },
})

function* show(name: string, device: string): Sys<number> {
  const superblock = yield* superblockOf(device)
  if (!superblock) {
    yield* eprint(`${name}: Bad magic number in super-block while trying to open ${device}\n`)
    yield* writeAll(STDOUT, bytesOfString("Couldn't find valid filesystem superblock.\n"))
    return 1
  }
  yield* writeAll(STDOUT, bytesOfString(listing(superblock)))
  return 0
}

const COMPAT = ['dir_prealloc', 'imagic_inodes', 'has_journal', 'ext_attr', 'resize_inode', 'dir_index']
const INCOMPAT = ['compression', 'filetype', 'needs_recovery', 'journal_dev']
const RO_COMPAT = ['sparse_super', 'large_file']

const names = (bits: number, table: readonly string[]): string[] => table.filter((_, i) => (bits & (1 << i)) !== 0)

/** list_super2(). */
function listing(sb: Superblock): string {
  const date = (seconds: number): string => strftime('%a %b %e %H:%M:%S %Y', seconds)
  const text = viewOf(sb.bytes)
  const mounted = [...sb.bytes.subarray(136, 200)]
    .map((byte) => String.fromCharCode(byte))
    .join('')
    .replace(/\0.*$/s, '')
  const features = [
    ...names(sb.get('feature_compat'), COMPAT),
    ...names(sb.get('feature_incompat'), INCOMPAT),
    ...names(sb.get('feature_ro_compat'), RO_COMPAT),
  ]
  const blockBytes = 1024 << sb.get('log_block_size')
  const state = (sb.get('state') & EXT2_VALID_FS) !== 0 ? 'clean' : 'not clean'
  const errors = (sb.get('state') & EXT2_ERROR_FS) !== 0 ? ' with errors' : ''
  const behaviour =
    ['Unknown (continue)', 'Continue', 'Remount read-only', 'Panic'][sb.get('errors')] ?? 'Unknown (continue)'
  const most = (sb.get('max_mnt_count') << 16) >> 16
  const interval = sb.get('checkinterval')
  const rows: [string, string | number][] = [
    ['Filesystem volume name', labelOf(sb) || '<none>'],
    ['Last mounted on', mounted || '<not available>'],
    ['Filesystem UUID', uuidOf(sb)],
    ['Filesystem magic number', `0x${sb.get('magic').toString(16).toUpperCase()}`],
    ['Filesystem revision #', `${sb.get('rev_level')} ${sb.get('rev_level') === 0 ? '(original)' : '(dynamic)'}`],
    ['Filesystem features', features.length > 0 ? features.join(' ') : '(none)'],
    ['Default mount options', '(none)'],
    ['Filesystem state', state + errors],
    ['Errors behavior', behaviour],
    ['Filesystem OS type', ['Linux', 'Hurd', 'Masix', 'FreeBSD', 'Lites'][sb.get('creator_os')] ?? '(unknown)'],
    ['Inode count', sb.get('inodes_count')],
    ['Block count', sb.get('blocks_count')],
    ['Reserved block count', sb.get('r_blocks_count')],
    ['Free blocks', sb.get('free_blocks_count')],
    ['Free inodes', sb.get('free_inodes_count')],
    ['First block', sb.get('first_data_block')],
    ['Block size', blockBytes],
    ['Fragment size', 1024 << sb.get('log_frag_size')],
    ['Blocks per group', sb.get('blocks_per_group')],
    ['Fragments per group', sb.get('frags_per_group')],
    ['Inodes per group', sb.get('inodes_per_group')],
    ['Inode blocks per group', Math.ceil((sb.get('inodes_per_group') * (sb.get('inode_size') || 128)) / blockBytes)],
    ...(sb.get('mkfs_time') === 0 ? [] : [['Filesystem created', date(sb.get('mkfs_time'))] as [string, string]]),
    ['Last mount time', sb.get('mtime') === 0 ? 'n/a' : date(sb.get('mtime'))],
    ['Last write time', date(sb.get('wtime'))],
    ['Mount count', sb.get('mnt_count')],
    ['Maximum mount count', most],
    ['Last checked', date(sb.get('lastcheck'))],
    ['Check interval', `${interval} (${intervalText(interval)})`],
  ]
  if (interval !== 0) rows.push(['Next check after', date(sb.get('lastcheck') + interval)])
  const users = [`${sb.get('def_resuid')}`, `${sb.get('def_resgid')}`].map((id) => (id === '0' ? ' root' : ' unknown'))
  rows.push(['Reserved blocks uid', `${sb.get('def_resuid')} (user${users[0]})`])
  rows.push(['Reserved blocks gid', `${sb.get('def_resgid')} (group${users[1]})`])
  if (sb.get('rev_level') > 0) {
    rows.push(['First inode', sb.get('first_ino')])
    rows.push(['Inode size', text.getUint16(88, true)])
  }
  // One row has a tab of its own.
  return rows
    .map(([name, value]) => `${name === 'Inode size' ? 'Inode size:\t          ' : `${name}:`.padEnd(26)}${value}\n`)
    .join('')
}

function intervalText(seconds: number): string {
  if (seconds === 0) return '<none>'
  const parts: string[] = []
  let rest = seconds
  for (const [unit, size] of [
    ['month', 2592000],
    ['week', 604800],
    ['day', 86400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1],
  ] as const) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count} ${unit}${count === 1 ? '' : 's'}`)
  }
  return parts.join(', ')
}
