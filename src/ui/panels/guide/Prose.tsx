/** A text of the guide with its marks: code, and words of the glossary. */
import { Fragment } from 'react'
import { usePlayground } from '../../session-context.tsx'
import { isTermId } from './glossary.ts'
import { type Part, partsOf } from './marks.ts'
import type { Text } from './pages/page.ts'
import { Term } from './Term.tsx'

export function Prose({ text }: { text: Text }) {
  const lang = usePlayground((state) => state.lang)
  return partsOf(text[lang]).map((part, i) => {
    // The parts of a text never change their places.
    // biome-ignore lint/suspicious/noArrayIndexKey: see above
    return <Fragment key={i}>{drawn(part)}</Fragment>
  })
}

function drawn(part: Part) {
  if (part.kind === 'code') return <code>{part.text}</code>
  if (part.kind === 'term') return isTermId(part.id) ? <Term id={part.id}>{part.text}</Term> : part.text
  return part.text
}
