/** A word of the glossary within a text: a press, or the focus and Enter, shows what it means. */
import { type ReactNode, useId, useRef } from 'react'
import { usePlayground, useTranslate } from '../../session-context.tsx'
import { glossary, type TermId } from './glossary.ts'
import './term.css'

/** Between the word and what explains it, and to the edge of the window. */
const gapPx = 6

export function Term({ id, children }: { id: TermId; children?: ReactNode }) {
  const t = useTranslate()
  const lang = usePlayground((state) => state.lang)
  const { layer, [lang]: entry } = glossary[id]
  const popover = useId()
  const word = useRef<HTMLButtonElement>(null)
  const note = useRef<HTMLSpanElement>(null)

  function place(): void {
    if (!word.current || !note.current) return
    const at = word.current.getBoundingClientRect()
    const { offsetWidth, offsetHeight, style } = note.current
    const left = Math.max(gapPx, Math.min(at.left, innerWidth - offsetWidth - gapPx))
    const below = at.bottom + gapPx
    const top = below + offsetHeight > innerHeight ? at.top - offsetHeight - gapPx : below
    style.left = `${left}px`
    style.top = `${Math.max(gapPx, top)}px`
  }

  return (
    <>
      <button
        type="button"
        ref={word}
        className={`term layer-${layer}`}
        title={t('term.more', { term: entry.term })}
        popoverTarget={popover}
      >
        {children ?? entry.term}
      </button>
      <span
        id={popover}
        ref={note}
        popover="auto"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a long note scrolls, by keys too
        tabIndex={0}
        className={`term-note layer-${layer}`}
        onToggle={place}
      >
        <b>{entry.term}</b> {entry.text}
      </span>
    </>
  )
}
