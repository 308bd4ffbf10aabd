/** Where there is no guest yet: what one is, and how to get one. */
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'

const CREATE = 'xm create sebastian'

/** Only dom0 is there. */
export function NoGuest() {
  const t = useTranslate()
  const { session } = usePage()
  // A dom0 that has named itself has come up far enough to have somebody log in.
  const ready = usePlayground(({ domains }) => domains[0]?.name !== undefined)
  return (
    <div className="domains-none" data-testid={testIds.domainsEmpty}>
      <p>{t('domains.none.what')}</p>
      <button
        type="button"
        className="button primary"
        data-testid={testIds.domainsNext}
        disabled={!ready}
        onClick={() => session.typeLine(CREATE)}
      >
        {t('domains.none.type')}
      </button>
      <p className="domains-why">{t('domains.none.hint')}</p>
    </div>
  )
}
