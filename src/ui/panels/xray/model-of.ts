/** A session's model: one, however often its panel comes and goes, so that what was seen stays. */
import type { Session } from '../../session.ts'
import { keptSeconds } from './keep.ts'
import { XrayModel } from './model.ts'

const models = new WeakMap<Session, XrayModel>()

/** In live mode virtual time goes on with the wall's clock for so long without a word (live-clock.ts says one each second). */
const SILENCE_MS = 1500

export function modelOf(session: Session): XrayModel {
  const found = models.get(session)
  if (found) return found
  const nowMs = () => performance.now()
  let heardNs = -1
  let heardMs = 0
  const made = new XrayModel({
    nowMs,
    nowNs() {
      const { nowNs, mode, power } = session.store.getState()
      if (nowNs !== heardNs) {
        heardNs = nowNs
        heardMs = nowMs()
      }
      return mode === 'live' && power === 'xen' ? nowNs + Math.min(nowMs() - heardMs, SILENCE_MS) * 1e6 : nowNs
    },
  })
  made.historyNs = keptSeconds() * 1e9
  // Nobody may be watching then.
  session.store.subscribe(({ power }, before) => {
    if (power !== before.power && (power === 'off' || power === 'firmware')) made.clear()
  })
  models.set(session, made)
  return made
}
