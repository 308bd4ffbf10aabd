/** A domain's memory: what it has, what it should have, how far it may go; and the slider that sets its target, as `xm mem-set` does. */
import { useEffect, useRef, useState } from 'react'
import type { DomainAct, DomainView } from '#protocol/domains.ts'
import { usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { memoryRange, mib } from './figures.ts'

/** Somebody who moves the slider by keys has finished when no key has come for so long. */
const KEYS_MS = 700

interface MemoryProps {
  readonly view: DomainView
  readonly name: string
  readonly act: (act: DomainAct) => void
}

export function Memory({ view, name, act }: MemoryProps) {
  const t = useTranslate()
  const history = usePlayground(({ domainHistory }) => domainHistory[view.domid])
  const { leastMib, mostMib, limitMib } = memoryRange(view, history)
  const nowMib = mib(view.memoryKiB)
  const targetMib = view.targetKiB === undefined ? undefined : mib(view.targetKiB)
  /** What somebody is about to ask for. */
  const [draft, setDraft] = useState<number>()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])

  const wished = draft ?? targetMib ?? nowMib
  function commit(value = draft): void {
    clearTimeout(timer.current)
    setDraft(undefined)
    if (value === undefined || Number.isNaN(value)) return
    const asked = Math.min(Math.max(Math.round(value), leastMib), mostMib)
    if (asked !== targetMib) act({ kind: 'mem-set', domain: view.name ?? String(view.domid), mib: asked })
  }
  const share = (value: number): string => `${Math.min(100, (value / mostMib) * 100)}%`

  return (
    <div className="domains-memory">
      <p className="domains-memory-line" data-testid={testIds.domainsMemory}>
        <span className="domains-label">{t('domains.memory')}</span>
        <strong>{t('domains.memory.now', { mib: nowMib })}</strong>
        {targetMib !== undefined && targetMib !== nowMib && (
          <span>{t('domains.memory.target', { mib: targetMib })}</span>
        )}
        <span className="domains-max">
          {limitMib === undefined ? t('domains.memory.nolimit') : t('domains.memory.max', { mib: limitMib })}
        </span>
      </p>
      <div className="domains-balloon">
        <div className="domains-bar">
          <div className="domains-bar-now" style={{ width: share(nowMib) }} />
          {targetMib !== undefined && <div className="domains-bar-target" style={{ left: share(targetMib) }} />}
          <input
            type="range"
            className="domains-slider"
            min={0}
            max={mostMib}
            value={wished}
            aria-label={t('domains.memory.set', { name })}
            aria-valuetext={`${wished} ${t('domains.mib')}`}
            data-testid={testIds.domainsSlider}
            onChange={(event) => setDraft(Math.max(Number(event.target.value), leastMib))}
            onPointerUp={() => commit()}
            onPointerCancel={() => setDraft(undefined)}
            onKeyDown={(event) => {
              if (event.key === 'Escape') {
                clearTimeout(timer.current)
                setDraft(undefined)
              }
            }}
            onKeyUp={(event) => {
              clearTimeout(timer.current)
              if (event.key === 'Enter') commit()
              else timer.current = setTimeout(commit, KEYS_MS, draft)
            }}
            onBlur={() => commit()}
          />
        </div>
        <input
          type="number"
          className="domains-number mono"
          min={leastMib}
          max={mostMib}
          value={Number.isNaN(wished) ? '' : wished}
          aria-label={t('domains.memory.set.number', { name })}
          data-testid={testIds.domainsMemoryInput}
          onChange={(event) => setDraft(event.target.valueAsNumber)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') commit()
            if (event.key === 'Escape') setDraft(undefined)
          }}
          onBlur={() => commit()}
        />
        <span className="domains-unit" aria-hidden="true">
          {t('domains.mib')}
        </span>
      </div>
    </div>
  )
}
