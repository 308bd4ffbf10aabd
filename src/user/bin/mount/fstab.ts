/** /etc/fstab and /etc/mtab (getmntent(3)), and the devices that LABEL= and UUID= mean. */
import { O_APPEND, O_CREAT, O_RDONLY, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  EXT2_SUPER_MAGIC,
  SB_LABEL,
  SB_LABEL_BYTES,
  SB_UUID,
  SB_UUID_BYTES,
  Superblock,
} from '#lib/ondisk/ext2/layout.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { OsError } from '../../libc/errno.ts'
import { readFile, writeAll } from '../../libc/stdio.ts'
import { close, lseek, open, read, rename } from '../../libc/syscall.ts'

export const FSTAB = '/etc/fstab'
export const MTAB = '/etc/mtab'

export interface Mntent {
  readonly spec: string
  readonly dir: string
  readonly type: string
  readonly options: string
  readonly freq: number
  readonly pass: number
}

const decoded = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8) & 255))
const encoded = (text: string): string =>
  text.replace(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)

export function parseTable(text: string): Mntent[] {
  const entries: Mntent[] = []
  for (const line of text.split('\n')) {
    const [spec, dir, type, options, freq, pass] = line.trim().split(/[ \t]+/)
    if (!spec || spec.startsWith('#') || dir === undefined || type === undefined) continue
    entries.push({
      spec: decoded(spec),
      dir: decoded(dir),
      type,
      options: options ?? 'defaults',
      freq: Number(freq ?? 0) || 0,
      pass: Number(pass ?? 0) || 0,
    })
  }
  return entries
}

/** The table in `path`; empty where it cannot be read. */
export function* readTable(path: string): Sys<Mntent[]> {
  try {
    return parseTable(yield* readFile(path))
  } catch (error) {
    if (error instanceof OsError) return []
    throw error
  }
}

const line = ({ spec, dir, type, options, freq, pass }: Mntent): string =>
  `${encoded(spec)} ${encoded(dir)} ${type} ${options} ${freq} ${pass}\n`

/** One more line for mtab. Where it cannot be written (a read-only root) it stays as it is. */
export function* addToMtab(entry: Mntent): Sys<void> {
  try {
    const fd = yield* open(MTAB, O_WRONLY | O_APPEND | O_CREAT, 0o644)
    yield* writeAll(fd, bytesOfString(line(entry)))
    yield* close(fd)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}

/** mtab with other lines: written beside it, and renamed. */
export function* rewriteMtab(change: (entries: Mntent[]) => Mntent[]): Sys<void> {
  const entries = change(yield* readTable(MTAB))
  try {
    const fd = yield* open(`${MTAB}.tmp`, O_WRONLY | O_CREAT, 0o644)
    yield* writeAll(fd, bytesOfString(entries.map(line).join('')))
    yield* close(fd)
    yield* rename(`${MTAB}.tmp`, MTAB)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}

/** An ext2 superblock of a device, or undefined. */
export function* superblockOf(device: string): Sys<Superblock | undefined> {
  try {
    const fd = yield* open(device, O_RDONLY, 0)
    try {
      yield* lseek(fd, 1024, 0)
      const bytes = yield* read(fd, 1024)
      if (bytes.length < 1024) return undefined
      const superblock = new Superblock(bytes)
      return superblock.get('magic') === EXT2_SUPER_MAGIC ? superblock : undefined
    } finally {
      yield* close(fd)
    }
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}

export const labelOf = ({ bytes }: Superblock): string => {
  const text = byteString(bytes.subarray(SB_LABEL, SB_LABEL + SB_LABEL_BYTES))
  return text.includes('\0') ? text.slice(0, text.indexOf('\0')) : text
}

/** `0f1e2d3c-...`. */
export const uuidOf = ({ bytes }: Superblock): string =>
  [...bytes.subarray(SB_UUID, SB_UUID + SB_UUID_BYTES)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')

/** The device that `LABEL=...` or `UUID=...` means: the first partition that has it. Anything else is itself; undefined: there is none. */
export function* deviceOf(spec: string): Sys<string | undefined> {
  const match = /^(LABEL|UUID)="?([^"]*)"?$/.exec(spec)
  if (!match) return spec
  const [, kind, wanted] = match
  let partitions: string
  try {
    partitions = yield* readFile('/proc/partitions')
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
  for (const row of partitions.split('\n').slice(2)) {
    const name = row.trim().split(/\s+/)[3]
    if (!name) continue
    const superblock = yield* superblockOf(`/dev/${name}`)
    if (superblock && (kind === 'LABEL' ? labelOf(superblock) : uuidOf(superblock)) === wanted) return `/dev/${name}`
  }
  return undefined
}

/** `-t ext2,proc`, `-t noproc,sysfs` (none of them), and where the `no` may stand before each. */
export function matchesType(type: string, wanted: string | undefined): boolean {
  if (wanted === undefined) return true
  const no = wanted.startsWith('no')
  const names = (no ? wanted.slice(2) : wanted).split(',').map((name) => (no ? name.replace(/^no/, '') : name))
  return names.includes(type) !== no
}

/** `-O opts`: each must be there; `noX` must not. */
export function matchesOptions(options: string, wanted: string | undefined): boolean {
  if (wanted === undefined) return true
  const has = options.split(',')
  return wanted
    .split(',')
    .every((option) => (option.startsWith('no') ? !has.includes(option.slice(2)) : has.includes(option)))
}
