/** One domain: what it is and does, and what can be done to it. */
import { lazy, memo, Suspense, useId, useMemo, useRef, useState } from 'react'
import type { DomainAct, DomainView } from '#protocol/domains.ts'
import { say } from '../../i18n/index.ts'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import type { PlaygroundState } from '../../store/store.ts'
import { testIds } from '../../test-ids.ts'
import { hueOf } from '../xenstore/hue.ts'
import { Buttons } from './Buttons.tsx'
import { durationWords, mib } from './figures.ts'
import { cpuPoints } from './history.ts'
import { Memory } from './Memory.tsx'
import { Outcome } from './Outcome.tsx'
import type { ActOutcome } from './use-acts.ts'

/** Comes with the first domain, not with the page. */
const CpuPlot = lazy(() => import('./CpuPlot.tsx'))

interface CardProps {
  readonly domid: number
  /** One of so many that each shows its name and state alone until somebody opens it. */
  readonly folds: boolean
  readonly visible: boolean
  readonly outcome: ActOutcome | undefined
  readonly act: (domid: number, act: DomainAct) => void
}

export const Card = memo(function Card({ domid, folds, visible, outcome, act }: CardProps) {
  const t = useTranslate()
  const bodyId = useId()
  // One that was there before there were so many stays as it is: nothing moves away under a finger.
  const [isOpen, setOpen] = useState(!folds)
  const view = useWhile(visible, ({ domains }) => domains[domid])
  if (!view) return null
  const name = view.name ?? t('domains.unnamed')
  const names = { domid, name }
  return (
    <li
      className={`domains-card ${hueOf(domid)}${folds && !isOpen ? ' folded' : ''}`}
      data-testid={testIds.domainsCard}
      data-domid={domid}
      data-name={view.name ?? ''}
      data-state={view.state}
    >
      <article aria-label={t('domains.card', names)}>
        <header className="domains-head">
          <h3 className="domains-name">
            {folds ? (
              <button
                type="button"
                className="domains-fold"
                aria-expanded={isOpen}
                aria-controls={bodyId}
                data-testid={testIds.domainsFold}
                onClick={() => setOpen(!isOpen)}
              >
                {name}
              </button>
            ) : (
              name
            )}
          </h3>
          <span className="domains-id mono">{t('domains.id', { domid })}</span>
          {folds && !isOpen && (
            <span className="domains-brief">{t('domains.memory.brief', { mib: mib(view.memoryKiB) })}</span>
          )}
          <State view={view} />
        </header>
        {folds && !isOpen ? null : (
          <div id={bodyId} className="domains-body">
            <Memory view={view} name={name} act={(change) => act(domid, change)} />
            <Facts view={view} name={name} visible={visible} />
            <Buttons
              view={view}
              name={name}
              busy={outcome?.state === 'waiting'}
              act={(kind) => act(domid, { kind, domain: view.name ?? String(domid) })}
            />
          </div>
        )}
        {outcome && <Outcome outcome={outcome} />}
      </article>
    </li>
  )
})

function State({ view: { state, shutdownReason } }: { view: DomainView }) {
  const t = useTranslate()
  return (
    <span
      className="domains-state"
      data-state={state}
      data-testid={testIds.domainsState}
      title={t(`domains.${state}.help`)}
    >
      <span className="domains-lamp" aria-hidden="true" />
      {t(`domains.${state}`)}
      {state === 'shutdown' && shutdownReason !== undefined && (
        <span className="domains-reason">{t('domains.reason', { reason: shutdownReason })}</span>
      )}
    </span>
  )
}

/** Virtual time in steps that somebody would notice. */
const STEP_NS = 250_000_000

/** As `usePlayground`, but nothing changes while nobody looks. */
function useWhile<T>(visible: boolean, selector: (state: PlaygroundState) => T): T {
  const last = useRef<{ readonly value: T }>(undefined)
  const value = usePlayground((state) => (visible || !last.current ? selector(state) : last.current.value))
  last.current = { value }
  return value
}

function Facts({ view, name, visible }: { view: DomainView; name: string; visible: boolean }) {
  const t = useTranslate()
  const { store } = usePage().session
  // Of one that is busy there is news at every frame: nobody reads so fast.
  const nowNs = useWhile(visible, ({ nowNs: heardNs, domains }) => {
    const lastNs = Math.max(heardNs, domains[view.domid]?.atNs ?? 0)
    return Math.floor(lastNs / STEP_NS) * STEP_NS + STEP_NS
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: at each step, with what is known by then
  const points = useMemo(
    () => cpuPoints(store.getState().domainHistory[view.domid], nowNs, view.vcpus),
    [store, view.domid, view.vcpus, nowNs, view.state],
  )
  const percent = Math.round(points.percent.at(-1) ?? 0)
  const up = durationWords(nowNs - view.sinceNs)
  return (
    <div className="domains-facts">
      <dl className="domains-figures">
        <div>
          <dt>{t('domains.cpu')}</dt>
          <dd data-testid={testIds.domainsCpu}>{t('domains.percent', { percent })}</dd>
        </div>
        <div>
          <dt>{t('domains.vcpus')}</dt>
          <dd>{view.vcpus}</dd>
        </div>
        <div title={t('domains.uptime.help')}>
          <dt>{t('domains.uptime')}</dt>
          <dd data-testid={testIds.domainsUptime}>
            <Said words={up} />
          </dd>
        </div>
      </dl>
      <Suspense fallback={<div className="domains-plot" />}>
        <CpuPlot points={points} vcpus={view.vcpus} name={name} percent={percent} visible={visible} />
      </Suspense>
    </div>
  )
}

function Said({ words }: { words: Parameters<typeof say>[1] }) {
  const lang = usePlayground((state) => state.lang)
  return say(lang, words)
}
