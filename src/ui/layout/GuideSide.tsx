/** The guide's region at the left of a wide screen: a column, or a rail with the button that brings it back. */
import { useEffect } from 'react'
import { CollapseIcon, GuideIcon } from '../icons.tsx'
import { load, save } from '../saved.ts'
import { usePage, usePlayground, useTranslate } from '../session-context.tsx'
import { testIds } from '../test-ids.ts'
import { Slot } from './Panels.tsx'

const savedAs = 'guide'
/** Narrower pages begin with the guide folded away: the consoles need the room. */
const roomForGuidePx = 1200

export function GuideSide() {
  const t = useTranslate()
  const { store } = usePage().session
  const open = usePlayground((state) => state.guideOpen)
  useEffect(() => {
    const saved = load(savedAs)
    store.dispatch({ type: 'guide', open: saved === null ? innerWidth >= roomForGuidePx : saved === 'open' })
  }, [store])

  function toggle(to: boolean): void {
    save(savedAs, to ? 'open' : 'closed')
    store.dispatch({ type: 'guide', open: to })
    // The button that was pressed is gone; its counterpart has taken its place.
    const counterpart = testIds[to ? 'layoutGuideHide' : 'layoutGuideShow']
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-testid="${counterpart}"]`)?.focus())
  }

  if (!open)
    return (
      <aside className="guide-rail" data-region="guide" data-testid={testIds.layoutGuide} aria-label={t('guide.title')}>
        <button
          type="button"
          className="icon-button guide-show"
          title={t('layout.guide.show')}
          aria-label={t('layout.guide.show')}
          aria-expanded={false}
          data-testid={testIds.layoutGuideShow}
          onClick={() => toggle(true)}
        >
          <GuideIcon />
          <span aria-hidden="true">{t('guide.title')}</span>
        </button>
      </aside>
    )
  return (
    <aside className="guide-side" data-region="guide" data-testid={testIds.layoutGuide} aria-label={t('guide.title')}>
      <header className="guide-head">
        <GuideIcon />
        <h2>{t('guide.title')}</h2>
        <button
          type="button"
          className="icon-button small"
          title={t('layout.guide.hide')}
          aria-label={t('layout.guide.hide')}
          aria-expanded={true}
          data-testid={testIds.layoutGuideHide}
          onClick={() => toggle(false)}
        >
          <CollapseIcon />
        </button>
      </header>
      <Slot key="guide" id="guide" />
    </aside>
  )
}
