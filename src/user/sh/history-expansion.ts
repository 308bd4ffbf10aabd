/** `!!`, `!$`, `!n`, `!text`, `^old^new^`: history(3)'s expansion, before a line is parsed (bash 3.2, interactive). */

export type Expansion =
  | { readonly kind: 'none' }
  /** The line to run, or only to show and keep (`:p`). */
  | { readonly kind: 'line'; readonly text: string; readonly only: boolean }
  /** Without the shell's name. */
  | { readonly kind: 'fault'; readonly message: string }

class Fault extends Error {}

/** `line` has no newline at its end. */
export function expandHistory(line: string, history: readonly string[]): Expansion {
  const source = line.startsWith('^') ? quickSubstitution(line) : line
  if (!source.includes('!')) return { kind: 'none' }
  let out = ''
  let quote = false
  let changed = false
  let only = false
  try {
    for (let i = 0; i < source.length; ) {
      const c = source[i]!
      if (c === '\\' && !quote) {
        out += source.slice(i, i + 2)
        i += 2
      } else if (c === "'") {
        quote = !quote
        out += c
        i++
      } else if (c === '#' && !quote && /^$|[\s;&()|<>]/.test(source.slice(i - 1, i))) {
        // history_comment_char: the rest is a comment (`#!/bin/sh` typed into a here-document).
        out += source.slice(i)
        break
      } else if (c !== '!' || quote || /^(?:[\s=(]|$)/.test(source.slice(i + 1)) || out.endsWith('$')) {
        out += c
        i++
      } else {
        const found = designated(source, i, history, out)
        out += found.text
        only ||= found.only
        i = found.end
        changed = true
      }
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { kind: 'fault', message: error.message }
  }
  return changed ? { kind: 'line', text: out, only } : { kind: 'none' }
}

/** `^old^new^more` is `!!:s^old^new^more`. */
const quickSubstitution = (line: string): string => `!!:s${line}`

interface Designated {
  readonly text: string
  readonly end: number
  readonly only: boolean
}

/** What stands at `!`: an event, a word of it, modifiers. */
function designated(source: string, at: number, history: readonly string[], before: string): Designated {
  let end = at + 1
  let event: string | undefined
  const rest = source.slice(end)
  const number = /^-?[0-9]+/.exec(rest)
  const substring = /^\?([^?\n]*)\??/.exec(rest)
  const name = /^[^\s:$^*%;&|<>()"'-][^\s:;&|<>()"']*/.exec(rest)
  if (rest.startsWith('!')) {
    event = history.at(-1)
    end++
  } else if (rest.startsWith('#')) {
    event = before
    end++
  } else if (number) {
    const n = Number(number[0])
    event = n < 0 ? history.at(n) : history[n - 1]
    end += number[0].length
  } else if (substring) {
    event = history.findLast((line) => line.includes(substring[1]!))
    end += substring[0].length
  } else if (/^[:$^*]/.test(rest)) event = history.at(-1)
  else if (name) {
    event = history.findLast((line) => line.startsWith(name[0]))
    end += name[0].length
  }
  if (event === undefined) throw new Fault(`${source.slice(at, end)}: event not found`)
  const chosen = wordsChosen(source, end, event, at)
  return modified(source, chosen.end, chosen.text, at)
}

/** Blank-separated words, quotes kept together: history_tokenize. */
const tokens = (line: string): string[] =>
  line.match(/(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s;&|<>()'"\\]|['"\\])+|[;&|<>()]+/g) ?? []

function wordsChosen(source: string, at: number, event: string, start: number): { text: string; end: number } {
  const match = /^(?::(?=[0-9^$*-])|(?=[$^*]))(?:(\d+|\^|\$)?(-(?:\d+|\$)?|\*)?)/.exec(source.slice(at))
  if (!match || (match[1] === undefined && match[2] === undefined)) return { text: event, end: at }
  const words = tokens(event)
  const last = words.length - 1
  const index = (text: string): number => (text === '^' ? 1 : text === '$' ? last : Number(text))
  const [all, first, range] = match
  const from = first === undefined ? (range === '*' ? 1 : 0) : index(first)
  const to = range === undefined ? from : range === '*' ? last : range === '-' ? last - 1 : index(range.slice(1))
  const end = at + all.length
  if (from > last + (range === '*' ? 1 : 0) || to > last || (to < from && range !== '*'))
    throw new Fault(`${source.slice(start, end)}: bad word specifier`)
  return { text: words.slice(from, to + 1).join(' '), end }
}

/** `:h :t :r :e :p :q :s/old/new/ :gs/old/new/`. */
function modified(source: string, at: number, text: string, start: number): Designated {
  let only = false
  let result = text
  for (;;) {
    const rest = source.slice(at)
    const simple = /^:([htrepq])/.exec(rest)
    if (simple) {
      at += 2
      const slash = result.lastIndexOf('/')
      const dot = result.lastIndexOf('.')
      if (simple[1] === 'p') only = true
      else if (simple[1] === 'h') result = slash >= 0 ? result.slice(0, slash) : result
      else if (simple[1] === 't') result = result.slice(slash + 1)
      else if (simple[1] === 'r') result = dot > slash ? result.slice(0, dot) : result
      else if (simple[1] === 'e') result = dot > slash ? result.slice(dot) : result
      else result = `'${result.replaceAll("'", "'\\''")}'`
      continue
    }
    const substitute = /^:(g?)s(.)/.exec(rest)
    if (!substitute) return { text: result, end: at, only }
    const delimiter = substitute[2]!
    const [old = '', by = ''] = rest.slice(substitute[0].length).split(delimiter)
    const length = Math.min(rest.length, substitute[0].length + old.length + by.length + 2)
    at += length
    if (old === '' || !result.includes(old)) throw new Fault(`${source.slice(start, at)}: substitution failed`)
    result = substitute[1] === 'g' ? result.replaceAll(old, () => by) : result.replace(old, () => by)
  }
}
