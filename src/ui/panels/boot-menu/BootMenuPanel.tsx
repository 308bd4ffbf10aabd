/** The boot menu: the disk's /boot/grub/menu.lst, as a form and as text. */
import { lazy, Suspense, useEffect, useMemo } from 'react'
import { useStore } from 'zustand'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { PanelProps } from '../registry.ts'
import { readDocument } from './document.ts'
import { EntryList } from './EntryList.tsx'
import { HeadForm } from './HeadForm.tsx'
import { lint } from './lint.ts'
import { MENU_PATH, type MenuFile, type MenuFileState, menuFileOf } from './menu-file.ts'
import { Problems } from './Problems.tsx'
import { SaveBar } from './SaveBar.tsx'
import './boot-menu.css'

const TextEditor = lazy(() => import('./TextEditor.tsx'))

export default function BootMenuPanel({ visible }: PanelProps) {
  const t = useTranslate()
  const { session } = usePage()
  const file = menuFileOf(session)
  const state = useStore(file.store)
  useDiskNews(file, visible)
  return (
    <section
      className="panel layer-machine boot-menu"
      data-testid={testIds.bootMenuPanel}
      data-region
      aria-labelledby="boot-menu-title"
    >
      <header className="panel-head">
        <h2 id="boot-menu-title">{t('boot-menu.title')}</h2>
        {state.phase === 'ready' && <Views file={file} view={state.view} />}
      </header>
      {state.phase === 'ready' ? <Menu file={file} state={state} /> : <NoMenu file={file} state={state} />}
    </section>
  )
}

/** The disk is read when somebody looks, when the power changes, and when the machine has written to it. */
function useDiskNews(file: MenuFile, visible: boolean): void {
  const { session } = usePage()
  const power = usePlayground((page) => page.power)
  const worker = usePlayground((page) => page.worker)
  // biome-ignore lint/correctness/useExhaustiveDependencies: power and worker are the news
  useEffect(() => {
    if (visible && worker !== 'starting') void file.read()
  }, [file, visible, power, worker])
  useEffect(() => {
    if (!visible) return
    return session.onMessage((message) => {
      if (message.type === 'disk-batch') file.mayHaveChanged()
    })
  }, [file, session, visible])
}

function Views({ file, view }: { file: MenuFile; view: MenuFileState['view'] }) {
  const t = useTranslate()
  return (
    <fieldset className="boot-menu-views" aria-label={t('boot-menu.view')}>
      <button
        type="button"
        className="segment"
        aria-pressed={view === 'form'}
        data-testid={testIds.bootMenuViewForm}
        onClick={() => file.view('form')}
      >
        {t('boot-menu.view.form')}
      </button>
      <button
        type="button"
        className="segment"
        aria-pressed={view === 'text'}
        data-testid={testIds.bootMenuViewText}
        onClick={() => file.view('text')}
      >
        {t('boot-menu.view.text')}
      </button>
      <button
        type="button"
        className="button small"
        title={t('boot-menu.reload.help')}
        data-testid={testIds.bootMenuReload}
        onClick={() => void file.read()}
      >
        {t('boot-menu.reload')}
      </button>
    </fieldset>
  )
}

function Menu({ file, state }: { file: MenuFile; state: MenuFileState }) {
  const t = useTranslate()
  const isOn = usePlayground((page) => page.power !== 'off')
  const document = useMemo(() => readDocument(state.draft), [state.draft])
  const problems = useMemo(() => lint(document, state.files), [document, state.files])
  return (
    <>
      <div className="boot-menu-body">
        <p className="boot-menu-intro">
          {t('boot-menu.what', { path: MENU_PATH })}
          {isOn && ` ${t('boot-menu.running')}`}
        </p>
        <Problems text={state.draft} problems={problems} />
        {state.view === 'form' ? (
          <div data-testid={testIds.bootMenuForm}>
            <HeadForm document={document} edit={file.edit} />
            <EntryList document={document} edit={file.edit} />
          </div>
        ) : (
          <Suspense>
            <TextEditor text={state.draft} files={state.files} edit={file.edit} />
            <p className="boot-menu-help">{t('boot-menu.text.leave')}</p>
          </Suspense>
        )}
      </div>
      <SaveBar file={file} state={state} />
    </>
  )
}

function NoMenu({ file, state }: { file: MenuFile; state: MenuFileState }) {
  const t = useTranslate()
  const { session } = usePage()
  if (state.phase === 'unread') return <p className="boot-menu-empty">{t('boot-menu.reading')}</p>
  const gone = state.phase === 'gone'
  return (
    <div className="boot-menu-empty">
      <p>{t(gone ? 'boot-menu.gone' : 'boot-menu.failed')}</p>
      {!gone && (
        <p>
          {t('boot-menu.failed.safe')} <code>{state.why}</code>
        </p>
      )}
      <button type="button" className="button small" onClick={() => void (gone ? session.power() : file.read())}>
        {t(gone ? 'boot-menu.gone.action' : 'boot-menu.reload')}
      </button>
    </div>
  )
}
