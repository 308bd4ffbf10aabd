/** Files whose contents lie in the page cache (Linux: mm/filemap.c, generic_file_read and generic_file_write). */
import { EFBIG, EIO, ENOSPC } from '#abi/posix/errno.ts'
import { O_SYNC } from '#abi/posix/fcntl.ts'
import { MS_NOATIME } from '#abi/posix/mount.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { Errno, fail } from '../errno.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { File, FileOps } from './file.ts'
import type { Inode } from './inode.ts'
import type { OpenFile } from './open-file.ts'
import type { Mapping, Page, PageCache } from './page-cache.ts'
import type { Writeback } from './writeback.ts'

/** What of a file is its file system's business. */
export interface FileHost {
  readonly inode: Inode
  readonly mapping: Mapping
  readonly maxBytes: number
  /** The device: its pages past the end do not become the file's. */
  readonly fixedSize?: boolean
  /** Bytes `from` to `to` of the page are about to change: room for them on the disk. */
  prepare(page: Page, from: number, to: number): Sleeping<void>
  /** Where that is only a question of whether it was done before: it was. */
  isPrepared?(page: Page): boolean
  /** They have changed. */
  commit(page: Page, from: number, to: number): void
  accessed(): void
  /** Its size or times changed. */
  modified(): void
  sync(): Sleeping<void>
}

/** One read gets at most so much: the copy is on the heap. */
const READ_MAX = 8 * 1024 * 1024
/** Read-ahead windows, in pages: 16 KiB to 128 KiB. */
const WINDOW_MIN = 4
const WINDOW_MAX = 32
const NOTHING = new Uint8Array(0)

/** How many pages to read where `file` misses page `index`. */
function windowOf(file: OpenFile, index: number, size: number): number {
  file.window = index === file.nextPage ? Math.min(WINDOW_MAX, Math.max(WINDOW_MIN, file.window * 2)) : 1
  return Math.min(file.window, Math.ceil(size / PAGE_SIZE) - index)
}

function* readPages(cache: PageCache, host: FileHost, file: File, count: number, offset: number): Sleeping<Uint8Array> {
  const { size } = host.inode
  if (offset >= size || count <= 0) return NOTHING
  const length = Math.min(count, size - offset, READ_MAX)
  const open = file as OpenFile
  if (!(open.path.mount.flags & MS_NOATIME)) host.accessed()
  let index = Math.floor(offset / PAGE_SIZE)
  const at = offset - index * PAGE_SIZE
  if (at + length <= PAGE_SIZE) {
    let page = host.mapping.pages.get(index)
    if (page?.uptodate) page.referenced = true
    else page = yield* cache.read(host.mapping, index, windowOf(open, index, size))
    open.nextPage = at + length === PAGE_SIZE ? index + 1 : index
    return cache.kernel.mem.copyOut(page.va + at, length)
  }
  const out = new Uint8Array(length)
  for (let done = 0; done < length; index++) {
    let page = host.mapping.pages.get(index)
    if (page?.uptodate) page.referenced = true
    else {
      const wanted = Math.ceil((at + length - done) / PAGE_SIZE)
      page = yield* cache.read(host.mapping, index, Math.max(windowOf(open, index, size), Math.min(wanted, WINDOW_MAX)))
    }
    const from = done === 0 ? at : 0
    const part = Math.min(PAGE_SIZE - from, length - done)
    out.set(cache.kernel.mem.copyOut(page.va + from, part), done)
    done += part
    open.nextPage = index + 1
  }
  return out
}

/** The inode's mutex is held. Fewer than all where the disk is full. */
function* writePages(
  cache: PageCache,
  writeback: Writeback,
  host: FileHost,
  bytes: Uint8Array,
  offset: number,
): Sleeping<number> {
  const { inode, mapping } = host
  if (bytes.length === 0) return 0
  let length = bytes.length
  if (offset + length > host.maxBytes) {
    length = host.maxBytes - offset
    if (length <= 0) fail(host.fixedSize ? ENOSPC : EFBIG)
  }
  let done = 0
  try {
    while (done < length) {
      const index = Math.floor((offset + done) / PAGE_SIZE)
      const from = offset + done - index * PAGE_SIZE
      const part = Math.min(PAGE_SIZE - from, length - done)
      const whole = part === PAGE_SIZE || (!host.fixedSize && index * PAGE_SIZE >= inode.size)
      const page = whole ? yield* cache.grab(mapping, index, part !== PAGE_SIZE) : yield* cache.read(mapping, index, 1)
      page.pins++
      try {
        const fresh = part === PAGE_SIZE && page.blocks === undefined && page.dirty === 0
        try {
          yield* host.prepare(page, from, from + part)
        } catch (error) {
          // Nothing of the file is in it yet: do not show what the frame held before.
          if (fresh) cache.kernel.pages.zero(page.pfn)
          throw error
        }
        cache.kernel.mem.copyIn(page.va + from, part === bytes.length ? bytes : bytes.subarray(done, done + part))
        host.commit(page, from, from + part)
      } finally {
        page.pins--
      }
      done += part
      if (!host.fixedSize && offset + done > inode.size) inode.size = offset + done
      yield* writeback.throttle(mapping)
    }
  } catch (error) {
    if (done === 0 || !(error instanceof Errno)) throw error
  }
  host.modified()
  return done
}

/** A write into a page that is there, and needs nothing else. */
function writeNow(cache: PageCache, host: FileHost, bytes: Uint8Array, offset: number): number | undefined {
  const { inode, mapping } = host
  const { length } = bytes
  const index = Math.floor(offset / PAGE_SIZE)
  const from = offset - index * PAGE_SIZE
  if (length === 0 || from + length > PAGE_SIZE || offset + length > host.maxBytes) return undefined
  const page = mapping.pages.get(index)
  if (!page?.uptodate || !host.isPrepared?.(page)) return undefined
  page.referenced = true
  cache.kernel.mem.copyIn(page.va + from, bytes)
  host.commit(page, from, from + length)
  if (offset + length > inode.size) inode.size = offset + length
  host.modified()
  return length
}

/** Operations on an open regular file or block device. */
export function pageFileOps(cache: PageCache, writeback: Writeback, host: FileHost): FileOps {
  return {
    seekable: true,
    ...(host.isPrepared && {
      writeNow: (file, bytes, offset) => (file.flags & O_SYNC ? undefined : writeNow(cache, host, bytes, offset)),
    }),
    read: (file, count, offset) => readPages(cache, host, file, count, offset),
    *write(file, bytes, offset) {
      const written = yield* writePages(cache, writeback, host, bytes, offset)
      if (file.flags & O_SYNC) yield* syncHost(host)
      return written
    },
    fsync: () => syncHost(host),
  }
}

function* syncHost(host: FileHost): Sleeping<void> {
  yield* host.sync()
  if (!host.mapping.failed) return
  host.mapping.failed = false
  fail(EIO)
}
