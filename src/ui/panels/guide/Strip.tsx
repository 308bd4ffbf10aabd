/** The first thirty seconds: three steps with buttons that type into the console, for somebody who has never met Xen. */
import { useLayoutEffect, useState } from 'react'
import { say } from '../../i18n/index.ts'
import { CloseIcon, TickIcon } from '../../icons.tsx'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { actText, obstacle, perform } from './acts.ts'
import './strip.css'
import { remember } from './remember.ts'
import { commands, isDone, nextCommand, type Step, type StepCommand, stageKey, stepNow, steps } from './steps.ts'

export function Strip() {
  const { store } = usePage().session
  const isShown = usePlayground((state) => state.stripShown)
  useLayoutEffect(() => remember(store), [store])
  return isShown ? <Steps /> : null
}

function Steps() {
  const t = useTranslate()
  const { store } = usePage().session
  const now = usePlayground(stepNow)
  const stage = usePlayground(stageKey)
  /** On a phone one step shows: the one that is due, until somebody turns to another. */
  const [turned, setTurned] = useState<{ readonly to: number; readonly at: number }>()
  const shown = turned?.at === now ? turned.to : now
  return (
    <section className="strip" aria-labelledby="strip-title" data-testid={testIds.strip} data-region="strip">
      <h2 id="strip-title" className="sr-only">
        {t('strip.title')}
      </h2>
      <div className="strip-turn">
        {steps.map((step, i) => (
          <button
            type="button"
            key={step.id}
            className="strip-page"
            aria-pressed={i === shown}
            aria-label={t('strip.turn', { number: i + 1, title: t(`strip.${step.id}.title`) })}
            onClick={() => setTurned({ to: i, at: now })}
          >
            {i + 1}
          </button>
        ))}
        <span className="strip-stage">{t(stage)}</span>
      </div>
      <ol className="strip-steps">
        {steps.map((step, i) => (
          <StepCell key={step.id} step={step} number={i + 1} isNow={i === now} isShown={i === shown} />
        ))}
      </ol>
      <button
        type="button"
        className="icon-button strip-close"
        aria-label={t('strip.dismiss')}
        title={t('strip.dismiss')}
        data-testid={testIds.stripDismiss}
        onClick={() => store.dispatch({ type: 'strip', shown: false })}
      >
        <CloseIcon />
      </button>
    </section>
  )
}

function StepCell(props: { step: Step; number: number; isNow: boolean; isShown: boolean }) {
  const { step, number, isNow, isShown } = props
  const t = useTranslate()
  const isDoneNow = usePlayground((state) => step.done(state))
  const stage = usePlayground(stageKey)
  // A string, so that the selector's result is compared by value.
  const buttons = usePlayground((state) => step.commands(state).join(' ')).split(' ') as StepCommand[]
  return (
    <li
      className={`strip-step layer-${step.layer}${isShown ? ' shown' : ''}`}
      aria-current={isNow ? 'step' : undefined}
      data-testid={testIds.stripStep}
      data-name={step.id}
      data-done={isDoneNow}
    >
      <h3>
        <span className="strip-number" role="img" aria-label={isDoneNow ? t('strip.done') : String(number)}>
          {isDoneNow ? <TickIcon /> : number}
        </span>
        {t(`strip.${step.id}.title`)}
      </h3>
      <p>{t(`strip.${step.id}.text`)}</p>
      <div className="strip-buttons">
        {buttons.map((id) => (
          <StepButton key={id} id={id} />
        ))}
        {isNow && <span className="strip-stage">{t(stage)}</span>}
      </div>
    </li>
  )
}

function StepButton({ id }: { id: StepCommand }) {
  const t = useTranslate()
  const { session } = usePage()
  const command = commands[id]
  const isNext = usePlayground((state) => nextCommand(state) === id)
  const isPressed = usePlayground((state) => isDone(state, id))
  const why = usePlayground((state) => {
    const found = obstacle(state, command)
    return found && say(state.lang, found)
  })
  const typed = actText(command.act)
  return (
    <button
      type="button"
      className={`button small strip-button${isNext ? ' primary' : ''}`}
      // Not `disabled`: who comes by keyboard shall hear why.
      aria-disabled={why !== undefined}
      title={why ?? (typed === '' ? undefined : t('strip.types', { text: typed }))}
      data-testid={testIds.stripButton}
      data-name={id}
      data-done={isPressed}
      onClick={() => why === undefined && perform(session, command)}
    >
      {t(`strip.button.${id}`)}
      {typed !== '' && <kbd>{typed}</kbd>}
      {why !== undefined && <span className="sr-only">{why}</span>}
    </button>
  )
}
