/** File modes: what `ls -l` shows (gnulib's filemode.c) and what chmod reads (modechange.c). */
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
} from '#abi/posix/stat.ts'

/** S_ISDIR of <sys/stat.h>; its kin follow. */
export const isDir = (mode: number): boolean => (mode & S_IFMT) === S_IFDIR
export const isRegular = (mode: number): boolean => (mode & S_IFMT) === S_IFREG
export const isLink = (mode: number): boolean => (mode & S_IFMT) === S_IFLNK
export const isDevice = (mode: number): boolean => (mode & S_IFMT) === S_IFBLK || (mode & S_IFMT) === S_IFCHR
export const isFifo = (mode: number): boolean => (mode & S_IFMT) === S_IFIFO

const TYPES: Readonly<Record<number, string>> = {
  [S_IFREG]: '-',
  [S_IFDIR]: 'd',
  [S_IFLNK]: 'l',
  [S_IFCHR]: 'c',
  [S_IFBLK]: 'b',
  [S_IFIFO]: 'p',
  [S_IFSOCK]: 's',
}

/** `drwxr-xr-x`. */
export function modeString(mode: number): string {
  let text = TYPES[mode & S_IFMT] ?? '?'
  for (let i = 0; i < 3; i++) {
    const bits = (mode >> (6 - 3 * i)) & 7
    const special = (mode & [S_ISUID, S_ISGID, S_ISVTX][i]!) !== 0
    const x = (bits & 1) !== 0
    const letter = i < 2 ? 's' : 't'
    text += (bits & 4 ? 'r' : '-') + (bits & 2 ? 'w' : '-')
    text += special ? (x ? letter : letter.toUpperCase()) : x ? 'x' : '-'
  }
  return text
}

interface Change {
  readonly op: string
  /** Bits that the users named by `ugoa` own; none named: all, less the umask. */
  readonly affected: number
  readonly named: boolean
  readonly value: number
  /** `X`; and `u`, `g`, `o` on the right. */
  readonly conditionalX: boolean
  readonly copy: string
}

export type ModeChange = readonly Change[]

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 }
const PERMISSION: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000, X: 0 }

/** Octal, or clauses like `u+x,go=rX`; undefined if it is neither. */
export function parseMode(text: string): ModeChange | undefined {
  if (/^[0-7]+$/.test(text)) {
    const value = Number.parseInt(text, 8)
    return value > 0o7777
      ? undefined
      : [{ op: '=', affected: 0o7777, named: true, value, conditionalX: false, copy: '' }]
  }
  const changes: Change[] = []
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/.exec(clause)
    if (!match) return undefined
    const named = match[1] !== ''
    let affected = 0
    for (const who of match[1]!) affected |= WHO[who]!
    for (const [, op, permissions] of match[2]!.matchAll(/([-+=])([ugo](?![rwxXst])|[rwxXst]*)/g)) {
      const copy = /^[ugo]$/.test(permissions!) ? permissions! : ''
      let value = 0
      if (!copy) for (const letter of permissions!) value |= PERMISSION[letter]!
      changes.push({
        op: op!,
        affected: named ? affected : 0o7777,
        named,
        value,
        conditionalX: permissions!.includes('X'),
        copy,
      })
    }
  }
  return changes
}

/** mode_adjust(): the new permission bits of something whose mode is `mode`. */
export function adjustMode(mode: number, changes: ModeChange, umask = 0, directory = isDir(mode)): number {
  let bits = mode & 0o7777
  for (const { op, affected, named, value, conditionalX, copy } of changes) {
    let what = value
    if (copy) {
      const shift = copy === 'u' ? 6 : copy === 'g' ? 3 : 0
      what = ((bits >> shift) & 7) * 0o111
    }
    if (conditionalX && (directory || (bits & 0o111) !== 0)) what |= 0o111
    what &= affected
    if (!named) what &= ~umask
    if (op === '+') bits |= what
    else if (op === '-') bits &= ~what
    // A directory keeps its set-id bits unless they are named.
    else bits = (bits & ~(named ? affected : 0o7777)) | what | (directory && named && affected !== 0o7777 ? 0 : 0)
  }
  return bits
}
