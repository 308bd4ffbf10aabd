/** The marks within a text of the guide: `code`, and [[id]] or [[id|shown]] for a word of the glossary. */
const MARKS = /`([^`]+)`|\[\[([\w-]+)(?:\|([^\]]+))?\]\]/g

export type Part =
  | { readonly kind: 'plain' | 'code'; readonly text: string }
  | { readonly kind: 'term'; readonly id: string; readonly text: string | undefined }

export function partsOf(text: string): Part[] {
  const parts: Part[] = []
  let at = 0
  for (const match of text.matchAll(MARKS)) {
    if (match.index > at) parts.push({ kind: 'plain', text: text.slice(at, match.index) })
    const [whole, code, id, shown] = match
    if (code !== undefined) parts.push({ kind: 'code', text: code })
    else if (id !== undefined) parts.push({ kind: 'term', id, text: shown })
    at = match.index + whole.length
  }
  if (at < text.length) parts.push({ kind: 'plain', text: text.slice(at) })
  return parts
}
