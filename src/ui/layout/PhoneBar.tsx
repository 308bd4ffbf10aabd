/** The bar at the bottom of a narrow page: every panel, and a strip above it with the consoles of domains, if any is open. */
import { say, type Words } from '../i18n/index.ts'
import { CloseIcon } from '../icons.tsx'
import { isDomainConsole, type PanelId, panelRow, tabTitle } from '../panels/registry.ts'
import { usePage, usePlayground, useTranslate } from '../session-context.tsx'
import { testIds } from '../test-ids.ts'

/** Where a title is too long for a ninth of a phone. */
const shortTitles: Partial<Record<PanelId, Words>> = { 'boot-menu': { key: 'layout.short.boot-menu' } }

export function PhoneBar({ ids }: { ids: readonly PanelId[] }) {
  const t = useTranslate()
  const { store } = usePage().session
  const lang = usePlayground((state) => state.lang)
  const domains = ids.filter(isDomainConsole)
  const others = ids.filter((id) => !isDomainConsole(id))
  return (
    <div className="phone-bar" data-region="tabs">
      {domains.length > 0 && (
        <nav className="phone-domains" aria-label={t('layout.domain.consoles')}>
          {domains.map((id) => (
            <span key={id} className="phone-domain">
              <PhoneTab id={id} />
              <button
                type="button"
                className="icon-button small"
                aria-label={t('layout.close', { panel: say(lang, panelRow(id).title) })}
                onClick={() => store.dispatch({ type: 'close-panel', panel: id })}
              >
                <CloseIcon />
              </button>
            </span>
          ))}
        </nav>
      )}
      <nav className="tab-bar" aria-label={t('tabs.label')} data-testid={testIds.tabs}>
        {others.map((id) => (
          <PhoneTab key={id} id={id} />
        ))}
      </nav>
    </div>
  )
}

function PhoneTab({ id }: { id: PanelId }) {
  const { store } = usePage().session
  const lang = usePlayground((state) => state.lang)
  const chosen = usePlayground((state) => state.panel === id)
  const { icon: Icon, title, layer } = panelRow(id)
  return (
    <button
      type="button"
      className={`phone-tab${layer ? ` layer-${layer}` : ''}`}
      aria-current={chosen ? 'page' : undefined}
      aria-label={say(lang, title)}
      data-panel={id}
      onClick={() => store.dispatch({ type: 'panel', panel: id })}
    >
      <Icon />
      <span>{say(lang, shortTitles[id] ?? tabTitle(id))}</span>
    </button>
  )
}
