/**
 * The stored disk, in IndexedDB: the chunks that were written, and the base disk that they were written over, so that a newer page never puts
 * them on another one (design D11). Whatever changes changes in one transaction. The store has an owner, the page that loaded it last: what
 * another page still sends is refused, whatever became of its lock.
 */
import type { DiskChunk } from '#protocol/disk.ts'

/** The base disk: its container, in one part or two. */
export interface BaseDisk {
  /** Which it is: equal for equal disks. */
  readonly id: string
  readonly first: ArrayBuffer
  readonly rest: ArrayBuffer | undefined
}

export interface StoredDisk {
  readonly base: BaseDisk
  readonly chunks: readonly DiskChunk[]
  /** The newer base disk that the person has declined. */
  readonly declined: string | undefined
}

export interface Commit {
  readonly chunks: ReadonlyMap<number, Uint8Array>
  /** All that was stored goes, and this is the base from now on. */
  readonly base: BaseDisk | undefined
  readonly build: string
  readonly sequence: number
}

export interface DiskStore {
  /** What is stored, if anything; from now on this page owns it, unless it only wants to read. */
  load(own: boolean): Promise<StoredDisk | undefined>
  /** In one piece. NotOwner when another page has loaded the disk since. */
  commit(commit: Commit): Promise<void>
  /** The person keeps the stored disk although the page brings base disk `id`. */
  decline(id: string): Promise<void>
  /** Nothing is stored any more. */
  clear(): Promise<void>
}

export class NotOwner extends Error {}

interface Meta {
  readonly owner: string
  /** Absent as long as there is no disk. */
  readonly baseId?: string
  readonly declined?: string
  /** For whoever looks into the store: which build wrote last, and how often its machine had flushed. */
  readonly build?: string
  readonly sequence?: number
}

/** A browser that does not answer at all, not even late, has storage that does not work. */
const PATIENCE_MS = 10_000

/** The store called `name`; `owner`: no other page's. */
export function diskStore(name: string, owner: string): DiskStore {
  let opening: Promise<IDBDatabase> | undefined
  const open = (): Promise<IDBDatabase> => {
    opening ??= openDatabase(name)
    return opening
  }

  /** Run `act` in one transaction over all that is stored. */
  async function transaction<T>(act: (parts: Parts) => Promise<T>, mode: IDBTransactionMode = 'readwrite'): Promise<T> {
    const db = await open()
    const names = ['meta', 'base', 'chunks'] as const
    const running = db.transaction(names, mode)
    const [meta, base, chunks] = names.map((each) => running.objectStore(each)) as [IDBObjectStore, ...IDBObjectStore[]]
    const done = new Promise<void>((resolve, reject) => {
      running.oncomplete = () => resolve()
      running.onabort = () => reject(running.error ?? new Error('the transaction was aborted'))
    })
    // Whoever waits for it hears of a failure, and nobody else.
    done.catch(() => {})
    try {
      const value = await act({ meta, base: base!, chunks: chunks! })
      await done
      return value
    } catch (error) {
      try {
        running.abort()
      } catch {
        // It has failed by itself, and says why.
      }
      await done.catch((why) => {
        // What made us abort it, unless it had failed by itself.
        throw running.error ? why : error
      })
      throw error
    }
  }

  async function owned(meta: IDBObjectStore): Promise<Meta> {
    const found = await result<Meta | undefined>(meta.get('disk'))
    if (found?.owner !== owner) throw new NotOwner('another tab has taken the disk over')
    return found
  }

  return {
    load: (own) =>
      transaction(
        async ({ meta, base, chunks }) => {
          const [found, first, rest, numbers, bytes] = await Promise.all([
            result<Meta | undefined>(meta.get('disk')),
            result<ArrayBuffer | undefined>(base.get('first')),
            result<ArrayBuffer | undefined>(base.get('rest')),
            result(chunks.getAllKeys()),
            result<Uint8Array[]>(chunks.getAll()),
          ])
          if (own) meta.put({ ...found, owner }, 'disk')
          if (found?.baseId === undefined || !first) return undefined
          return {
            base: { id: found.baseId, first, rest },
            chunks: numbers.map((number, i) => ({ number: Number(number), bytes: bytes[i]! })),
            declined: found.declined,
          }
        },
        own ? 'readwrite' : 'readonly',
      ),
    commit: (commit) =>
      transaction(async ({ meta, base, chunks }) => {
        const found = await owned(meta)
        if (commit.base) {
          const { first, rest } = commit.base
          base.clear()
          chunks.clear()
          base.put(first, 'first')
          if (rest) base.put(rest, 'rest')
        }
        for (const [number, bytes] of commit.chunks) chunks.put(bytes, number)
        const { build, sequence } = commit
        const kept = commit.base ? { owner, baseId: commit.base.id } : found
        if (kept.baseId === undefined) throw new Error('chunks without a base disk')
        meta.put({ ...kept, build, sequence } satisfies Meta, 'disk')
      }),
    decline: (id) =>
      transaction(async ({ meta }) => {
        meta.put({ ...(await owned(meta)), declined: id } satisfies Meta, 'disk')
      }),
    clear: () =>
      transaction(async ({ meta, base, chunks }) => {
        await owned(meta)
        for (const each of [base, chunks]) each.clear()
        meta.put({ owner } satisfies Meta, 'disk')
      }),
  }
}

interface Parts {
  readonly meta: IDBObjectStore
  readonly base: IDBObjectStore
  readonly chunks: IDBObjectStore
}

function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the browser’s storage does not answer')), PATIENCE_MS)
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => {
      for (const each of ['meta', 'base', 'chunks']) request.result.createObjectStore(each)
    }
    request.onsuccess = () => {
      clearTimeout(timer)
      resolve(request.result)
    }
    request.onerror = () => {
      clearTimeout(timer)
      reject(request.error)
    }
  })
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
