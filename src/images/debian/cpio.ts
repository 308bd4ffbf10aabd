/** Archives as the kernel unpacks them into its first root: cpio's "newc" form (Linux: Documentation/driver-api/early-userspace/buffer-format.rst). */
import { S_IFCHR, S_IFDIR, S_IFLNK, S_IFREG } from '#abi/posix/stat.ts'
import { utf8Encode } from '#lib/utf8.ts'

export type CpioEntry = { readonly path: string } & (
  | { readonly kind: 'dir'; readonly mode: number }
  | { readonly kind: 'file'; readonly mode: number; readonly bytes: Uint8Array }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'char'; readonly mode: number; readonly major: number; readonly minor: number }
)

const TRAILER = 'TRAILER!!!'
const ALIGNMENT = 4
/** Archives are padded to this, as cpio itself does. */
const BLOCK_BYTES = 512

interface Header {
  readonly ino: number
  readonly mode: number
  readonly nlink: number
  readonly mtime: number
  readonly rdev: readonly [number, number]
  readonly name: string
  readonly content: Uint8Array
}

const NOTHING = new Uint8Array(0)

/** `path` without a leading slash, parents before what is in them; all of it is root's, of time `mtime`. */
export function cpioArchive(entries: readonly CpioEntry[], mtime: number): Uint8Array {
  const parts: Uint8Array[] = []
  let length = 0
  const push = (bytes: Uint8Array): void => {
    parts.push(bytes)
    length += bytes.length
  }
  const pad = (to: number): void => push(new Uint8Array((to - (length % to)) % to))
  const record = (header: Header): void => {
    push(headerBytes(header))
    pad(ALIGNMENT)
    push(header.content)
    pad(ALIGNMENT)
  }
  entries.forEach((entry, i) => {
    record({
      ino: i + 1,
      nlink: entry.kind === 'dir' ? 2 : 1,
      mtime,
      name: entry.path,
      mode: modeOf(entry),
      rdev: entry.kind === 'char' ? [entry.major, entry.minor] : [0, 0],
      content: entry.kind === 'file' ? entry.bytes : entry.kind === 'link' ? utf8Encode(entry.target) : NOTHING,
    })
  })
  record({ ino: 0, mode: 0, nlink: 1, mtime: 0, rdev: [0, 0], name: TRAILER, content: NOTHING })
  pad(BLOCK_BYTES)
  const archive = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    archive.set(part, at)
    at += part.length
  }
  return archive
}

function modeOf(entry: CpioEntry): number {
  if (entry.kind === 'dir') return S_IFDIR | entry.mode
  if (entry.kind === 'file') return S_IFREG | entry.mode
  return entry.kind === 'link' ? S_IFLNK | 0o777 : S_IFCHR | entry.mode
}

/** The header: thirteen numbers of eight hexadecimal digits; then the name with its NUL. */
function headerBytes({ ino, mode, nlink, mtime, rdev, name, content }: Header): Uint8Array {
  const path = utf8Encode(name)
  const numbers = [ino, mode, 0, 0, nlink, mtime, content.length, 0, 0, rdev[0], rdev[1], path.length + 1, 0]
  const text = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`
  const bytes = new Uint8Array(text.length + path.length + 1)
  bytes.set(utf8Encode(text))
  bytes.set(path, text.length)
  return bytes
}
