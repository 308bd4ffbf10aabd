/** What a pointer does to a tab by dragging, for the keyboard: move the tab in front, size its group, close it. */
import type { DockviewApi, DockviewGroupPanel } from 'dockview-react'
import { say } from '../i18n/index.ts'
import { MoreIcon } from '../icons.tsx'
import { isDomainConsole, isPanelId, panelRow } from '../panels/registry.ts'
import { usePage, usePlayground, useTranslate } from '../session-context.tsx'
import { testIds } from '../test-ids.ts'
import { announce } from './announce.ts'
import { Menu, type MenuItem } from './Menu.tsx'

/** Pixels by which a group grows or shrinks at a time. */
const sizeStep = 80

export function GroupMenu({ group, api }: { group: DockviewGroupPanel; api: DockviewApi }) {
  const t = useTranslate()
  const { store } = usePage().session
  const lang = usePlayground((state) => state.lang)
  // The menu's name follows the tab in front, which is known to the store as the last one asked for, or to the group.
  usePlayground((state) => state.panel)
  const front = group.activePanel
  const name = front && isPanelId(front.id) ? say(lang, panelRow(front.id).title) : ''

  function items(): MenuItem[][] {
    const panel = group.activePanel
    if (!panel || !isPanelId(panel.id)) return []
    const { id } = panel
    const title = say(lang, panelRow(id).title)
    const others = api.groups.filter((other) => other !== group && other.activePanel)
    const move = (key: string, label: string, run: () => void): MenuItem => ({
      id: key,
      label,
      run() {
        run()
        announce(t('layout.moved', { panel: title }))
        focusTab(id)
      },
    })
    const split = (position: 'left' | 'right' | 'top' | 'bottom') => () => panel.api.moveTo({ group, position })
    const size = (key: string, label: string, by: { width?: number; height?: number }): MenuItem => ({
      id: key,
      label,
      run: () =>
        group.api.setSize({
          ...(by.width === undefined ? {} : { width: group.api.width + by.width }),
          ...(by.height === undefined ? {} : { height: group.api.height + by.height }),
        }),
    })
    const alone = group.panels.length < 2
    return [
      others.map((other) => {
        const beside = other.activePanel?.id ?? ''
        const panelName = isPanelId(beside) ? say(lang, panelRow(beside).title) : beside
        return move(`to-${beside}`, t('layout.move.to', { panel: panelName }), () =>
          panel.api.moveTo({ group: other, position: 'center' }),
        )
      }),
      alone
        ? []
        : [
            move('right', t('layout.move.right'), split('right')),
            move('left', t('layout.move.left'), split('left')),
            move('above', t('layout.move.above'), split('top')),
            move('below', t('layout.move.below'), split('bottom')),
          ],
      [
        size('wider', t('layout.size.wider'), { width: sizeStep }),
        size('narrower', t('layout.size.narrower'), { width: -sizeStep }),
        size('taller', t('layout.size.taller'), { height: sizeStep }),
        size('shorter', t('layout.size.shorter'), { height: -sizeStep }),
      ],
      isDomainConsole(id)
        ? [
            {
              id: 'close',
              label: t('layout.close', { panel: title }),
              run: () => store.dispatch({ type: 'close-panel', panel: id }),
            },
          ]
        : [],
    ]
  }

  return (
    <Menu
      label={t('layout.group.menu', { panel: name })}
      icon={MoreIcon}
      testId={testIds.layoutGroupMenu}
      className="small"
      items={items}
    />
  )
}

function focusTab(id: string): void {
  document.querySelector<HTMLElement>(`.dv-tab[data-panel="${CSS.escape(id)}"]`)?.focus()
}
