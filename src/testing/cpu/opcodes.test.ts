/** What is an instruction, and how long it is, by the host's own processor: every opcode with every register and memory form, and with each prefix that may choose between rows. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { UD } from '#cpu/fault.ts'
import { decode } from '#cpu/isa/decode.ts'
import { type Insn, type Mode, RBX, RCX, RDI, RSI, RSP } from '#cpu/isa/insn.ts'
import { type Case, DATA, INSTRUCTION, NO_FAULT, R_RIP, R_VECTOR, STACK_WINDOW, WINDOW } from './layout.ts'
import { hasNative, runNatively } from './native.ts'

const PREFIXES: number[][] = [
  [],
  [0x66],
  [0x67],
  [0xf3],
  [0xf2],
  [0xf0],
  [0x48],
  [0x66, 0xf3],
  [0x66, 0xf2],
  [0xf2, 0xf3],
  [0xf3, 0xf2],
  [0x48, 0x66],
]
/** They are prefixes, call Linux, are Intel's alone, or take FS from the runner. */
const ONE_BYTE_NOT = new Set([0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0xcd])
const TWO_BYTE_NOT = new Set([0x05, 0x34, 0x35, 0xa1, 0xb4])
/** Whose registers of rm say more than which register. */
const BY_RM = new Set([0x0f01, 0x0fae, 0x0fc7, 0x0f1e, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf])

/** ModRM bytes: memory at RBX, and registers. */
function modrmsOf(opcode: number): number[] {
  const memory = Array.from({ length: 8 }, (_, reg) => (reg << 3) | RBX)
  const registers = Array.from({ length: 64 }, (_, n) => 0xc0 | n)
  return [...memory, ...(BY_RM.has(opcode) ? registers : registers.filter((modrm) => (modrm & 7) === RBX))]
}

function candidates(mode: Mode): Case[] {
  const gpr = new BigUint64Array(16).fill(DATA)
  gpr[RCX] = 1n
  gpr[RSP] = STACK_WINDOW
  for (const n of [RBX, RSI, RDI]) gpr[n] = DATA + 64n
  const data = new Uint8Array(WINDOW)
  const all: Case[] = []
  for (const prefix of PREFIXES) {
    // In compatibility mode 48 is DEC.
    if (mode === 32 && prefix[0] === 0x48) continue
    for (let n = 0; n < 512; n++) {
      const opcode = n & 255
      if ((n < 256 ? ONE_BYTE_NOT : TWO_BYTE_NOT).has(opcode) || (mode === 64 && n < 256 && (n & 0xf0) === 0x40))
        continue
      const bytes = n < 256 ? [...prefix, opcode] : [...prefix, 0x0f, opcode]
      for (const modrm of modrmsOf(n < 256 ? opcode : 0x0f00 | opcode)) {
        if (((modrm >> 3) & 7) === 4 && opcode === 0x8e) continue
        if (modrm >= 0xc0 && prefix.at(-1) === 0xf3 && n === 0x1ae) continue
        const code = Uint8Array.from([...bytes, modrm, ...new Array(12 - bytes.length).fill(0)])
        all.push({ mode, code, gpr, flags: 0, data, stack: data })
      }
    }
  }
  return all
}

/** They go elsewhere, trap themselves, or are emulated by Linux, which then traps late. */
const LENGTH_NOT = /^(?:j|call|ret|iret|loop|int|into|popf|s[gil]dt|str$|smsw)/

/**
 * What the host has and CPUID here does not offer: AVX and BMI, SSE4 and later (in the 0F 38 and 0F 3A maps), what is in groups 7, 9 and 15, SSE4a; and LOCK with
 * VERW, which AMD's processors do not mind, and with MOV of CR0, which is theirs of CR8.
 */
const LATER =
  /^(?:c4|c5|62|8f|0f (?:38|3a|78|79|c7)|0f 01 [c-f].|0f ae [23].)|^(?:f[23] )+0f 2b|^f0 0f (?:00 2b|2[02] .3)/

const withoutWidth = (code: string): string => code.replace(/^(?:66 |67 |48 )*/, '')
const isLater = (code: string): boolean =>
  LATER.test(withoutWidth(code)) || LATER.test(code.replace(/^(?:66 |67 |48 |f2 |f3 )*/, ''))

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')

/** Intel's differ in what is left open: 0F 0D with registers, SYSENTER, far pointers of ten bytes. */
const isAmd = hasNative && readFileSync('/proc/cpuinfo', 'latin1').includes('AuthenticAMD')

describe.skipIf(!isAmd)("the host's processor (gcc, AMD)", () => {
  for (const mode of [64, 32] as Mode[]) {
    test(`finds in ${mode}-bit mode the instructions that we find`, { timeout: 120_000 }, () => {
      const cases = candidates(mode)
      const wrong: string[] = []
      for (const [n, result] of runNatively(cases).entries()) {
        const { code } = cases[n]!
        const view = new DataView(result.buffer, result.byteOffset)
        const vector = view.getUint32(R_VECTOR, true)
        const insn: Insn | undefined = decode((offset) => code[offset]!, mode)
        const exists = vector !== UD
        if (exists ? !insn && !isLater(hex(code)) : insn && !insn.row.mnemonic.startsWith('ud'))
          wrong.push(`${hex(code)}: ${vector} ${insn?.row.text}`)
        const length = Number(view.getBigUint64(R_RIP, true) - INSTRUCTION)
        if (vector === NO_FAULT && insn && insn.length !== length && !LENGTH_NOT.test(insn.row.mnemonic))
          wrong.push(`${hex(code)}: ${length} ${insn.length} ${insn.row.text}`)
      }
      expect(wrong).toEqual([])
    })
  }
})
