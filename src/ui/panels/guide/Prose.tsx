/** A text of the guide with its marks: code, and words of the glossary. */
import { Fragment } from 'react'
import { usePlayground } from '../../session-context.tsx'
import { isTermId } from './glossary.ts'
import { type Part, partsOf } from './marks.ts'
import type { Text } from './pages/page.ts'
import { Term } from './Term.tsx'

/** What never begins a line. */
const closing = /^[.,;:!?)’”。，；：！？）、]+/

export function Prose({ text }: { text: Text }) {
  const lang = usePlayground((state) => state.lang)
  const parts = partsOf(text[lang])
  return parts.map((part, i) => {
    const next = parts[i + 1]
    const held = part.kind === 'term' && next?.kind === 'plain' ? closing.exec(next.text)?.[0] : undefined
    const isAfterTerm = part.kind === 'plain' && parts[i - 1]?.kind === 'term'
    const shown = isAfterTerm ? { ...part, text: part.text.replace(closing, '') } : part
    return (
      // The parts of a text never change their places.
      // biome-ignore lint/suspicious/noArrayIndexKey: see above
      <Fragment key={i}>
        {held === undefined ? (
          drawn(shown)
        ) : (
          <span className="term-hold">
            {drawn(shown)}
            {held}
          </span>
        )}
      </Fragment>
    )
  })
}

function drawn(part: Part) {
  if (part.kind === 'code') return <code>{part.text}</code>
  if (part.kind === 'term') return isTermId(part.id) ? <Term id={part.id}>{part.text}</Term> : part.text
  return part.text
}
