/** Where there is no domain, or no guest yet: why, what one is, and what comes next. */
import type { MachineState } from '#protocol/machine.ts'
import type { MessageKey } from '../../i18n/index.ts'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'

const why = {
  off: 'domains.empty.off',
  firmware: 'domains.empty.boot',
  bootloader: 'domains.empty.boot',
  xen: 'domains.empty.xen',
  halted: 'domains.empty.gone',
  panicked: 'domains.empty.gone',
} as const satisfies Record<MachineState, MessageKey>

export function Empty() {
  const t = useTranslate()
  const { session } = usePage()
  const power = usePlayground((state) => state.power)
  const next = {
    off: { label: t('domains.empty.power'), run: () => void session.power() },
    boot: { label: t('domains.empty.com1'), run: () => session.store.dispatch({ type: 'panel', panel: 'com1' }) },
    gone: {
      label: t('domains.empty.reset'),
      run: () => session.input({ kind: 'button', button: 'reset' }),
    },
    xen: undefined,
  } as const
  const button = next[why[power].slice('domains.empty.'.length) as keyof typeof next]
  return (
    <div className="domains-empty" data-testid={testIds.domainsEmpty}>
      <p>{t('domains.empty.what')}</p>
      <p className="domains-why">{t(why[power])}</p>
      {button && (
        <button type="button" className="button primary" data-testid={testIds.domainsNext} onClick={button.run}>
          {button.label}
        </button>
      )}
    </div>
  )
}

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
