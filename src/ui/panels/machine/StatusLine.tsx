/** The machine's state in words, spoken when it changes, the layer that runs now, and what to do next. */
import type { MachineState } from '#protocol/machine.ts'
import { say } from '../../i18n/index.ts'
import { usePlayground, useTranslate } from '../../session-context.tsx'
import { hintKey, statusWords } from '../../store/status.ts'
import { testIds } from '../../test-ids.ts'

const stages = ['firmware', 'bootloader', 'xen'] as const

/** The stage that a state belongs to. Halted and panicked machines run nothing. */
const stageOf = (power: MachineState) => stages.find((stage) => stage === power)

export function StatusLine() {
  const t = useTranslate()
  const lang = usePlayground((state) => state.lang)
  // A sentence is a string: the selector's result is compared by value.
  const sentence = usePlayground((state) => say(state.lang, statusWords(state)))
  const hint = usePlayground(hintKey)
  const power = usePlayground((state) => state.power)
  const trouble = usePlayground((state) => state.worker === 'dead' || state.worker === 'hung')
  const now = stageOf(power)
  return (
    <footer className="status-line" lang={lang}>
      <ol className="stages desktop-only" aria-label={t('stage.label')}>
        {stages.map((stage) => (
          <li key={stage} className={`stage ${stage}`} aria-current={stage === now ? 'step' : undefined}>
            {t(`stage.${stage}`)}
          </li>
        ))}
      </ol>
      <p
        className={`status ${trouble ? 'dead' : power}`}
        role="status"
        aria-label={t('status.label')}
        data-testid={testIds.status}
        data-state={power}
      >
        {sentence}
      </p>
      {!trouble && (
        <p className="hint" data-testid={testIds.hint}>
          {t(hint)}
        </p>
      )}
    </footer>
  )
}
