/** The decoder's lengths and the disassembler's text against objdump's: every form of every row, and programs as they are. */
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { disassemble } from '#cpu/disasm/disassemble.ts'
import { type Choice, encode } from '#cpu/isa/encode.ts'
import { type Form, formsOf } from '#cpu/isa/forms.ts'
import type { Mode } from '#cpu/isa/insn.ts'
import { type Dumped, dumpBytes, dumpFile, hasObjdump } from './objdump.ts'

const CHOICES: Choice[] = [
  { reg: 3, rm: 1, address: { base: 1, index: -1, scale: 1, disp: 0 }, immediates: [0x12n, 0x34n] },
  { reg: 6, rm: 5, address: { base: 5, index: 0, scale: 4, disp: -8 }, immediates: [-2n, 3n] },
  { reg: 2, rm: 7, address: { base: 4, index: -1, scale: 1, disp: 0x1000 }, immediates: [0x7f80n, 1n] },
  { reg: 0, rm: 0, address: { base: -1, index: 6, scale: 8, disp: 64 }, immediates: [127n, 0n] },
]
/** With what only 64-bit mode has. */
const WIDE_CHOICES: Choice[] = [
  { reg: 12, rm: 13, address: { base: 13, index: 12, scale: 2, disp: 0 }, immediates: [-128n, 9n] },
  { reg: 1, rm: 10, address: { base: -1, index: -1, scale: 1, disp: 0x40, ripRelative: true }, segment: 4 },
  { reg: 9, rm: 2, address: { base: 12, index: -1, scale: 1, disp: 1 }, shortAddress: true },
]

describe.skipIf(!hasObjdump())('objdump (binutils 2.40)', () => {
  for (const mode of [64, 32] as Mode[]) {
    test(`writes every form's bytes as we do in ${mode}-bit mode`, () => {
      const wrong: string[] = []
      for (const choice of mode === 64 ? [...CHOICES, ...WIDE_CHOICES] : CHOICES) {
        const documented = formsOf(mode).filter(({ row }) => !row.attributes.has('undoc'))
        const bytes = documented.flatMap((form) => [...encode(form, existing(form, choice))])
        const dumped = dumpBytes(Uint8Array.from(bytes), mode)
        wrong.push(...dumped.flatMap(differenceFrom(mode)))
      }
      expect(wrong).toEqual([])
    })
  }

  const programs: [path: string, mode: Mode][] = [
    ['/bin/bash', 64],
    ['/lib/x86_64-linux-gnu/libc.so.6', 64],
    ['/lib/x86_64-linux-gnu/libm.so.6', 64],
    ['/usr/libexec/valgrind/vgpreload_memcheck-x86-linux.so', 32],
  ]
  for (const [path, mode] of programs) {
    test.skipIf(!existsSync(path))(`reads ${path} as we do`, { timeout: 60_000 }, () => {
      const dumped = dumpFile(path)
      expect(dumped.length).toBeGreaterThan(1000)
      expect(dumped.flatMap(differenceFrom(mode)).slice(0, 50)).toEqual([])
    })
  }
})

/** Not every segment, control and debug register is there. */
const existing = ({ row }: Form, choice: Choice): Choice =>
  row.operands.some((operand) => /^(?:Sw|[CD]n)$/.test(operand))
    ? { ...choice, reg: [0, 2, 3][choice.reg! % 3]! }
    : choice

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')

/** NOPs that have a name where a feature is. */
const NAMED_NOP = /\b(?:bnd(?:mov|ldx|stx|mk|c[lun])|cldemote|prefetchit[01]) /

/** What CPUID does not offer is no instruction: AVX and BMI by their encoding, the 0F 38 and 0F 3A maps (SSE4, AES), and by name TSX, XSAVE and the like. */
const LATER = new Set(
  'xbegin xend xabort xtest xgetbv xsave xsavec xrstor rdrand rdseed rdpid rdfsbase wrpkru rdpkru extrq insertq movntss movntsd serialize'.split(
    ' ',
  ),
)

function isLater(bytes: Uint8Array, text: string): boolean {
  const at = bytes.findIndex((byte) => !(PREFIXES.has(byte) || (byte & 0xf0) === 0x40))
  const [opcode, next] = bytes.subarray(at)
  const vex = opcode === 0xc4 || opcode === 0xc5 || opcode === 0x62 || opcode === 0x8f
  return vex || (opcode === 0x0f && (next === 0x38 || next === 0x3a)) || text.split(' ').some((word) => LATER.has(word))
}
const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3])

/** To objdump an FWAIT is part of what follows. */
const FWAIT = 0x9b

const differenceFrom =
  (mode: Mode) =>
  ({ address, bytes, text }: Dumped): string[] => {
    const ours = disassemble(bytes, address, mode)
    if (bytes[0] === FWAIT && bytes.length > 1) {
      const rest = disassemble(bytes.subarray(1), address + 1n, mode)
      if (ours.text === 'fwait' && rest.length === bytes.length - 1) return []
    }
    if (NAMED_NOP.test(text)) return []
    if (ours.text === text && ours.length === bytes.length) return []
    if (ours.text === '(bad)' && isLater(bytes, text)) return []
    return [`${hex(bytes)}: ${text} | ${ours.text} (${ours.length})`]
  }
