/**
 * Keeps what the machine makes durable (design D11). It says from which disk the next machine boots, stores batches in their order, as many as are
 * waiting in one transaction, and once it cannot store one it stores none that came after it: what is stored is always the disk as
 * it was at some moment.
 */
import { packDisk } from '#lib/ondisk/disk-container.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { BUILD } from '#protocol/build.ts'
import type { DiskBatch, DiskChunk, DiskState } from '#protocol/disk.ts'
import type { TabLock } from './lock.ts'
import type { DiskNotice } from './slice.ts'
import { type BaseDisk, type DiskStore, NotOwner, type StoredDisk } from './store.ts'

/** What a machine boots from. Its buffers are for the worker alone. */
export interface BootDisk {
  readonly first: ArrayBuffer
  /** Undefined when all is in the first part. */
  readonly rest: (() => Promise<ArrayBuffer>) | undefined
  readonly stored: readonly DiskChunk[]
  readonly persist: boolean
}

/** The base disk that this page brings. Each call gives a fresh copy. */
export interface ShippedDisk {
  readonly id: string
  readonly first: () => Promise<ArrayBuffer>
  readonly rest: () => Promise<ArrayBuffer>
}

type Why = Extract<DiskState, { kind: 'temporary' }>['why']

export interface KeeperParts {
  /** Whether anything is to be stored at all. */
  readonly keep: boolean
  readonly shipped: ShippedDisk
  readonly store: DiskStore
  /** `onLost`: another tab has taken the lock. */
  readonly lock: (onLost: () => void) => TabLock
  readonly onState: (state: DiskState) => void
  readonly onNotice: (notice: DiskNotice | undefined) => void
  /** Something has been stored for the first time: the browser should not throw it away. */
  readonly onFirstStored: () => void
}

const because = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '')
const isFull = (error: unknown): boolean => nameOf(error) === 'QuotaExceededError'
/** The names by which browsers refuse a page all storage. */
const DENIALS: readonly string[] = [
  'SecurityError',
  'InvalidStateError',
  'NotAllowedError',
  'TypeError',
  'ReferenceError',
]

function whyNot(error: unknown): 'full' | 'denied' | 'failed' {
  if (isFull(error)) return 'full'
  return DENIALS.includes(nameOf(error)) ? 'denied' : 'failed'
}

export class DiskKeeper {
  readonly #parts: KeeperParts
  readonly #lock: TabLock
  /** The present machine's batches are stored. */
  #keeping = false
  /** Nothing is stored yet: the first batch brings the base disk along. */
  #isNew = true
  #waiting: DiskBatch[] = []
  #writing: Promise<void> = Promise.resolve()
  #isWriting = false
  #saidFirst = false

  constructor(parts: KeeperParts) {
    this.#parts = parts
    this.#lock = parts.lock(() => this.#give('lost-lock'))
  }

  /** The disk for the next machine. Never fails for want of storage: that machine's disk is then temporary. */
  async open(): Promise<BootDisk> {
    const { keep, shipped } = this.#parts
    // What is on its way is stored; what the former machine says from now on is nobody's.
    this.#keeping = false
    const bytes = shipped.first()
    bytes.catch(() => {})
    await this.#writing
    const stored = keep ? await this.#load() : undefined
    if (!keep) this.#temporary('asked')
    const boot = await this.#bootFrom(stored, bytes)
    return { ...boot, persist: this.#keeping }
  }

  async #load(): Promise<StoredDisk | undefined> {
    const { store, onState, onNotice } = this.#parts
    if (!(await this.#lock.acquire())) {
      this.#give('other-tab')
      return undefined
    }
    try {
      const stored = await store.load(true)
      this.#keeping = true
      this.#isNew = stored === undefined
      onState({ kind: 'saved' })
      onNotice(undefined)
      return stored
    } catch (error) {
      this.#give(whyNot(error), because(error))
      return isFull(error) ? store.load(false).catch(() => undefined) : undefined
    }
  }

  async #bootFrom(
    stored: StoredDisk | undefined,
    shippedFirst: Promise<ArrayBuffer>,
  ): Promise<Omit<BootDisk, 'persist'>> {
    const { shipped, onNotice } = this.#parts
    const { id } = shipped
    if (!stored || stored.base.id === id)
      return { first: await shippedFirst, rest: shipped.rest, stored: stored?.chunks ?? [] }
    const { base, chunks, declined } = stored
    if (!isBlank(base.id) && declined !== id && this.#keeping) onNotice({ kind: 'base-changed', message: '' })
    const { first, rest } = base
    return { first, rest: rest && (async () => rest.slice(0)), stored: chunks }
  }

  /** The machine has made `batch` durable. */
  batch(batch: DiskBatch): void {
    if (!this.#keeping) return
    this.#waiting.push(batch)
    if (this.#isWriting) return
    this.#isWriting = true
    this.#parts.onState({ kind: 'saving' })
    this.#writing = this.#writeAll()
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0))
      if (this.#keeping) this.#parts.onState({ kind: 'saved' })
      if (!this.#saidFirst) this.#parts.onFirstStored()
      this.#saidFirst = true
    } catch (error) {
      if (error instanceof NotOwner) this.#give('lost-lock')
      // What was stored before shows that storage is not denied.
      else this.#give(isFull(error) ? 'full' : 'failed', because(error))
    } finally {
      this.#waiting = []
      this.#isWriting = false
    }
  }

  async #write(batches: readonly DiskBatch[]): Promise<void> {
    // What came before an imported disk is not worth storing.
    const from = Math.max(
      0,
      batches.findLastIndex(({ blankSectors }) => blankSectors !== undefined),
    )
    const chunks = new Map<number, Uint8Array>()
    for (const batch of batches.slice(from)) for (const { number, bytes } of batch.chunks) chunks.set(number, bytes)
    const blank = batches[from]?.blankSectors
    let base = blank === undefined ? undefined : blankDisk(blank)
    if (!base && this.#isNew) base = await this.#shipped()
    const { sequence } = batches[batches.length - 1]!
    await this.#parts.store.commit({ chunks, base, build: BUILD, sequence })
    this.#isNew = false
  }

  async #shipped(): Promise<BaseDisk> {
    const { id, first, rest } = this.#parts.shipped
    return { id, first: await first(), rest: await rest() }
  }

  /** The present machine plays a tape or a record: nothing of it is stored, and nothing that is stored changes. */
  setAside(): void {
    this.#temporary('asked')
  }

  /** The next machine's disk is the stored one, and it is this tab that writes. */
  async takeOver(): Promise<void> {
    await this.#lock.steal()
  }

  /** The person keeps the disk that is stored over an older base disk: not asked again for this one. */
  async keepOld(): Promise<void> {
    const { shipped, store } = this.#parts
    await store.decline(shipped.id)
  }

  /** Nothing is stored any more, where this tab may write at all. */
  async discard(): Promise<void> {
    if (!this.#parts.keep) return
    this.#keeping = false
    await this.#writing
    try {
      if (!(await this.#lock.acquire())) return
      // It may be another's since: whoever discards has it first.
      await this.#parts.store.load(true)
      await this.#parts.store.clear()
    } catch {
      // Without storage there is nothing to discard.
    }
  }

  #temporary(why: Why): void {
    this.#keeping = false
    this.#parts.onState({ kind: 'temporary', why })
  }

  /** Nothing more is stored, and the person should know. */
  #give(why: Exclude<Why, 'asked'>, message = ''): void {
    if (why === 'lost-lock' && !this.#keeping) return
    this.#temporary(why)
    this.#parts.onNotice({ kind: why, message })
  }
}

const BLANK = 'blank:'
const isBlank = (id: string): boolean => id.startsWith(BLANK)

/** The base of an imported disk: zeros. */
function blankDisk(sectors: number): BaseDisk {
  const first = packDisk(new SparseDisk(sectors)).buffer as ArrayBuffer
  return { id: `${BLANK}${sectors}`, first, rest: undefined }
}
