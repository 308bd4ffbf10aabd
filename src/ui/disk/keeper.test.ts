import { beforeEach, describe, expect, it } from 'vitest'
import type { DiskBatch, DiskState } from '#protocol/disk.ts'
import { DiskKeeper } from './keeper.ts'
import type { TabLock } from './lock.ts'
import type { DiskNotice } from './slice.ts'
import { type Commit, type DiskStore, NotOwner, type StoredDisk } from './store.ts'

/** A browser's storage that several tabs share; one transaction at a time, each when the test lets it go. */
class FakeStorage {
  disk: StoredDisk | undefined
  owner = ''
  commits: Commit[] = []
  failure: Error | undefined
  gate: Promise<void> = Promise.resolve()

  tab(owner: string): DiskStore {
    const check = (): void => {
      if (this.failure) throw this.failure
      if (this.owner !== owner) throw new NotOwner()
    }
    return {
      load: async (own) => {
        if (this.failure && own) throw this.failure
        if (own) this.owner = owner
        return this.disk
      },
      commit: async (commit) => {
        await this.gate
        check()
        this.commits.push(commit)
        const before = commit.base ? [] : (this.disk?.chunks ?? [])
        const chunks = new Map(before.map(({ number, bytes }) => [number, bytes]))
        for (const [number, bytes] of commit.chunks) chunks.set(number, bytes)
        const base = commit.base ?? this.disk?.base
        if (!base) throw new Error('no base')
        this.disk = { base, chunks: [...chunks].map(([number, bytes]) => ({ number, bytes })), declined: undefined }
      },
      decline: async (id) => {
        check()
        if (this.disk) this.disk = { ...this.disk, declined: id }
      },
      clear: async () => {
        check()
        this.disk = undefined
      },
    }
  }
}

let storage: FakeStorage
let holder: (() => void) | undefined
let states: DiskState[]
let notices: (DiskNotice | undefined)[]

beforeEach(() => {
  storage = new FakeStorage()
  holder = undefined
  states = []
  notices = []
})

function fakeLock(onLost: () => void): TabLock {
  return {
    acquire: async () => {
      holder ??= onLost
      return holder === onLost
    },
    steal: async () => {
      const before = holder
      holder = onLost
      before?.()
    },
  }
}

const bytes = (n: number): ArrayBuffer => Uint8Array.of(n).buffer

function tab(owner: string, { id = 'base-1', keep = true } = {}): DiskKeeper {
  return new DiskKeeper({
    keep,
    shipped: { id, first: async () => bytes(1), rest: async () => bytes(2) },
    store: storage.tab(owner),
    lock: fakeLock,
    onState: (state) => states.push(state),
    onNotice: (notice) => notices.push(notice),
    onFirstStored: () => {},
  })
}

const batch = (sequence: number, ...numbers: number[]): DiskBatch => ({
  sequence,
  chunks: numbers.map((number) => ({ number, bytes: new Uint8Array(4096).fill(sequence) })),
})
const turns = () => new Promise<void>((resolve) => setTimeout(resolve))
const contents = () => storage.disk?.chunks.map(({ number, bytes }) => [number, bytes[0]])
const lastState = () => states[states.length - 1]
const lastNotice = () => notices[notices.length - 1]

function quota(): Error {
  const error = new Error('no room')
  error.name = 'QuotaExceededError'
  return error
}

describe('what the machine flushes', () => {
  it('is stored with its base disk, and the next machine boots from both', async () => {
    const keeper = tab('a')
    expect(await keeper.open()).toMatchObject({ stored: [], persist: true })
    keeper.batch(batch(1, 5, 6))
    expect(lastState()).toEqual({ kind: 'saving' })
    await turns()
    expect(lastState()).toEqual({ kind: 'saved' })
    expect(storage.disk?.base).toMatchObject({ id: 'base-1', first: bytes(1), rest: bytes(2) })
    keeper.batch(batch(2, 6))
    const next = await keeper.open()
    expect(next.stored.map(({ number, bytes }) => [number, bytes[0]])).toEqual([
      [5, 1],
      [6, 2],
    ])
  })

  it('while storage is busy is stored in order, in one transaction', async () => {
    let release = (): void => {}
    storage.gate = new Promise((resolve) => {
      release = resolve
    })
    const keeper = tab('a')
    await keeper.open()
    keeper.batch(batch(1, 1))
    keeper.batch(batch(2, 1, 2))
    keeper.batch(batch(3, 2))
    await turns()
    expect(storage.commits).toEqual([])
    release()
    await turns()
    expect(storage.commits.map(({ sequence }) => sequence)).toEqual([1, 3])
    expect(contents()).toEqual([
      [1, 2],
      [2, 3],
    ])
  })

  it('after an imported image is stored over zeros alone', async () => {
    const keeper = tab('a')
    await keeper.open()
    keeper.batch(batch(1, 1))
    await turns()
    keeper.batch({ ...batch(2, 9), blankSectors: 64 })
    await turns()
    expect([storage.disk?.base.id, storage.disk?.base.rest, contents()]).toEqual(['blank:64', undefined, [[9, 2]]])
    expect(await keeper.open()).toMatchObject({ rest: undefined, persist: true })
    expect(lastNotice()).toBeUndefined()
  })

  it('during a tape or a replay is not stored', async () => {
    const keeper = tab('a')
    await keeper.open()
    keeper.batch(batch(1, 1))
    keeper.setAside()
    keeper.batch(batch(2, 1))
    await turns()
    expect(contents()).toEqual([[1, 1]])
    expect(lastState()).toEqual({ kind: 'temporary', why: 'asked' })
  })

  it('is not stored where that was not asked for', async () => {
    const keeper = tab('a', { keep: false })
    expect(await keeper.open()).toMatchObject({ persist: false })
    keeper.batch(batch(1, 1))
    await turns()
    expect(storage.commits).toEqual([])
    expect(notices).toEqual([])
  })
})

describe('storage', () => {
  it('that is full keeps what it has; nothing that came later is stored', async () => {
    const keeper = tab('a')
    await keeper.open()
    keeper.batch(batch(1, 1))
    await turns()
    storage.failure = quota()
    keeper.batch(batch(2, 1))
    await turns()
    storage.failure = undefined
    keeper.batch(batch(3, 2))
    await turns()
    expect(contents()).toEqual([[1, 1]])
    expect(lastState()).toEqual({ kind: 'temporary', why: 'full' })
    expect(lastNotice()).toEqual({ kind: 'full', message: 'no room' })
  })

  it('that is too full even to be owned is read', async () => {
    const keeper = tab('a')
    await keeper.open()
    keeper.batch(batch(1, 1))
    await turns()
    storage.failure = quota()
    const boot = await keeper.open()
    expect([boot.stored.length, boot.persist]).toEqual([1, false])
  })

  it.each([
    ['denied', new DOMException('no storage here', 'SecurityError')],
    ['failed', new DOMException('backing store', 'UnknownError')],
  ] as const)('that is %s leaves a machine with a temporary disk', async (why, error) => {
    storage.failure = error
    const keeper = tab('a')
    expect(await keeper.open()).toMatchObject({ stored: [], persist: false })
    expect(lastState()).toEqual({ kind: 'temporary', why })
    expect(lastNotice()).toEqual({ kind: why, message: error.message })
  })

  it('that fails later has failed: it was not denied', async () => {
    const keeper = tab('a')
    await keeper.open()
    keeper.batch(batch(1, 1))
    await turns()
    storage.failure = new DOMException('the connection is closed', 'InvalidStateError')
    keeper.batch(batch(2, 1))
    await turns()
    expect(contents()).toEqual([[1, 1]])
    expect(lastState()).toEqual({ kind: 'temporary', why: 'failed' })
  })
})

describe('two tabs', () => {
  it('the second has a temporary disk, and can take over; the first is told', async () => {
    const first = tab('a')
    await first.open()
    first.batch(batch(1, 1))
    await turns()
    const second = tab('b')
    expect(await second.open()).toMatchObject({ stored: [], persist: false })
    expect(lastState()).toEqual({ kind: 'temporary', why: 'other-tab' })
    await second.takeOver()
    expect(lastState()).toEqual({ kind: 'temporary', why: 'lost-lock' })
    expect(await second.open()).toMatchObject({ stored: [{ number: 1 }], persist: true })
    first.batch(batch(2, 1))
    second.batch(batch(1, 7))
    await turns()
    expect(contents()).toEqual([
      [1, 1],
      [7, 1],
    ])
  })

  it('a tab that has not heard of it cannot write either', async () => {
    const first = tab('a')
    await first.open()
    holder = undefined
    const second = tab('b')
    await second.open()
    first.batch(batch(1, 1))
    await turns()
    expect(storage.commits).toEqual([])
    expect(lastNotice()?.kind).toBe('lost-lock')
  })

  it('the second discards nothing of the first', async () => {
    const first = tab('a')
    await first.open()
    first.batch(batch(1, 1))
    await turns()
    await tab('b').discard()
    expect(contents()).toEqual([[1, 1]])
  })
})

describe('a newer page', () => {
  beforeEach(async () => {
    const keeper = tab('a')
    await keeper.open()
    keeper.batch(batch(1, 1))
    await turns()
    holder = undefined
  })

  it('boots the old disk from its own base, and says so until it is kept', async () => {
    const newer = tab('b', { id: 'base-2' })
    const boot = await newer.open()
    expect([new Uint8Array(boot.first), boot.stored.length, boot.persist]).toEqual([Uint8Array.of(1), 1, true])
    expect(lastNotice()?.kind).toBe('base-changed')
    await newer.keepOld()
    await newer.open()
    expect(lastNotice()).toBeUndefined()
  })

  it('has its own disk after all was discarded', async () => {
    const newer = tab('b', { id: 'base-2' })
    await newer.open()
    await newer.discard()
    expect((await newer.open()).stored).toEqual([])
    newer.batch(batch(1, 3))
    await turns()
    expect(storage.disk?.base.id).toBe('base-2')
  })
})
