/** Results side by side: what does not count is made equal, what is left is digested, told apart and put into words. */
import { PF_PRESENT } from '#cpu/fault.ts'
import type { Row } from '#cpu/isa/insn.ts'
import { AC_FLAG, AF, CF, DF, IF, OF_FLAG, PF_FLAG, SF, TF, ZF } from '#cpu/state.ts'
import {
  type Case,
  FX_USED,
  NO_FAULT,
  OUT_BYTES,
  R_CR2,
  R_DATA,
  R_ERROR,
  R_FLAGS,
  R_FX,
  R_GPR,
  R_RIP,
  R_STACK,
  R_VECTOR,
  WINDOW,
} from './layout.ts'

const LETTERS: Readonly<Record<string, number>> = { o: OF_FLAG, s: SF, z: ZF, a: AF, p: PF_FLAG, c: CF, d: DF }

/** Flags that a row leaves undefined; as an instruction that faulted or shifted by nothing leaves them, too, nobody will miss them. */
const undefinedFlags = (row: Row): number => [...row.undefined].reduce((mask, letter) => mask | LETTERS[letter]!, 0)

/** In place. */
export function normalise(result: Uint8Array, { mode }: Case, row: Row): Uint8Array {
  const view = new DataView(result.buffer, result.byteOffset, OUT_BYTES)
  view.setUint32(R_FLAGS, view.getUint32(R_FLAGS, true) & ~undefinedFlags(row), true)
  // Linux says of all addresses in the kernel's half that they are there.
  if (view.getUint32(R_CR2 + 4, true) >>> 31 !== 0)
    view.setUint32(R_ERROR, view.getUint32(R_ERROR, true) & ~PF_PRESENT, true)
  if (mode === 32) {
    for (let n = 0; n < 16; n++) view.setUint32(R_GPR + 8 * n + 4, 0, true)
    for (let n = 8; n < 16; n++) view.setUint32(R_GPR + 8 * n, 0, true)
  }
  return result
}

/** Two hashes like FNV-1a over 32-bit words: 64 bits as hex. */
export class Digest {
  #a = 0x811c9dc5
  #b = 0x01000193

  add(bytes: Uint8Array): void {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)
    let a = this.#a
    let b = this.#b
    for (let i = 0; i < words.length; i++) {
      a = Math.imul(a ^ words[i]!, 0x01000193)
      a ^= a >>> 15
      b = Math.imul(b ^ words[i]!, 0x85ebca6b)
      b ^= b >>> 13
    }
    this.#a = a
    this.#b = b
  }

  get hex(): string {
    return [this.#a, this.#b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')
  }
}

const REGISTERS = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' ')
const FLAG_NAMES: readonly (readonly [string, number])[] = [
  ['CF', CF],
  ['PF', PF_FLAG],
  ['AF', AF],
  ['ZF', ZF],
  ['SF', SF],
  ['TF', TF],
  ['IF', IF],
  ['DF', DF],
  ['OF', OF_FLAG],
  ['AC', AC_FLAG],
]

function flagsText(flags: number): string {
  const names = FLAG_NAMES.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name)
  const rest = flags & ~FLAG_NAMES.reduce((mask, [, bit]) => mask | bit, 0) & ~2
  return [...names, ...(rest !== 0 ? [rest.toString(16)] : [])].join('.')
}

const hex = (value: bigint | number): string => value.toString(16)

function bytesText(bytes: Uint8Array, before: Uint8Array): string {
  const parts: string[] = []
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === before[i]) continue
    let end = i
    while (end < bytes.length && bytes[end] !== before[end]) end++
    parts.push(`${i}:${[...bytes.subarray(i, end)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`)
    i = end
  }
  return parts.join(',')
}

/** What an instruction did: what is other than it was, as name=value. */
export function effects(result: Uint8Array, case_: Case): Map<string, string> {
  const view = new DataView(result.buffer, result.byteOffset, OUT_BYTES)
  const out = new Map<string, string>()
  const vector = view.getUint32(R_VECTOR, true)
  if (vector !== NO_FAULT) {
    out.set('fault', `${vector}(${hex(view.getUint32(R_ERROR, true))})@${hex(view.getBigUint64(R_CR2, true))}`)
  }
  out.set('rip', hex(view.getBigUint64(R_RIP, true)))
  out.set('flags', flagsText(view.getUint32(R_FLAGS, true)))
  for (const [n, name] of REGISTERS.entries()) {
    const value = view.getBigUint64(R_GPR + 8 * n, true)
    if (value !== case_.gpr[n] && !(case_.mode === 32 && n >= 8)) out.set(name, hex(value))
  }
  const areas: [string, number, Uint8Array][] = [
    ['data', R_DATA, case_.data],
    ['stack', R_STACK, case_.stack],
  ]
  if (case_.fx) areas.push(['fx', R_FX, case_.fx])
  for (const [name, at, before] of areas) {
    const text = bytesText(result.subarray(at, at + (name === 'fx' ? FX_USED : WINDOW)), before)
    if (text !== '') out.set(name, text)
  }
  return out
}

export const effectsText = (result: Uint8Array, case_: Case): string =>
  [...effects(result, case_)].map(([name, value]) => `${name}=${value}`).join(' ')

/** What ours did otherwise: `name: expected, ours`. */
export function differences(expected: Uint8Array, ours: Uint8Array, case_: Case): string[] {
  const a = effects(expected, case_)
  const b = effects(ours, case_)
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((name) => a.get(name) !== b.get(name))
    .map((name) => `${name}: ${a.get(name) ?? 'as before'}, ours ${b.get(name) ?? 'as before'}`)
}

export const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i])
