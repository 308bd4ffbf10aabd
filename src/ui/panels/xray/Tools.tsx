/** What concerns the schedule's memory, and the whole panel: how much is kept, what was lost, the whole screen. */
import { type RefObject, useState, useSyncExternalStore } from 'react'
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

export function FullScreen({ panel }: { panel: RefObject<HTMLElement | null> }) {
  const say = useWords()
  if (!document.fullscreenEnabled) return null
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={say('full')}
      title={say('full')}
      data-testid={testIds.xrayFull}
      onClick={() => {
        if (document.fullscreenElement) void document.exitFullscreen()
        // Refused: it stays as it is.
        else void panel.current?.requestFullscreen().catch(() => {})
      }}
    >
      <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true" className="xray-full">
        <path d="M2.5 6.5v-4h4M11.5 2.5h4v4M15.5 11.5v4h-4M6.5 15.5h-4v-4" />
      </svg>
    </button>
  )
}
