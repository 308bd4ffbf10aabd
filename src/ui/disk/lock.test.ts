import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type TabLock, type TabPlace, tabLock } from './lock.ts'

/** A browser's locks, of one name: one holder, who waits, and what becomes of a page that is gone. */
class FakeLocks {
  holder: { readonly reject: (error: Error) => void } | undefined
  readonly queue: (() => void)[] = []

  request = ((_: string, options: LockOptions, granted: (lock: Lock | null) => unknown) =>
    new Promise<unknown>((resolve, reject) => {
      const grant = (): void => {
        const holder = { reject }
        this.holder = holder
        void Promise.resolve(granted({ name: 'disk', mode: 'exclusive' })).then((value) => {
          if (this.holder === holder) this.free()
          resolve(value)
        })
      }
      if (options.steal) {
        const before = this.holder
        grant()
        before?.reject(new DOMException('', 'AbortError'))
      } else if (!this.holder) grant()
      else if (options.ifAvailable) resolve(granted(null))
      else {
        this.queue.push(grant)
        options.signal?.addEventListener('abort', () => {
          const at = this.queue.indexOf(grant)
          if (at < 0) return
          this.queue.splice(at, 1)
          reject(new DOMException('', 'AbortError'))
        })
      }
    })) as LockManager['request']

  /** The holder is cleared away. */
  free(): void {
    this.holder = undefined
    this.queue.shift()?.()
  }
}

let locks: FakeLocks
let channels: EventTarget[]
let lost: string[]

interface Tab extends TabLock {
  readonly page: EventTarget
  /** It neither answers nor asks any more. */
  gone: boolean
}

function tab(name: string): Tab {
  const page = new EventTarget()
  const own = new EventTarget()
  channels.push(own)
  const channel = {
    addEventListener: (type: string, listener: (event: MessageEvent) => void) =>
      own.addEventListener(type, (event) => made.gone || listener(event as MessageEvent)),
    postMessage(data: unknown) {
      for (const other of channels) if (other !== own) other.dispatchEvent(new MessageEvent('message', { data }))
    },
  } as TabPlace['channel']
  const lock = tabLock('disk', () => lost.push(name), { locks, channel, page })
  const made: Tab = { ...lock, page, gone: false }
  return made
}

const transition = (type: string, persisted: boolean): Event => Object.assign(new Event(type), { persisted })
const turns = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers()
  locks = new FakeLocks()
  channels = []
  lost = []
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a single tab', () => {
  it('has the lock, for all of its machines, also for two in quick succession', async () => {
    const only = tab('a')
    expect(await Promise.all([only.acquire(), only.acquire()])).toEqual([true, true])
    expect(await only.acquire()).toBe(true)
    expect(lost).toEqual([])
  })

  it('has it after a reload at once: the page that is left lets go', async () => {
    const before = tab('a')
    await before.acquire()
    before.page.dispatchEvent(transition('pagehide', false))
    await turns()
    expect(await tab('b').acquire()).toBe(true)
    expect(lost).toEqual([])
  })

  it('has it after a reload, however long it takes to clear the former page away', async () => {
    const before = tab('a')
    await before.acquire()
    const after = tab('b').acquire()
    // It still answers once.
    await turns()
    before.gone = true
    await vi.advanceTimersByTimeAsync(4000)
    locks.free()
    expect(await after).toBe(true)
  })

  it('has it again when its page comes back from the cache of pages', async () => {
    const page = tab('a')
    await page.acquire()
    page.page.dispatchEvent(transition('pagehide', true))
    page.page.dispatchEvent(transition('pageshow', true))
    await turns()
    expect(locks.holder).toBeDefined()
    expect(lost).toEqual([])
  })
})

describe('two tabs', () => {
  it('the second is told soon, since the first answers', async () => {
    await tab('a').acquire()
    const second = tab('b').acquire()
    await vi.advanceTimersByTimeAsync(400)
    expect(await second).toBe(false)
    expect(locks.queue).toEqual([])
  })

  it('a first that sleeps is not waited for endlessly', async () => {
    const first = tab('a')
    await first.acquire()
    first.gone = true
    const second = tab('b').acquire()
    await vi.advanceTimersByTimeAsync(5000)
    expect(await second).toBe(false)
  })

  it('the second takes it, and the first is told once', async () => {
    const [first, second] = [tab('a'), tab('b')]
    await first.acquire()
    await second.steal()
    await turns()
    expect(lost).toEqual(['a'])
    expect(await second.acquire()).toBe(true)
    const again = first.acquire()
    await vi.advanceTimersByTimeAsync(400)
    expect(await again).toBe(false)
  })

  it('a page that comes back from the cache of pages has lost it, if another has it now', async () => {
    const first = tab('a')
    await first.acquire()
    first.page.dispatchEvent(transition('pagehide', true))
    await turns()
    await tab('b').acquire()
    first.page.dispatchEvent(transition('pageshow', true))
    await vi.advanceTimersByTimeAsync(400)
    expect(lost).toEqual(['a'])
  })
})

it('where locks are refused everybody has it', async () => {
  locks.request = () => Promise.reject(new DOMException('no storage here', 'SecurityError'))
  expect(await tab('a').acquire()).toBe(true)
})

it('without Web Locks everybody has it', async () => {
  const lock = tabLock('disk', () => lost.push('a'), {
    locks: undefined,
    channel: new BroadcastChannel('x'),
    page: new EventTarget(),
  })
  expect(await lock.acquire()).toBe(true)
})
