/**
 * One tab of this page writes the stored disk; the others know that they do not. The lock itself (Web Locks) does not say whether its holder
 * is a tab that works or a page that is just being left, and a busy computer takes its time to clear a page away: only who answers is another
 * tab. What is stored does not depend on any of this; the store's own owner decides (store.ts).
 */

export interface TabLock {
  /** Whether this tab has the lock now. */
  acquire(): Promise<boolean>
  /** Take it from whoever has it; that tab is told. */
  steal(): Promise<void>
}

/** What of the browser it needs. */
export interface TabPlace {
  /** Absent on pages of insecure origins. */
  readonly locks: Pick<LockManager, 'request'> | undefined
  /** To the other tabs that have this page. */
  readonly channel: Pick<BroadcastChannel, 'postMessage' | 'addEventListener'>
  /** Gets `pagehide` and `pageshow`. */
  readonly page: Pick<EventTarget, 'addEventListener'>
}

/** `whose`: who has the lock may say so. `mine`: its answer. Both name who asks. */
interface LockMessage {
  readonly kind: 'whose' | 'mine'
  readonly asker: string
}

/** A page that is being left may still answer once, and not again so much later. */
const ASK_AGAIN_MS = 300
const ANSWERS = 2
/** A holder that neither answers nor goes is a tab that the browser has put to sleep. */
const PATIENCE_MS = 5000

/** `onLost`: another tab has taken it. Where there are no Web Locks everybody has the lock. */
export function tabLock(name: string, onLost: () => void, { locks, channel, page }: TabPlace): TabLock {
  if (!locks) return { acquire: async () => true, steal: async () => {} }
  const me = `${Date.now()}-${Math.random()}`
  /** While this tab has the lock. */
  let release: (() => void) | undefined
  let asking: Promise<boolean> | undefined
  let wasHeld = false
  /** This tab's questions that were answered. */
  let answers = 0
  let answered = (): void => {}
  const say = (message: LockMessage): void => channel.postMessage(message)

  function request(options: LockOptions): Promise<boolean> {
    return new Promise((resolve) => {
      let own: (() => void) | undefined
      locks!
        .request(name, options, (lock) => {
          resolve(lock !== null)
          if (!lock) return undefined
          return new Promise<void>((done) => {
            own = done
            release = done
          })
        })
        .catch((error: unknown) => {
          // A page that may not use locks has none; whether it may store anything is the store's matter.
          resolve(!(error instanceof DOMException && error.name === 'AbortError'))
          if (!own || release !== own) return
          release = undefined
          onLost()
        })
    })
  }

  channel.addEventListener('message', ({ data }: MessageEvent<LockMessage>) => {
    if (data.kind === 'whose' && release) say({ kind: 'mine', asker: data.asker })
    else if (data.kind === 'mine' && data.asker === me && ++answers >= ANSWERS) answered()
  })
  // The next page need not wait until this one is cleared away.
  page.addEventListener('pagehide', () => {
    wasHeld = release !== undefined
    release?.()
    release = undefined
  })
  // Back from the browser's cache of pages, with its machine.
  page.addEventListener('pageshow', (event) => {
    if (!(event as PageTransitionEvent).persisted || !wasHeld) return
    void ask().then((held) => held || onLost())
  })

  async function waitForHolder(): Promise<boolean> {
    const enough = new AbortController()
    answers = 0
    answered = () => enough.abort()
    const whose = (): void => say({ kind: 'whose', asker: me })
    const again = setInterval(whose, ASK_AGAIN_MS)
    const late = setTimeout(answered, PATIENCE_MS)
    whose()
    const held = await request({ signal: enough.signal })
    clearInterval(again)
    clearTimeout(late)
    return held
  }

  /** Two machines in quick succession are no two tabs: they ask once. */
  function ask(): Promise<boolean> {
    const asked = async (): Promise<boolean> => (await request({ ifAvailable: true })) || (await waitForHolder())
    asking ??= asked().finally(() => {
      asking = undefined
    })
    return asking
  }

  return {
    async acquire() {
      return release ? true : ask()
    },
    async steal() {
      if (!release) await request({ steal: true })
    },
  }
}
