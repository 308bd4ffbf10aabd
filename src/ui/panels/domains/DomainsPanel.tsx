/** Every domain's card, from Xen's probes and XenStore's trace; what is done to one is done by xend, through a host link. */
import { useShallow } from 'zustand/react/shallow'
import { usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { NotYet } from '../NotYet.tsx'
import type { PanelProps } from '../registry.ts'
import { Card } from './Card.tsx'
import { mib } from './figures.ts'
import { NoGuest } from './NoGuest.tsx'
import { Outcome } from './Outcome.tsx'
import { useActs } from './use-acts.ts'
import './domains.css'

/** More cards than this are folded: a screen holds two or three, and a list of names about twenty. */
const UNFOLDED_MAX = 5

export default function DomainsPanel({ visible }: PanelProps) {
  const t = useTranslate()
  const domids = usePlayground(useShallow(({ domains }) => Object.keys(domains).map(Number)))
  const acts = useActs()
  // Whose card has gone has its last word here.
  const orphans = [...acts.outcomes].filter(([domid]) => !domids.includes(domid))
  return (
    <section
      className="panel layer-domu domains"
      data-testid={testIds.domainsPanel}
      data-region
      aria-label={t('domains.title')}
    >
      {domids.length === 0 ? (
        <NotYet what={t('domains.empty.what')} testId={testIds.domainsEmpty} nextId={testIds.domainsNext} />
      ) : (
        <div className="domains-scroll">
          <Total />
          {orphans.map(([domid, outcome]) => (
            <div className="domains-orphan" key={domid}>
              <Outcome outcome={outcome} onDismiss={() => acts.dismiss(domid)} />
            </div>
          ))}
          <ul className="domains-list" aria-label={t('domains.list')}>
            {domids.map((domid) => (
              <Card
                key={domid}
                domid={domid}
                folds={domids.length > UNFOLDED_MAX}
                visible={visible}
                outcome={acts.outcomes.get(domid)}
                act={acts.act}
              />
            ))}
          </ul>
          {domids.length === 1 && domids[0] === 0 && <NoGuest />}
        </div>
      )}
    </section>
  )
}

function Total() {
  const t = useTranslate()
  const total = usePlayground(
    useShallow(({ domains }) => {
      const all = Object.values(domains)
      return { count: all.length, kib: all.reduce((sum, { memoryKiB }) => sum + memoryKiB, 0) }
    }),
  )
  return (
    <p className="domains-total" data-testid={testIds.domainsTotal}>
      {t('domains.total', { count: total.count, mib: mib(total.kib) })}
    </p>
  )
}
