/** One line: what has changed last, and who did it. A click shows it in the tree. */
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { ExplorerProps } from './explorer-of.ts'
import { hueOf } from './hue.ts'
import { lineOf } from './values.ts'

export function LastChange({ explorer }: ExplorerProps) {
  const t = useTranslate()
  const { last } = explorer
  if (!last) return null
  const { number, kind, path, domid } = last
  const domain = t('xenstore.domain', { domid })
  return (
    <button
      type="button"
      className="xenstore-last"
      data-testid={testIds.xenstoreLast}
      title={t('xenstore.last', { number })}
      onClick={() => explorer.reveal(path, true)}
    >
      <span className="xenstore-number">{number}</span>
      <span className={`xenstore-who ${hueOf(domid)}`}>
        {kind === 'set' ? t('xenstore.last.set', { domain }) : t('xenstore.last.rm', { domain })}
      </span>
      <span className="mono xenstore-last-path">
        {path}
        {kind === 'set' && ` = ${lineOf(last.value)}`}
      </span>
    </button>
  )
}
