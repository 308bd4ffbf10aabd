/** Brace expansion (bash(1), "Brace Expansion"): `a{b,c}d` and `{1..5}`, before anything else is expanded. */
import { makeWord, type Part, type Word } from './ast.ts'

/** More words than these and the braces stay as they are. */
const WORDS_MAX = 10_000

/** A word as characters that may be special, and pieces that are not. */
type Item = string | Part

export function braceExpand(word: Word): readonly Word[] {
  if (!word.parts.some((part) => part.k === 'lit' && part.s.includes('{'))) return [word]
  const items: Item[] = []
  for (const part of word.parts) {
    if (part.k === 'lit') for (const c of part.s) items.push(c)
    else items.push(part)
  }
  const expanded = expand(items)
  if (expanded.length === 1 || expanded.length > WORDS_MAX) return [word]
  return expanded.map(assemble)
}

function assemble(items: readonly Item[]): Word {
  const parts: Part[] = []
  let lit = ''
  for (const item of items) {
    if (typeof item === 'string') lit += item
    else {
      if (lit !== '') parts.push({ k: 'lit', s: lit })
      lit = ''
      parts.push(item)
    }
  }
  if (lit !== '') parts.push({ k: 'lit', s: lit })
  return makeWord(parts)
}

function expand(items: readonly Item[]): Item[][] {
  for (let open = items.indexOf('{'); open >= 0; open = items.indexOf('{', open + 1)) {
    let depth = 0
    let close = -1
    const commas: number[] = []
    for (let i = open; i < items.length && close < 0; i++) {
      const item = items[i]
      if (item === '{') depth++
      else if (item === '}') {
        if (--depth === 0) close = i
      } else if (item === ',' && depth === 1) commas.push(i)
    }
    if (close < 0) continue
    let choices: Item[][]
    if (commas.length > 0) {
      choices = []
      let from = open + 1
      for (const to of [...commas, close]) {
        for (const choice of expand(items.slice(from, to))) choices.push(choice)
        from = to + 1
      }
    } else {
      const range = sequence(items.slice(open + 1, close))
      if (!range) continue
      choices = range
    }
    const before = items.slice(0, open)
    const results: Item[][] = []
    const tails = expand(items.slice(close + 1))
    for (const choice of choices)
      for (const tail of tails) {
        if (results.length > WORDS_MAX) return results
        results.push([...before, ...choice, ...tail])
      }
    return results
  }
  return [[...items]]
}

function sequence(items: readonly Item[]): Item[][] | undefined {
  if (!items.every((item) => typeof item === 'string')) return undefined
  const match = /^(?:(-?\d{1,15})\.\.(-?\d{1,15})|([A-Za-z])\.\.([A-Za-z]))$/.exec(items.join(''))
  if (!match) return undefined
  const letters = match[3] !== undefined
  const from = letters ? match[3]!.charCodeAt(0) : Number(match[1])
  const to = letters ? match[4]!.charCodeAt(0) : Number(match[2])
  if (Math.abs(to - from) >= WORDS_MAX) return undefined
  const out: Item[][] = []
  for (let n = from; ; n += from <= to ? 1 : -1) {
    out.push([...(letters ? String.fromCharCode(n) : String(n))])
    if (n === to) return out
  }
}
