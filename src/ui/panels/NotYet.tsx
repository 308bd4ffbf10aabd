/** Where a panel has nothing to show because Xen does not run, or has not come so far: what it would show, why it does not, what comes next. */
import type { MachineState } from '#protocol/machine.ts'
import type { MessageKey } from '../i18n/index.ts'
import { usePage, usePlayground, useTranslate } from '../session-context.tsx'
import './not-yet.css'

const why = {
  off: 'domains.empty.off',
  firmware: 'domains.empty.boot',
  bootloader: 'domains.empty.boot',
  xen: 'domains.empty.xen',
  halted: 'domains.empty.gone',
  panicked: 'domains.empty.gone',
} as const satisfies Record<MachineState, MessageKey>

export interface NotYetProps {
  readonly what: string
  readonly testId: string
  /** Of the button to what comes next. */
  readonly nextId: string
}

export function NotYet({ what, testId, nextId }: NotYetProps) {
  const t = useTranslate()
  const { session } = usePage()
  const power = usePlayground((state) => state.power)
  const next = {
    off: { label: t('domains.empty.power'), run: () => void session.power() },
    boot: { label: t('domains.empty.com1'), run: () => session.store.dispatch({ type: 'panel', panel: 'com1' }) },
    gone: { label: t('domains.empty.reset'), run: () => session.input({ kind: 'button', button: 'reset' }) },
    xen: undefined,
  } as const
  const button = next[why[power].slice('domains.empty.'.length) as keyof typeof next]
  return (
    <div className="not-yet" data-testid={testId}>
      <p>{what}</p>
      <p className="not-yet-why">{t(why[power])}</p>
      {button && (
        <button type="button" className="button primary" data-testid={nextId} onClick={button.run}>
          {button.label}
        </button>
      )}
    </div>
  )
}
