/**
 * The public interface under Node (docs/api.md):
 *
 *     import { createPlayground } from './scripts/playground.mjs'
 *     const playground = await createPlayground({ seed: 1 })
 *
 * The machine runs in a thread of its own, so that neither its time nor the lock on its realm is the script's.
 */
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { buildDiskAndKnown } from './disk.mjs'
import { guestsDisk, guestsTranslations } from './guests-debian.mjs'
import { bundleTs, loadTs } from './load-ts.mjs'

/** A machine with the same interface as a page's `window.playground`; `close()` ends it. */
export async function createPlayground(options = {}) {
  const { createPlayground: create } = await loadTs('src/headless/playground.ts')
  const thread = pathToFileURL(await bundleTs('src/headless/machine-thread.ts')).href
  return create(options, {
    startThread: (known) =>
      new Worker(`import(${JSON.stringify(thread)}).then(({ serve }) => serve())`, {
        eval: true,
        workerData: { known },
      }),
    defaultDisk: buildDiskAndKnown,
    guestsDisk,
    guestsTranslations,
  })
}
