/** Before there is a store: what it is, why there is none, and what comes next. */
import type { MachineState } from '#protocol/machine.ts'
import type { MessageKey } from '../../i18n/index.ts'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'

const why = {
  off: 'xenstore.empty.off',
  firmware: 'xenstore.empty.boot',
  bootloader: 'xenstore.empty.boot',
  xen: 'xenstore.empty.xen',
  halted: 'xenstore.empty.gone',
  panicked: 'xenstore.empty.gone',
} as const satisfies Record<MachineState, MessageKey>

export function Empty() {
  const t = useTranslate()
  const { session } = usePage()
  const power = usePlayground((state) => state.power)
  const next =
    power === 'off'
      ? { label: t('xenstore.empty.power'), run: () => void session.power() }
      : power === 'firmware' || power === 'bootloader'
        ? { label: t('xenstore.empty.com1'), run: () => session.store.dispatch({ type: 'panel', panel: 'com1' }) }
        : undefined
  return (
    <div className="xenstore-empty" data-testid={testIds.xenstoreEmpty}>
      <p>{t('xenstore.empty.what')}</p>
      <p className="xenstore-why">{t(why[power])}</p>
      {next && (
        <button type="button" className="button primary" data-testid={testIds.xenstoreNext} onClick={next.run}>
          {next.label}
        </button>
      )}
    </div>
  )
}
