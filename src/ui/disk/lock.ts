/** One tab of this page writes the stored disk; the others know that they do not. */

export interface TabLock {
  /** Whether this tab has the lock now. */
  acquire(): Promise<boolean>
  /** Take it from whoever has it; that tab is told. */
  steal(): Promise<void>
}

/** A page that is being reloaded lets go of its lock a moment after the next one asks for it. */
const PATIENCE_MS = 1000

/** `onLost`: another tab has taken it. Without Web Locks everybody has the lock, and the store's own owner decides (store.ts). */
export function tabLock(name: string, onLost: () => void): TabLock {
  const locks: LockManager | undefined = navigator.locks
  if (!locks) return { acquire: async () => true, steal: async () => {} }
  let held = false

  function request(options: LockOptions): Promise<boolean> {
    return new Promise((resolve) => {
      locks!
        .request(name, options, (lock) => {
          if (!lock) {
            resolve(false)
            return undefined
          }
          held = true
          resolve(true)
          // Held as long as the page lives.
          return new Promise(() => {})
        })
        .catch(() => {
          if (held) onLost()
          held = false
          resolve(false)
        })
    })
  }

  return {
    // A busy browser may take its time to answer; only a lock that is known to be another's is waited for with impatience.
    acquire: async () =>
      held || (await request({ ifAvailable: true })) || (await request({ signal: AbortSignal.timeout(PATIENCE_MS) })),
    async steal() {
      if (!held) await request({ steal: true })
    },
  }
}
