/** What this page is, its keys, the glossary, where to read on, and whose work it stands on. */
import { type ReactNode, useEffect, useRef } from 'react'
import { BUILD } from '#protocol/build.ts'
import type { MessageKey } from '../../i18n/index.ts'
import { CloseIcon } from '../../icons.tsx'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { glossary } from './glossary.ts'
import './help.css'
import { libraries } from './libraries.ts'

export function HelpDialog() {
  const { store } = usePage().session
  const isOpen = usePlayground((state) => state.helpOpen)
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (isOpen && !dialog.current?.open) dialog.current?.showModal()
    if (!isOpen) dialog.current?.close()
  }, [isOpen])
  const close = () => store.dispatch({ type: 'help', open: false })
  return (
    // Escape is the browser's way to close a dialog; a press beside it is one for the mouse alone.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <dialog
      ref={dialog}
      className="help"
      aria-labelledby="help-title"
      data-testid={testIds.helpDialog}
      onClose={close}
      onClick={({ target, currentTarget }) => target === currentTarget && close()}
    >
      {isOpen && <Help close={close} />}
    </dialog>
  )
}

const KEYS: readonly (readonly [keys: readonly string[], words: Extract<MessageKey, `help.keys.${string}`>])[] = [
  [['F6'], 'help.keys.f6'],
  [['Ctrl', 'Shift', 'C'], 'help.keys.copy'],
  [['Ctrl', 'Shift', 'V'], 'help.keys.paste'],
  [['Ctrl', 'Shift', 'F'], 'help.keys.find'],
  [['Ctrl-A', 'Ctrl-A', 'Ctrl-A'], 'help.keys.escape'],
  [['Ctrl', ']'], 'help.keys.leave'],
]

const DOCS = [
  ['docs/ARCHITECTURE.md', 'help.docs.architecture'],
  ['docs/api.md', 'help.docs.api'],
  ['docs/embedding.md', 'help.docs.embedding'],
  ['docs/ux-states.md', 'help.docs.states'],
  ['docs/security.md', 'help.docs.security'],
] as const satisfies readonly (readonly [string, MessageKey])[]

function Help({ close }: { close: () => void }) {
  const t = useTranslate()
  const { store } = usePage().session
  const lang = usePlayground((state) => state.lang)
  return (
    <div className="help-body">
      <header>
        <h2 id="help-title">{t('help.title')}</h2>
        <button
          type="button"
          className="icon-button small"
          aria-label={t('help.close')}
          title={t('help.close')}
          data-testid={testIds.helpClose}
          onClick={close}
        >
          <CloseIcon />
        </button>
      </header>
      {/* It scrolls: who has no mouse must be able to get in. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <section className="help-scroll" tabIndex={0} aria-labelledby="help-title">
        <Part words="help.what">
          <p>{t('help.what.text')}</p>
          <p>{t('help.safe')}</p>
          <p className="help-buttons">
            <button
              type="button"
              className="button small"
              onClick={() => {
                store.dispatch({ type: 'strip', shown: true })
                close()
              }}
            >
              {t('help.strip')}
            </button>
            <button
              type="button"
              className="button small"
              onClick={() => {
                store.dispatch({ type: 'guide', open: true })
                store.dispatch({ type: 'panel', panel: 'guide' })
                close()
              }}
            >
              {t('help.guide')}
            </button>
          </p>
        </Part>
        <Part words="help.keys">
          <dl className="help-keys">
            {KEYS.map(([keys, words]) => (
              <div key={words}>
                <dt>
                  {keys.map((key, i) => (
                    // A chord's keys stay in their order.
                    // biome-ignore lint/suspicious/noArrayIndexKey: see above
                    <kbd key={i}>{key}</kbd>
                  ))}
                </dt>
                <dd>{t(words)}</dd>
              </div>
            ))}
            <div>
              <dt>{t('help.keys.send.key')}</dt>
              <dd>{t('help.keys.send')}</dd>
            </div>
          </dl>
        </Part>
        <Part words="help.glossary">
          <dl className="help-glossary">
            {Object.entries(glossary).map(([id, { layer, [lang]: entry }]) => (
              <div key={id} className={`layer-${layer}`}>
                <dt>{entry.term}</dt>
                <dd>{entry.text}</dd>
              </div>
            ))}
          </dl>
        </Part>
        <Part words="help.docs">
          <p>{t('help.docs.text')}</p>
          <dl className="help-docs">
            {DOCS.map(([path, words]) => (
              <div key={path}>
                <dt>
                  <code>{path}</code>
                </dt>
                <dd>{t(words)}</dd>
              </div>
            ))}
          </dl>
        </Part>
        <Part words="help.version">
          <p>{t('help.version.text', { build: BUILD })}</p>
        </Part>
        <Part words="help.licences">
          <p>{t('help.licences.text')}</p>
          <ul className="help-libraries">
            {libraries.map(({ name, licence }) => (
              <li key={name}>
                {name} <span>{licence}</span>
              </li>
            ))}
          </ul>
        </Part>
      </section>
    </div>
  )
}

type PartTitle = 'help.what' | 'help.keys' | 'help.glossary' | 'help.docs' | 'help.version' | 'help.licences'

function Part({ words, children }: { words: PartTitle; children: ReactNode }) {
  const t = useTranslate()
  return (
    <section>
      <h3>{t(words)}</h3>
      {children}
    </section>
  )
}
