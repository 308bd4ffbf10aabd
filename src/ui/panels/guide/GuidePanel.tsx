/** The guide: its pages, whose commands run at a click in the console beside them. Labs and the companion will live here, too. */
import { useId } from 'react'
import { say } from '../../i18n/index.ts'
import { TickIcon } from '../../icons.tsx'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { panelRow } from '../registry.ts'
import { obstacle, perform } from './acts.ts'
import { CommandBlock } from './CommandBlock.tsx'
import './pages.css'
import { Prose } from './Prose.tsx'
import { pages } from './pages/index.ts'
import { type Block, commandsOf, type Page, type Section } from './pages/page.ts'

export default function GuidePanel() {
  const t = useTranslate()
  const { store } = usePage().session
  const isStripShown = usePlayground((state) => state.stripShown)
  return (
    <section className="panel guide" data-testid={testIds.guidePanel} aria-label={t('guide.title')}>
      {pages.map((page) => (
        <GuidePage key={page.id} page={page} />
      ))}
      <footer className="guide-foot">
        {!isStripShown && (
          <button type="button" className="button small" onClick={() => store.dispatch({ type: 'strip', shown: true })}>
            {t('guide.strip')}
          </button>
        )}
        <button type="button" className="button small" onClick={() => store.dispatch({ type: 'help', open: true })}>
          {t('guide.help')}
        </button>
      </footer>
    </section>
  )
}

function GuidePage({ page }: { page: Page }) {
  const t = useTranslate()
  const { store } = usePage().session
  const lang = usePlayground((state) => state.lang)
  const ids = [...new Set(commandsOf(page).map(({ id }) => id))]
  const done = usePlayground((state) => ids.filter((id) => state.guideDone.includes(id)).length)
  return (
    <article className="guide-page">
      <h3>{page.title[lang]}</h3>
      <p>
        <Prose text={page.intro} />
      </p>
      <div className="guide-progress">
        <progress max={ids.length} value={done} aria-label={t('guide.progress', { done, all: ids.length })} />
        <span>{t('guide.progress', { done, all: ids.length })}</span>
        {done > 0 && (
          <button
            type="button"
            className="guide-forget"
            onClick={() => store.dispatch({ type: 'guide-progress', done: [] })}
          >
            {t('guide.forget')}
          </button>
        )}
      </div>
      {page.sections.map((section, i) => (
        <GuideSection key={section.id} section={section} number={i + 1} />
      ))}
    </article>
  )
}

function GuideSection({ section, number }: { section: Section; number: number }) {
  const t = useTranslate()
  const lang = usePlayground((state) => state.lang)
  const title = useId()
  const all = section.blocks.flatMap((block) => (block.kind === 'command' ? [block.command.id] : []))
  const isDone = usePlayground((state) => all.length > 0 && all.every((id) => state.guideDone.includes(id)))
  return (
    <section className={`guide-section layer-${section.layer}`} aria-labelledby={title} data-name={section.id}>
      <h4 id={title}>
        <span className="guide-number">{number}</span>
        {section.title[lang]}
        {isDone && (
          <span className="guide-tick" role="img" aria-label={t('guide.done')}>
            <TickIcon />
          </span>
        )}
      </h4>
      {section.blocks.map((block, i) => (
        // Blocks never change their places.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <BlockView key={i} block={block} />
      ))}
    </section>
  )
}

function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case 'text':
    case 'seen':
      return (
        <p className={`guide-${block.kind}`}>
          <Prose text={block.text} />
        </p>
      )
    case 'command':
      return <CommandBlock command={block.command} />
    case 'panel':
      return <PanelButton block={block} />
  }
}

function PanelButton({ block: { panel, needs } }: { block: Extract<Block, { kind: 'panel' }> }) {
  const t = useTranslate()
  const { session } = usePage()
  const lang = usePlayground((state) => state.lang)
  const command = {
    id: `panel-${panel.replace(':', '-')}`,
    act: { kind: 'panel', panel },
    ...(needs && { needs }),
  } as const
  const why = usePlayground((state) => {
    const found = obstacle(state, command)
    return found && say(state.lang, found)
  })
  return (
    <button
      type="button"
      className="button small guide-open"
      aria-disabled={why !== undefined}
      title={why}
      onClick={() => why === undefined && perform(session, command)}
    >
      {t('guide.open', { panel: say(lang, panelRow(panel).title) })}
      {why !== undefined && <span className="sr-only">{why}</span>}
    </button>
  )
}
