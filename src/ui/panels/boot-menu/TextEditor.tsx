/** menu.lst as text, in CodeMirror: its own colours, and what is wrong with it at the lines that are. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { type Diagnostic, linter, lintGutter, lintKeymap } from '@codemirror/lint'
import { Compartment, EditorState, type Extension, StateEffect } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import { type Lang, say, type Translate } from '../../i18n/index.ts'
import { usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { readDocument } from './document.ts'
import { menuColours } from './highlight.ts'
import { indentation } from './indentation.ts'
import { type FileState, lint } from './lint.ts'

interface TextEditorProps {
  readonly text: string
  readonly files: ReadonlyMap<string, FileState>
  readonly edit: (text: string) => void
}

/** What is wrong depends on the disk's files and the language, too, and these have changed. */
const lookAgain = StateEffect.define<null>()

export default function TextEditor({ text, files, edit }: TextEditorProps) {
  const t = useTranslate()
  const lang = usePlayground((state) => state.lang)
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  const latest = useRef({ files, edit, lang })
  latest.current = { files, edit, lang }
  const labels = useRef(new Compartment())

  // biome-ignore lint/correctness/useExhaustiveDependencies: made once; what changes is handed on below
  useEffect(() => {
    const made = new EditorView({
      ...(host.current ? { parent: host.current } : {}),
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          highlightActiveLine(),
          EditorView.lineWrapping,
          indentation,
          menuColours,
          linter(({ state }) => diagnostics(state.doc.toString(), latest.current.files, latest.current.lang), {
            delay: 150,
            needsRefresh: ({ transactions }) =>
              transactions.some(({ effects }) => effects.some((e) => e.is(lookAgain))),
          }),
          lintGutter(),
          keymap.of([indentWithTab, ...lintKeymap, ...historyKeymap, ...defaultKeymap]),
          labels.current.of(labelled(t)),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.edit(update.state.sliceDoc())
          }),
        ],
      }),
    })
    view.current = made
    return () => made.destroy()
  }, [])

  useEffect(() => {
    view.current?.dispatch({ effects: labels.current.reconfigure(labelled(t)) })
  }, [t])

  // Changed from outside: undone, or read anew from the disk.
  useEffect(() => {
    const { current } = view
    if (!current || current.state.sliceDoc() === text) return
    current.dispatch({ changes: { from: 0, to: current.state.doc.length, insert: text } })
  }, [text])

  // biome-ignore lint/correctness/useExhaustiveDependencies: what is wrong depends on both
  useEffect(() => {
    view.current?.dispatch({ effects: lookAgain.of(null) })
  }, [files, lang])

  return <div className="boot-menu-editor" ref={host} data-testid={testIds.bootMenuText} />
}

const labelled = (t: Translate): Extension =>
  EditorView.contentAttributes.of({ 'aria-label': t('boot-menu.text.label') })

function diagnostics(text: string, files: ReadonlyMap<string, FileState>, lang: Lang): Diagnostic[] {
  return lint(readDocument(text), files).map(({ from, to, severity, words }) => ({
    from,
    to,
    severity,
    message: say(lang, words),
  }))
}
