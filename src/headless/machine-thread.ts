/**
 * The machine in a thread of its own under Node: the same room as the page's worker has, so the same messages, clock and answers. The realm that is
 * locked for images (design D2) is this thread's, never the author's.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { FromWorker, ToWorker } from '#protocol/messages.ts'
import type { Host } from '#worker/host.ts'
import { createRoom, type RoomParts } from '#worker/room.ts'
import { lockdown } from '#world/realm/lockdown.ts'
import { createRing3s } from '#world/ring3.ts'
import { withTranslations } from '#world/translations.ts'

export interface ThreadData {
  /** Hashes of images that this build has verified. */
  readonly known: readonly string[]
}

/** The longest that setTimeout can count. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1

/** Functions are taken before the realm is locked. */
function threadHost(): Host {
  const { setImmediate: soon, setTimeout: later, clearTimeout: cancel, performance: clock } = globalThis
  return {
    nowMs: () => clock.now(),
    after(ms, run) {
      const timer = later(run, Math.min(ms, TIMEOUT_MS_MAX))
      return () => cancel(timer)
    },
    soon: (run) => void soon(run),
  }
}

/** Serves the thread's parent. */
export function serve(): void {
  const port = parentPort
  if (!port) throw new Error('this runs in a worker thread')
  const { known } = workerData as ThreadData
  const send = (message: FromWorker): void => port.postMessage(message)
  const fault = (error: unknown): void =>
    send({ type: 'fault', message: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  // The script is here; what comes is what it has translated already, if there is any.
  const evaluate: RoomParts['evaluate'] = (_text, translations) =>
    translations ? withTranslations(translations) : createRing3s
  const room = createRoom({ host: threadHost(), known, evaluate, send, fault })
  port.on('message', (message: ToWorker) => room.receive(message))
  lockdown()
  send({ type: 'ready' })
}
