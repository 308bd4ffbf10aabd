/** od's types: how a unit of so many bytes is shown. */
import { formatFloat } from './printf-format.ts'

export interface OdFormat {
  readonly size: number
  /** Columns that one takes, with the blank before it. */
  readonly width: number
  show(view: DataView, at: number): string
  /** z: the characters behind the line. */
  readonly trailer: boolean
}

const NAMES =
  'nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp'.split(
    ' ',
  )
const ESCAPES: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
}

const DIGITS: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  o: { 1: 3, 2: 6, 4: 11, 8: 22 },
  d: { 1: 4, 2: 6, 4: 11, 8: 20 },
  u: { 1: 3, 2: 5, 4: 10, 8: 20 },
  x: { 1: 2, 2: 4, 4: 8, 8: 16 },
}

function unsigned(view: DataView, at: number, size: number): bigint {
  if (size === 8) return view.getBigUint64(at, true)
  return BigInt(size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at, true) : view.getUint32(at, true))
}

function integers(letter: string, size: number, trailer: boolean): OdFormat {
  const width = DIGITS[letter]![size]!
  return {
    size,
    width: width + 1,
    trailer,
    show(view, at) {
      const value = unsigned(view, at, size)
      if (letter === 'd') return String(BigInt.asIntN(size * 8, value)).padStart(width)
      if (letter === 'u') return String(value).padStart(width)
      return value.toString(letter === 'o' ? 8 : 16).padStart(width, '0')
    },
  }
}

const characters = (trailer: boolean): OdFormat => ({
  size: 1,
  width: 4,
  trailer,
  show(view, at) {
    const code = view.getUint8(at)
    const text =
      ESCAPES[code] ?? (code >= 32 && code < 127 ? String.fromCharCode(code) : code.toString(8).padStart(3, '0'))
    return text.padStart(3)
  },
})

const named = (trailer: boolean): OdFormat => ({
  size: 1,
  width: 4,
  trailer,
  show(view, at) {
    const code = view.getUint8(at) & 127
    return (code === 127 ? 'del' : (NAMES[code] ?? String.fromCharCode(code))).padStart(3)
  },
})

const floats = (size: number, trailer: boolean): OdFormat => ({
  size,
  width: size === 4 ? 15 : 24,
  trailer,
  show(view, at) {
    const value = size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true)
    return formatFloat('e', value, '', size === 4 ? 14 : 23, size === 4 ? 6 : 15)
  },
})

const SIZES: Readonly<Record<string, number>> = { C: 1, S: 2, I: 4, L: 8, F: 4, D: 8 }

/** `x1z`, `dL`, `c`, several in a row; undefined if it is none. */
export function parseTypes(text: string): OdFormat[] | undefined {
  const formats: OdFormat[] = []
  let at = 0
  for (const match of text.matchAll(/([acdfoux])(\d+|[CSILFD])?(z)?/gy)) {
    at = match.index + match[0].length
    const [, letter, sizeText, z] = match as unknown as [string, string, string | undefined, string | undefined]
    const trailer = z !== undefined
    const size = sizeText === undefined ? undefined : (SIZES[sizeText] ?? Number(sizeText))
    if (letter === 'a' || letter === 'c') {
      if (size !== undefined) return undefined
      formats.push(letter === 'a' ? named(trailer) : characters(trailer))
    } else if (letter === 'f') {
      if (size !== undefined && size !== 4 && size !== 8) return undefined
      formats.push(floats(size ?? 8, trailer))
    } else {
      if (size !== undefined && DIGITS[letter]![size] === undefined) return undefined
      formats.push(integers(letter, size ?? 4, trailer))
    }
  }
  return at === text.length && formats.length > 0 ? formats : undefined
}
