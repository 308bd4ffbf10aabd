/** Why a domain's console is silent, and what would help. */
import { useSyncExternalStore } from 'react'
import type { FollowedPlace } from '#protocol/domain-console.ts'
import type { Translate } from '../../i18n/index.ts'
import { usePage, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { DomainLine } from './lines.ts'

/** Names that a shell takes as they are. */
const plainName = /^[\w.:+-]+$/

export function usePlace(line: DomainLine | undefined): FollowedPlace | undefined {
  return useSyncExternalStore(
    (listener) => line?.subscribe(listener) ?? (() => {}),
    () => line?.place,
  )
}

export function DomainNotice({ line, name }: { line: DomainLine; name: string }) {
  const t = useTranslate()
  const { session } = usePage()
  const place = usePlace(line)
  const text = place && why(t, place, name)
  return (
    <div role="status" className={text ? 'console-notice layer-domu' : undefined} data-testid={testIds.consoleNotice}>
      {text && <span>{text}</span>}
      {place?.kind === 'no-domain' && plainName.test(name) && (
        <button
          type="button"
          className="button small"
          data-testid={testIds.consoleCreate}
          onClick={() => session.typeLine(`xm create ${name}`)}
        >
          {t('console.create', { name })}
        </button>
      )}
      {place?.kind === 'closed' && (
        <button type="button" className="button small" onClick={() => line.retry()}>
          {t('console.retry')}
        </button>
      )}
    </div>
  )
}

function why(t: Translate, place: FollowedPlace, name: string): string | undefined {
  switch (place.kind) {
    case 'there':
      return undefined
    case 'no-store':
      return t('console.no-store')
    case 'closed':
      // A reason with a path in it is a refusal; what was attached only hangs up.
      return place.reason.includes('/')
        ? t('console.closed.why', { name, reason: place.reason })
        : t('console.closed', { name })
    default:
      return t(`console.${place.kind}`, { name })
  }
}
