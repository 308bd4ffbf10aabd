/** Keys as a terminal sends them: single bytes, and the escape sequences of keys that have none (VT100, xterm, the Linux console). */

export type Key = string

const CSI_FINALS: ReadonlyMap<string, Key> = new Map([
  ['A', 'Up'],
  ['B', 'Down'],
  ['C', 'Right'],
  ['D', 'Left'],
  ['H', 'Home'],
  ['F', 'End'],
])
const CSI_NUMBERS: ReadonlyMap<string, Key> = new Map([
  ['1', 'Home'],
  ['2', 'Insert'],
  ['3', 'Delete'],
  ['4', 'End'],
  ['5', 'PageUp'],
  ['6', 'PageDown'],
  ['7', 'Home'],
  ['8', 'End'],
])

/** How long bytes of one sequence may be apart; what has not come then is another key. */
export const ESCAPE_MS = 100

/**
 * The first key of `bytes` and how many of them it took; 0: more are needed (an escape character that may be a key of its own).
 * Names are longer than one character; an unknown sequence is 'Unknown'.
 */
export function decodeKey(bytes: string): readonly [key: Key, length: number] {
  const first = bytes[0]!
  if (first !== '\x1b') return [first, 1]
  if (bytes.length === 1) return ['', 0]
  const second = bytes[1]!
  if (second === 'O') {
    if (bytes.length < 3) return ['', 0]
    return [CSI_FINALS.get(bytes[2]!) ?? 'Unknown', 3]
  }
  if (second !== '[') return ['\x1b', 1]
  let i = 2
  while (i < bytes.length && bytes[i]! >= '0' && bytes[i]! <= ';') i++
  // The Linux console's F1 to F5.
  if (bytes[i] === '[') i++
  if (i >= bytes.length) return ['', 0]
  const parameters = bytes.slice(2, i)
  const final = bytes[i]!
  if (final === '~') return [CSI_NUMBERS.get(parameters.split(';')[0]!) ?? 'Unknown', i + 1]
  return [parameters.startsWith('[') ? 'Unknown' : (CSI_FINALS.get(final) ?? 'Unknown'), i + 1]
}
