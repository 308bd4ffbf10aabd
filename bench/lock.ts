/** What the realm lock costs: run once in a process that is locked and once in one that is not (bench/toolchain.ts). */
import { lockdown } from '#world/realm/lockdown.ts'
import { millis } from './reference.ts'

const ROUNDS = 1_000_000
const bytes = new Uint8Array(65_536)
const words = new Int32Array(65_536)
const view = new DataView(new ArrayBuffer(65_536))
const list = Array.from({ length: 10_000 }, (_, i) => i)
const text = 'hello world '.repeat(80)

const PARTS: Readonly<Record<string, () => unknown>> = {
  'typed array read and write': () => {
    let sum = 0
    for (let i = 0; i < ROUNDS; i++) {
      const at = i & 65_535
      bytes[at] = bytes[at]! + i
      words[at] = words[at]! + bytes[at]!
      sum = (sum + words[at]!) | 0
    }
    return sum
  },
  'DataView read and write': () => {
    let sum = 0
    for (let i = 0; i < ROUNDS; i++) {
      view.setUint32(i & 65_528, i, true)
      sum = (sum + view.getUint32(i & 65_528, true)) | 0
    }
    return sum
  },
  'array for-of': () => {
    let sum = 0
    for (let i = 0; i < ROUNDS; i += list.length) for (const x of list) sum += x
    return sum
  },
  'array element store': () => {
    for (let i = 0; i < ROUNDS; i++) list[i % 10_000] = i
    return list
  },
  'array push': () => {
    const made: number[] = []
    for (let i = 0; i < ROUNDS; i++) made.push(i)
    return made
  },
  'Map get and set': () => {
    const map = new Map<number, number>()
    for (let i = 0; i < ROUNDS; i++) map.set(i & 1023, (map.get(i & 1023) ?? 0) + 1)
    return map
  },
  'generator step': () => {
    function* count() {
      for (let i = 0; i < ROUNDS; i++) yield i
    }
    let sum = 0
    for (const x of count()) sum += x
    return sum
  },
  'string loop': () => {
    let sum = 0
    for (let i = 0; i < ROUNDS; i += text.length) for (let at = 0; at < text.length; at++) sum += text.charCodeAt(at)
    return sum
  },
  'regular expression': () => {
    let sum = 0
    for (let i = 0; i < ROUNDS / 20; i++) sum += /(\w+) (\w+)/.exec('hello world')!.length
    return sum
  },
}

/** Milliseconds by part, the best of nine. */
export function measure(locked: boolean): Record<string, number> {
  if (locked) lockdown()
  return Object.fromEntries(
    Object.entries(PARTS).map(([name, run]) => [name, Math.min(...Array.from({ length: 9 }, () => millis(run)))]),
  )
}
