/** A session's time line and marked moments: kept from when the page was opened, whether its panel is there or not. */
import type { Session } from '../../../session.ts'
import { History } from './history.ts'
import { Moments } from './moments.ts'

export interface Tools {
  readonly history: History
  readonly moments: Moments
}

const known = new WeakMap<Session, Tools>()

export function toolsOf(session: Session): Tools {
  const found = known.get(session)
  if (found) return found
  const { xenstore } = session
  const moments = new Moments(xenstore)
  const history = new History({
    xenstore,
    onXenstore: (listener) => void session.onXenstore(listener),
    frame: (run) => void requestAnimationFrame(run),
  })
  session.onXenstore((changes) => {
    // Power gone, store gone; another machine's moments are no measure for this one.
    if (changes.length === 0 && !xenstore.root) moments.forgetAll()
  })
  const made = { history, moments }
  known.set(session, made)
  return made
}
