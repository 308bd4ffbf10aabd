/** What a tab shows, in the dock and before there is one. */
import { say } from '../i18n/index.ts'
import { CloseIcon } from '../icons.tsx'
import { isDomainConsole, type PanelId, panelRow, tabTitle } from '../panels/registry.ts'
import { usePage, usePlayground } from '../session-context.tsx'

export function TabFace({ id }: { id: PanelId }) {
  const lang = usePlayground((state) => state.lang)
  const { store } = usePage().session
  const { icon: Icon, layer } = panelRow(id)
  return (
    <span className={`tab-face${layer ? ` layer-${layer}` : ''}`}>
      <Icon />
      <span className="tab-title">{say(lang, tabTitle(id))}</span>
      {isDomainConsole(id) && (
        // For the pointer alone: a tab may hold nothing that takes the focus. The keyboard has Delete, and the group's menu.
        <span
          className="tab-close"
          aria-hidden="true"
          onPointerDown={(event) => event.stopPropagation()}
          onClick={(event) => {
            event.stopPropagation()
            store.dispatch({ type: 'close-panel', panel: id })
          }}
        >
          <CloseIcon />
        </span>
      )}
    </span>
  )
}
