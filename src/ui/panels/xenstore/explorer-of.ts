/** A session's explorer: one, however often its panel comes and goes, so that what is open and selected stays. */
import type { Session } from '../../session.ts'
import { Explorer } from './explorer.ts'

/** `version` changes when the explorer has: it is what makes a component look again. */
export interface ExplorerProps {
  readonly explorer: Explorer
  readonly version: number
}

const explorers = new WeakMap<Session, Explorer>()

export function explorerOf(session: Session): Explorer {
  const found = explorers.get(session)
  if (found) return found
  const made = new Explorer({
    xenstore: session.xenstore,
    openLink: session.openLink,
    onXenstore: (listener) => void session.onXenstore(listener),
    frame: (run) => void requestAnimationFrame(run),
    after: (ms, run) => void setTimeout(run, ms),
    nowMs: () => performance.now(),
  })
  explorers.set(session, made)
  return made
}
