/**
 * Where the state lies (state.ts): /dev/shm/xenstored/state, in memory, so that it does not outlive the host; only root may look. In life a daemon
 * writes all of itself when it is updated (tools/xenstored/lu.c) or at every change (xenstored.c's tdb, which fsyncs nothing either).
 *
 * The file is a run of frames: eight bytes, the length and the FNV-1a of what follows, then records. The first begins with a line that says which
 * state this is. Each round of the daemon appends one frame, by one write(2), before any answer of that round is sent: so whatever has been
 * answered is there. A last frame that is cut short belongs to a round that has answered nobody and is left out; any other fault makes all of it void.
 *
 * What has been appended is never more than twice what the state itself takes (and never less than a MiB): then the state is written to a second
 * file, some nodes each round, from a tree that has been forked for it, with the changes that come in the meantime behind it, and renamed over the first.
 */
import { F_SETFD, FD_CLOEXEC, O_APPEND, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import { TMPFS_MAGIC } from '#abi/posix/mount.ts'
import { S_IFDIR, S_IFMT } from '#abi/posix/stat.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { byteString } from '#lib/utf8.ts'
import { setWord } from '#lib/words.ts'
import { OsError } from '#user/libc/errno.ts'
import { writeAll } from '#user/libc/stdio.ts'
import { close, fcntl, lstat, open, raw, read, rename, statfs, unlink } from '#user/libc/syscall.ts'
import { Damaged } from './restorer.ts'
import { treeRecords } from './state.ts'
import type { Tree } from './tree.ts'

const TMPFS = '/dev/shm'
const DIR = `${TMPFS}/xenstored`
const FILE = `${DIR}/state`
const NEXT = `${DIR}/state.new`

const TITLE = 'xenstored state 1\n'
const HEADER = 8
const FRAME_MAX = 1 << 30
/** Read at once. */
const READ_BYTES = 1 << 20
/** Appended at least before all is written anew. */
const APPENDED_MIN = 1 << 20
/** Nodes that a round writes of the new file. */
const NODES_PER_ROUND = 256

const FNV_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** FNV-1a, continued. */
function hashed(bytes: Uint8Array, from: number, to: number, hash: number): number {
  let sum = hash
  for (let i = from; i < to; i++) sum = Math.imul(sum ^ bytes[i]!, FNV_PRIME)
  return sum >>> 0
}

export function frameOf(text: string): Uint8Array {
  const { length } = text
  const bytes = new Uint8Array(HEADER + length)
  let sum = FNV_BASIS
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    bytes[HEADER + i] = code
    sum = Math.imul(sum ^ code, FNV_PRIME)
  }
  setWord(bytes, 0, length)
  setWord(bytes, 4, sum >>> 0)
  return bytes
}

/** The records of a file, a frame at a time. Throws Damaged. */
export function* framesOf(bytes: Uint8Array): Sys<string[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const texts: string[] = []
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = view.getUint32(at, true)
    const end = at + HEADER + length
    if (length > FRAME_MAX) throw new Damaged('a frame without an end')
    if (end > bytes.length) break
    // By parts: a long one is not to be a stretch without a rest.
    let sum = FNV_BASIS
    for (let from = at + HEADER; from < end; from += 4096) sum = hashed(bytes, from, Math.min(end, from + 4096), sum)
    if (sum !== view.getUint32(at + 4, true)) throw new Damaged('a frame that has been changed')
    texts.push(byteString(bytes.subarray(at + HEADER, end)))
    at = end
  }
  if (!texts[0]?.startsWith(TITLE)) throw new Damaged('no state')
  texts[0] = texts[0].slice(TITLE.length)
  return texts
}

/** The new file while it is being written. */
interface Writing {
  readonly fd: number
  readonly nodes: Iterator<string>
  /** Behind the nodes: all else as it was when they were, and what has changed since. */
  rest: string
  bytes: number
}

export class StateFile {
  #fd: number
  #text: string
  /** Of the file: the state, and what has been appended to it. */
  #base: number
  #appended: number
  #next: Writing | undefined
  /** No memory for it, or no right: nothing is kept any more. */
  lost: boolean

  constructor() {
    this.#fd = -1
    this.#text = ''
    this.#base = 0
    this.#appended = 0
    this.#next = undefined
    this.lost = false
  }

  /** Undefined where there is no such place: what is kept must be gone with the host, and nobody else may have put it there. */
  static *open(): Sys<StateFile | undefined> {
    try {
      if ((yield* statfs(TMPFS)).type !== TMPFS_MAGIC) return undefined
      yield* raw(SYSCALL_NR.mkdir, DIR, 0o700)
      const { mode, uid } = yield* lstat(DIR)
      return (mode & S_IFMT) === S_IFDIR && uid === 0 && (mode & 0o077) === 0 ? new StateFile() : undefined
    } catch (error) {
      if (error instanceof OsError) return undefined
      throw error
    }
  }

  /** What an earlier daemon has left. Undefined: nothing. Throws Damaged. */
  *load(): Sys<string[] | undefined> {
    let fd: number
    try {
      fd = yield* open(FILE, O_RDONLY, 0)
    } catch (error) {
      if (error instanceof OsError) return undefined
      throw error
    }
    const parts: Uint8Array[] = []
    let length = 0
    for (let part = yield* read(fd, READ_BYTES); part.length > 0; part = yield* read(fd, READ_BYTES)) {
      parts.push(part)
      length += part.length
    }
    yield* close(fd)
    const bytes = new Uint8Array(length)
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    return length === 0 ? undefined : yield* framesOf(bytes)
  }

  put(record: string): void {
    if (!this.lost) this.#text += record
  }

  /** Something has been put since the last flush. */
  get dirty(): boolean {
    return this.#text !== ''
  }

  /** There is no file of this daemon's yet. */
  get isFirst(): boolean {
    return this.#fd < 0
  }

  /** Time to write all of it anew. */
  get due(): boolean {
    return !this.lost && !this.#next && (this.#fd < 0 || this.#appended > Math.max(APPENDED_MIN, 2 * this.#base))
  }

  /** Before anything of this round is answered. */
  *flush(): Sys<void> {
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    if (this.#next) this.#next.rest += text
    if (this.#fd < 0) return
    const frame = frameOf(text)
    this.#appended += frame.length
    yield* this.#try(writeAll(this.#fd, frame))
  }

  /** Begin to write all of it anew: `tree`, which nobody else changes, and `rest`, as both are now. */
  *begin(tree: Tree, rest: string): Sys<void> {
    yield* this.#try(this.#open(tree, rest))
  }

  *#open(tree: Tree, rest: string): Sys<void> {
    if (this.#next) yield* close(this.#next.fd)
    const fd = yield* open(NEXT, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o600)
    yield* fcntl(fd, F_SETFD, FD_CLOEXEC)
    this.#next = { fd, nodes: treeRecords(tree), rest, bytes: 0 }
    yield* this.#write(this.#next, TITLE)
  }

  /** A part of it; with `whole` all that is left. */
  *step(whole: boolean): Sys<void> {
    const next = this.#next
    if (next && !this.lost) yield* this.#try(this.#step(next, whole))
  }

  *#step(next: Writing, whole: boolean): Sys<void> {
    for (;;) {
      let text = ''
      let done = false
      for (let i = 0; i < NODES_PER_ROUND && !done; i++) {
        const node = next.nodes.next()
        if (node.done) done = true
        else text += node.value
      }
      if (done) text += next.rest
      if (text !== '') yield* this.#write(next, text)
      if (done) break
      if (!whole) return
    }
    yield* rename(NEXT, FILE)
    if (this.#fd >= 0) yield* close(this.#fd)
    this.#fd = next.fd
    this.#base = next.bytes
    this.#appended = 0
    this.#next = undefined
  }

  *#write(next: Writing, text: string): Sys<void> {
    const frame = frameOf(text)
    next.bytes += frame.length
    yield* writeAll(next.fd, frame)
  }

  /** Without memory for it there is none: an old state would be worse than nothing. */
  *#try(call: Sys<void>): Sys<void> {
    try {
      yield* call
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* this.discard()
    }
  }

  /** Nothing is kept from now on, nor is what was. */
  *discard(): Sys<void> {
    this.lost = true
    this.#text = ''
    this.#next = undefined
    for (const path of [FILE, NEXT]) {
      try {
        yield* unlink(path)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
      }
    }
  }
}
