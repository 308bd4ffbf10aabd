/** What is typed into the filter: a text, perhaps with where it is looked for in front (`path:`, `value:`, `owner:`). */
import type { StoreNode } from '#protocol/xenstore-tree.ts'
import { textOf } from '../values.ts'

export const scopes = ['all', 'path', 'value', 'owner'] as const
export type Scope = (typeof scopes)[number]

export interface Query {
  readonly scope: Scope
  readonly text: string
}

export function parseQuery(typed: string): Query {
  const [, scope, text] = /^(path|value|owner):\s*(.*)$/s.exec(typed) ?? []
  return scope && text !== undefined ? { scope: scope as Scope, text } : { scope: 'all', text: typed }
}

export const spellQuery = ({ scope, text }: Query): string => (scope === 'all' ? text : `${scope}:${text}`)

/** Says itself: no escapes, nothing beyond ASCII. */
const PLAIN = /^[\n -[\]-~]*$/

export type Matcher = (path: string, node: StoreNode) => boolean

/** Whatever the case; an owner by its number. */
export function matcherOf(typed: string): Matcher {
  const { scope, text } = parseQuery(typed)
  const wanted = text.toLowerCase()
  const inPath: Matcher = (path) => path.toLowerCase().includes(wanted)
  const inValue: Matcher = (_, { value }) =>
    value !== '' && (PLAIN.test(value) ? value : textOf(value)).toLowerCase().includes(wanted)
  if (scope === 'path') return inPath
  if (scope === 'value') return inValue
  if (scope === 'all') return (path, node) => inPath(path, node) || inValue(path, node)
  const domid = /^(?:dom)?(\d+)$/.exec(wanted.trim())?.[1]
  // While the number is being typed everything is there.
  if (domid === undefined) return () => wanted.trim() === '' || wanted.trim() === 'dom'
  return (_, { perms }) => Number(/^[a-z](\d+)/.exec(perms)?.[1]) === Number(domid)
}
