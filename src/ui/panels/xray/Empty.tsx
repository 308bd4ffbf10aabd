/** Where Xen does not run, or has not told of its memory yet: why, and what comes next. */
import type { MachineState } from '#protocol/machine.ts'
import type { MessageKey } from '../../i18n/index.ts'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { useWords } from './use-words.ts'

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
  const say = useWords()
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
    <div className="xray-empty" data-testid={testIds.xrayEmpty}>
      <p>{say('empty.what')}</p>
      <p className="xray-why">{t(why[power])}</p>
      {button && (
        <button type="button" className="button primary" data-testid={testIds.xrayNext} onClick={button.run}>
          {button.label}
        </button>
      )}
    </div>
  )
}
