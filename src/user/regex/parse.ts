/** POSIX basic and extended regular expressions with GNU's additions (regex(7), glibc's regcomp.c). */
import { bracketExpression } from './bracket.ts'
import { type Assertion, isWordByte, type Node, RE_DUP_MAX, RegexError, type RegexSyntax, setOf } from './syntax.ts'

const EMPTY: Node = { kind: 'empty' }
/** Nested groups; deeper ones would only exhaust our own stack. */
const DEPTH_MAX = 200

const GNU_ASSERTIONS: ReadonlyMap<string, Assertion> = new Map([
  ['<', 'word-begin'],
  ['>', 'word-end'],
  ['b', 'word-edge'],
  ['B', 'no-word-edge'],
  ['`', 'text-begin'],
  ["'", 'text-end'],
] as [string, Assertion][])

const isSpace = (code: number): boolean => code === 0x20 || (code >= 9 && code <= 13)
const GNU_SETS: ReadonlyMap<string, (code: number) => boolean> = new Map([
  ['w', isWordByte],
  ['W', (code: number) => !isWordByte(code)],
  ['s', isSpace],
  ['S', (code: number) => !isSpace(code)],
])

export interface Parsed {
  readonly node: Node
  /** How many groups there are now. */
  readonly groups: number
  readonly backrefs: boolean
}

/** `firstGroup`: how many groups other patterns of the same alternation have. */
export function parseRegex(pattern: string, syntax: RegexSyntax, firstGroup: number): Parsed {
  const extended = syntax.extended === true
  let at = 0
  let groups = firstGroup
  let backrefs = false
  let depth = 0
  /** Groups that are closed already: what a back-reference may name. */
  const closed = new Set<number>()

  const literal = (code: number): Node => ({ kind: 'set', set: literalSet(code, syntax.ignoreCase === true) })
  const lookingAt = (text: string): boolean => pattern.startsWith(text, at)
  const bar = extended ? '|' : '\\|'
  const opening = extended ? '(' : '\\('
  const closing = extended ? ')' : '\\)'

  function alternation(): Node {
    const nodes: Node[] = [sequence()]
    while (lookingAt(bar)) {
      at += bar.length
      nodes.push(sequence())
    }
    return nodes.length === 1 ? nodes[0]! : { kind: 'alt', nodes }
  }

  function sequence(): Node {
    const nodes: Node[] = []
    let atStart = true
    while (at < pattern.length && !lookingAt(bar) && !(lookingAt(closing) && (depth > 0 || !extended))) {
      const anchor = !extended && pattern[at] === '^' && atStart
      let node = atom(atStart)
      // After BRE's leading ^, a * is a character still.
      if (!anchor) {
        for (let more = repeated(node); more; more = repeated(node)) node = more
        atStart = false
      }
      nodes.push(node)
    }
    return nodes.length === 0 ? EMPTY : nodes.length === 1 ? nodes[0]! : { kind: 'cat', nodes }
  }

  function atom(atStart: boolean): Node {
    const char = pattern[at]!
    if (char === '\\') return escaped()
    if (char === '[') {
      const [set, end] = bracketExpression(pattern, at, syntax.dotExcludesNewline === true)
      at = end
      return { kind: 'set', set: syntax.ignoreCase ? foldCase(set) : set }
    }
    if (char === '.') {
      at++
      return { kind: 'set', set: setOf((code) => !(syntax.dotExcludesNewline && code === 10)) }
    }
    if (char === '^' && (extended || atStart)) {
      at++
      return { kind: 'assert', what: 'bol' }
    }
    if (char === '$' && (extended || endsHere(at + 1))) {
      at++
      return { kind: 'assert', what: 'eol' }
    }
    if (extended && char === '(') return group()
    if (extended && (char === '*' || char === '+' || char === '?') && atStart) {
      if (syntax.strict) throw new RegexError('Invalid preceding regular expression')
      at++
      return EMPTY
    }
    at++
    return literal(char.charCodeAt(0))
  }

  /** BRE: whether a `$` before `position` is an anchor. */
  const endsHere = (position: number): boolean =>
    position >= pattern.length || pattern.startsWith('\\)', position) || pattern.startsWith('\\|', position)

  function group(): Node {
    at += opening.length
    if (++depth > DEPTH_MAX) throw new RegexError('Regular expression too big')
    const index = ++groups
    const node = alternation()
    if (!lookingAt(closing)) throw new RegexError('Unmatched ( or \\(')
    at += closing.length
    depth--
    closed.add(index)
    return { kind: 'group', index, node }
  }

  function escaped(): Node {
    const char = pattern[at + 1]
    if (char === undefined) throw new RegexError('Trailing backslash')
    if (!extended && char === '(') return group()
    if (!extended && char === '{') throw new RegexError('Invalid preceding regular expression')
    at += 2
    if (char >= '1' && char <= '9') {
      const index = firstGroup + Number(char)
      if (!closed.has(index)) throw new RegexError('Invalid back reference')
      backrefs = true
      return { kind: 'backref', index }
    }
    const what = GNU_ASSERTIONS.get(char)
    if (what) return { kind: 'assert', what }
    const test = GNU_SETS.get(char)
    if (test) return { kind: 'set', set: setOf(test) }
    return literal(char.charCodeAt(0))
  }

  /** `node` with the repetition that stands here, if one does. */
  function repeated(node: Node): Node | undefined {
    if (pattern[at] === '*') {
      at++
      return { kind: 'repeat', node, min: 0, max: -1 }
    }
    const plus = extended ? '+' : '\\+'
    const optional = extended ? '?' : '\\?'
    if (lookingAt(plus)) {
      at += plus.length
      return { kind: 'repeat', node, min: 1, max: -1 }
    }
    if (lookingAt(optional)) {
      at += optional.length
      return { kind: 'repeat', node, min: 0, max: 1 }
    }
    return lookingAt(extended ? '{' : '\\{') ? interval(node) : undefined
  }

  function interval(node: Node): Node | undefined {
    let i = at + (extended ? 1 : 2)
    const number = (): number | undefined => {
      const from = i
      while (pattern[i]! >= '0' && pattern[i]! <= '9') i++
      return i === from ? undefined : Number(pattern.slice(from, i))
    }
    const low = number()
    const min = low ?? 0
    let max = min
    let comma = false
    if (pattern[i] === ',') {
      comma = true
      i++
      max = number() ?? -1
    }
    const end = extended ? '}' : '\\}'
    if (!pattern.startsWith(end, i) || (low === undefined && !comma)) {
      // In an ERE a brace that begins no interval is a character.
      if (extended) return undefined
      throw new RegexError(i >= pattern.length ? 'Unmatched \\{' : 'Invalid content of \\{\\}')
    }
    if (max >= 0 && min > max) throw new RegexError('Invalid content of \\{\\}')
    if (min > RE_DUP_MAX || max > RE_DUP_MAX) throw new RegexError('Regular expression too big')
    at = i + end.length
    return { kind: 'repeat', node, min, max }
  }

  if (syntax.fixed) {
    const nodes: Node[] = []
    for (let i = 0; i < pattern.length; i++) nodes.push(literal(pattern.charCodeAt(i)))
    return { node: { kind: 'cat', nodes }, groups, backrefs }
  }
  const node = alternation()
  if (at < pattern.length) {
    // Only a closing parenthesis ends an alternation early.
    throw new RegexError('Unmatched ) or \\)')
  }
  return { node, groups, backrefs }
}

function literalSet(code: number, ignoreCase: boolean): Uint8Array {
  const set = new Uint8Array(256)
  set[code] = 1
  return ignoreCase ? foldCase(set) : set
}

/** Both cases of each letter in `set`. */
function foldCase(set: Uint8Array): Uint8Array {
  const folded = set.slice()
  for (let code = 0x41; code <= 0x5a; code++) {
    const both = set[code]! | set[code + 32]!
    folded[code] = both
    folded[code + 32] = both
  }
  return folded
}
