/** What concerns the schedule's memory: how much is kept, what was lost. */
import { useState, useSyncExternalStore } from 'react'
import { testIds } from '../../test-ids.ts'
import { KEEP_SECONDS, keptSeconds, saveKeep } from './keep.ts'
import type { XrayModel } from './model.ts'
import { count } from './use-figures.ts'
import { useWords } from './use-words.ts'

const MINUTE = 60
const SECOND_NS = 1e9

/** How much of the schedule is kept. */
export function Keep({ model }: { model: XrayModel }) {
  const say = useWords()
  const [keep, setKeep] = useState(keptSeconds)
  return (
    <label className="xray-keep" title={say('keep.help')}>
      {say('keep')}
      <select
        value={keep}
        data-testid={testIds.xrayKeep}
        onChange={(event) => {
          const seconds = Number(event.target.value)
          setKeep(seconds)
          saveKeep(seconds)
          model.keep(seconds * SECOND_NS)
        }}
      >
        {KEEP_SECONDS.map((seconds) => (
          <option key={seconds} value={seconds}>
            {seconds < MINUTE ? say('keep.seconds', { seconds }) : say('keep.minutes', { minutes: seconds / MINUTE })}
          </option>
        ))}
      </select>
    </label>
  )
}

export function Lost({ model }: { model: XrayModel }) {
  const say = useWords()
  const lost = useSyncExternalStore(model.onChange, () => model.lost)
  return lost === 0 ? null : (
    <p className="xray-lost" data-testid={testIds.xrayLost}>
      {say('lost', { count: count(lost) })}
    </p>
  )
}
