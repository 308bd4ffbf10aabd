/** The sequences section of a Zstandard block: literals and matches, alternating (RFC 8878, 3.1.1.3.2 and 3.1.1.4). */
import { copyMatch } from './decoder.ts'
import { backwardBits, corrupted, type FseTable, fseSingle, fseTable, readFseTable } from './zstd-bits.ts'

/** A code's number is a base and so many bits more. */
interface Codes {
  readonly bases: readonly number[]
  readonly bits: readonly number[]
}

/** Codes below `first` have no bits; from there on they follow each other without a gap. */
function codes(start: number, first: number, bits: readonly number[]): Codes {
  const all = [...new Array<number>(first).fill(0), ...bits]
  let base = start
  const bases = all.map((count) => {
    base += 2 ** count
    return base - 2 ** count
  })
  return { bases, bits: all }
}

const LITERAL_LENGTHS = codes(0, 16, [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
const MATCH_LENGTHS = codes(3, 32, [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])

interface Kind {
  readonly maxLog: number
  readonly maxSymbol: number
  readonly predefined: FseTable
}

const times = (count: number, value: number): number[] => new Array<number>(count).fill(value)

const KINDS: readonly [Kind, Kind, Kind] = [
  {
    maxLog: 9,
    maxSymbol: 35,
    predefined: fseTable([4, 3, ...times(11, 2), 1, 1, 1, ...times(9, 2), 3, 2, ...times(5, 1), ...times(4, -1)], 6),
  },
  { maxLog: 8, maxSymbol: 31, predefined: fseTable([...times(6, 1), 2, 2, 2, ...times(15, 1), ...times(5, -1)], 5) },
  {
    maxLog: 9,
    maxSymbol: 52,
    predefined: fseTable([1, 4, 3, ...times(6, 2), ...times(37, 1), ...times(7, -1)], 6),
  },
]

/** What one block leaves to the next: the tables of literal lengths, offsets, match lengths; the last three offsets. */
export interface SequenceState {
  tables: readonly (FseTable | undefined)[]
  repeats: [number, number, number]
}

export const freshState = (): SequenceState => ({ tables: [undefined, undefined, undefined], repeats: [1, 4, 8] })

/** Go on at `out[length]` with the sequences from `at` to `end`; matches reach back to `start`. The new length. */
export function runSequences(
  input: Uint8Array,
  at: number,
  end: number,
  state: SequenceState,
  literals: Uint8Array,
  out: Uint8Array,
  start: number,
  length: number,
): number {
  if (at >= end) throw corrupted()
  let count = input[at++]!
  if (count >= 128) {
    const more = count === 255 ? 2 : 1
    if (at + more > end) throw corrupted()
    count = more === 2 ? input[at]! + (input[at + 1]! << 8) + 0x7f00 : ((count - 128) << 8) + input[at]!
    at += more
  }
  let used = 0
  if (count === 0) {
    if (at !== end) throw corrupted()
  } else {
    if (at >= end) throw corrupted()
    const modes = input[at++]!
    if (modes & 3) throw corrupted()
    const tables: FseTable[] = []
    for (const [i, kind] of KINDS.entries()) {
      const [table, behind] = tableFor(kind, (modes >> (6 - 2 * i)) & 3, state.tables[i], input, at, end)
      tables.push(table)
      at = behind
    }
    state.tables = tables
    const [literalTable, offsetTable, matchTable] = tables as [FseTable, FseTable, FseTable]
    const bits = backwardBits(input, at, end)
    let literalState = bits.read(literalTable.log)
    let offsetState = bits.read(offsetTable.log)
    let matchState = bits.read(matchTable.log)
    for (let i = 0; i < count; i++) {
      const offsetCode = offsetTable.symbols[offsetState]!
      const matchCode = matchTable.symbols[matchState]!
      const literalCode = literalTable.symbols[literalState]!
      if (matchCode >= MATCH_LENGTHS.bases.length || literalCode >= LITERAL_LENGTHS.bases.length) throw corrupted()
      const offsetValue = 2 ** offsetCode + bits.read(offsetCode)
      const match = MATCH_LENGTHS.bases[matchCode]! + bits.read(MATCH_LENGTHS.bits[matchCode]!)
      const plain = LITERAL_LENGTHS.bases[literalCode]! + bits.read(LITERAL_LENGTHS.bits[literalCode]!)
      if (i < count - 1) {
        literalState = literalTable.bases[literalState]! + bits.read(literalTable.bits[literalState]!)
        matchState = matchTable.bases[matchState]! + bits.read(matchTable.bits[matchState]!)
        offsetState = offsetTable.bases[offsetState]! + bits.read(offsetTable.bits[offsetState]!)
      }
      if (bits.left() < 0 || plain > literals.length - used || plain + match > out.length - length) throw corrupted()
      out.set(literals.subarray(used, used + plain), length)
      used += plain
      length += plain
      const offset = offsetOf(offsetValue, plain, state.repeats)
      if (offset <= 0 || offset > length - start) throw corrupted()
      copyMatch(out, length, offset, match)
      length += match
    }
    if (bits.left() !== 0) throw corrupted()
  }
  const rest = literals.subarray(used)
  if (rest.length > out.length - length) throw corrupted()
  out.set(rest, length)
  return length + rest.length
}

/** The smallest values stand for offsets that were used before. */
function offsetOf(value: number, plain: number, repeats: [number, number, number]): number {
  const [first, second, third] = repeats
  const which = value > 3 ? 4 : value - 1 + (plain === 0 ? 1 : 0)
  if (value <= 3 && which === 0) return first
  const offset = value > 3 ? value - 3 : which === 1 ? second : which === 2 ? third : first - 1
  repeats[2] = value <= 3 && which === 1 ? third : second
  repeats[1] = first
  repeats[0] = offset
  return offset
}

function tableFor(
  { maxLog, maxSymbol, predefined }: Kind,
  mode: number,
  before: FseTable | undefined,
  input: Uint8Array,
  at: number,
  end: number,
): readonly [FseTable, number] {
  if (mode === 0) return [predefined, at]
  if (mode === 1) {
    const symbol = input[at]!
    if (at >= end || symbol > maxSymbol) throw corrupted()
    return [fseSingle(symbol), at + 1]
  }
  if (mode === 2) return readFseTable(input, at, end, maxLog, maxSymbol)
  if (!before) throw corrupted()
  return [before, at]
}
