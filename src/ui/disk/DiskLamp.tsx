/** In the bar: whether what the machine writes is kept. Opens the machine's panel, where the disk is. */
import { usePage, usePlayground, useTranslate } from '../session-context.tsx'
import { testIds } from '../test-ids.ts'
import './disk.css'
import { stateWords } from './state-words.ts'

export function DiskLamp() {
  const t = useTranslate()
  const { store } = usePage().session
  const disk = usePlayground((state) => state.disk)
  const word = t(`disk.${disk.kind}`)
  return (
    <button
      type="button"
      className="disk-lamp"
      data-state={disk.kind}
      data-testid={testIds.diskLamp}
      aria-label={t('disk.lamp', { state: word })}
      title={t(stateWords(disk))}
      onClick={() => store.dispatch({ type: 'panel', panel: 'machine' })}
    >
      <span className="disk-light" aria-hidden="true" />
      <span className="disk-word">{word}</span>
    </button>
  )
}
