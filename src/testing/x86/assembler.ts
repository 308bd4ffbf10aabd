/** For tests: the few instructions of x86-64 that small guests are made of (AMD APM volume 3), with labels. Registers by the number in ModRM. */
import { RAX, RSP } from '#abi/pc/ring3.ts'

export const R12 = 12
export const R13 = 13
export const R14 = 14
export const R15 = 15

/** Conditions of jcc and setcc. */
export const CC = { b: 2, ae: 3, e: 4, ne: 5, be: 6, a: 7, s: 8, ns: 9 } as const

/** add, or, and, sub, xor, cmp: the opcode of `op r/m, r`, and /n of `81`. */
const ALU = { add: 0, or: 1, and: 4, sub: 5, xor: 6, cmp: 7 } as const

interface Fixup {
  readonly at: number
  readonly label: string
  readonly kind: 'rel32' | 'abs64'
}

export class Assembler {
  /** Where the code will lie, as an unsigned address. */
  readonly origin: bigint
  readonly #bytes: number[] = []
  readonly #labels = new Map<string, number>()
  readonly #fixups: Fixup[] = []
  #names = 0

  constructor(origin: bigint) {
    this.origin = BigInt.asUintN(64, origin)
  }

  get here(): bigint {
    return this.origin + BigInt(this.#bytes.length)
  }

  /** A name that no other label has. */
  name(): string {
    return `.${this.#names++}`
  }

  label(name: string): this {
    if (this.#labels.has(name)) throw new Error(`two labels ${name}`)
    this.#labels.set(name, this.#bytes.length)
    return this
  }

  /** Once everything is there. */
  addressOf(label: string): bigint {
    const at = this.#labels.get(label)
    if (at === undefined) throw new Error(`no label ${label}`)
    return this.origin + BigInt(at)
  }

  assembled(): Uint8Array {
    const bytes = Uint8Array.from(this.#bytes)
    const view = new DataView(bytes.buffer)
    for (const { at, label, kind } of this.#fixups) {
      const target = this.addressOf(label)
      if (kind === 'abs64') view.setBigUint64(at, target, true)
      else view.setInt32(at, Number(target - this.origin) - (at + 4), true)
    }
    return bytes
  }

  bytes(...bytes: readonly number[]): this {
    this.#bytes.push(...bytes)
    return this
  }
  #little(value: bigint, count: number): this {
    for (let i = 0; i < count; i++) this.#bytes.push(Number((value >> BigInt(8 * i)) & 0xffn))
    return this
  }
  #rel32(label: string): this {
    this.#fixups.push({ at: this.#bytes.length, label, kind: 'rel32' })
    return this.bytes(0, 0, 0, 0)
  }
  /** REX.W, opcode and ModRM of two registers. */
  #rr(opcode: readonly number[], reg: number, rm: number): this {
    return this.bytes(0x48 | ((reg >> 3) << 2) | (rm >> 3), ...opcode, 0xc0 | ((reg & 7) << 3) | (rm & 7))
  }
  /** The same with [base + disp32]. */
  #rm(opcode: readonly number[], reg: number, base: number, disp: number, rex = 0x48): this {
    this.bytes(rex | ((reg >> 3) << 2) | (base >> 3), ...opcode, 0x80 | ((reg & 7) << 3) | (base & 7))
    if ((base & 7) === RSP) this.bytes(0x24)
    return this.#little(BigInt(disp), 4)
  }

  /** mov reg, imm64; a label is its address. */
  set(reg: number, value: bigint | number | string): this {
    this.bytes(0x48 | (reg >> 3), 0xb8 | (reg & 7))
    return this.word(value)
  }
  mov(to: number, from: number): this {
    return this.#rr([0x89], from, to)
  }
  /** mov reg, [base + disp] and back. */
  load(reg: number, base: number, disp = 0): this {
    return this.#rm([0x8b], reg, base, disp)
  }
  store(base: number, disp: number, reg: number): this {
    return this.#rm([0x89], reg, base, disp)
  }
  store8(base: number, disp: number, reg: number): this {
    return this.#rm([0x88], reg, base, disp)
  }
  store32(base: number, disp: number, reg: number): this {
    return this.#rm([0x89], reg, base, disp, 0x40)
  }
  lea(reg: number, base: number, disp: number): this {
    return this.#rm([0x8d], reg, base, disp)
  }
  xchg(base: number, disp: number, reg: number): this {
    return this.#rm([0x87], reg, base, disp)
  }
  /** lock cmpxchg [base + disp], reg */
  cmpxchg(base: number, disp: number, reg: number): this {
    return this.bytes(0xf0).#rm([0x0f, 0xb1], reg, base, disp)
  }
  alu(op: keyof typeof ALU, to: number, from: number): this {
    return this.#rr([ALU[op] * 8 + 1], from, to)
  }
  aluImm(op: keyof typeof ALU, to: number, imm: number): this {
    return this.#rr([0x81], ALU[op], to).#little(BigInt(imm), 4)
  }
  shr(reg: number, bits: number): this {
    return this.bytes(0x48 | (reg >> 3), 0xc1, 0xe8 | (reg & 7), bits)
  }
  push(reg: number): this {
    return this.bytes(0x40 | (reg >> 3), 0x50 | (reg & 7))
  }
  pop(reg: number): this {
    return this.bytes(0x40 | (reg >> 3), 0x58 | (reg & 7))
  }
  jmp(label: string): this {
    return this.bytes(0xe9).#rel32(label)
  }
  jcc(cc: number, label: string): this {
    return this.bytes(0x0f, 0x80 | cc).#rel32(label)
  }
  call(label: string): this {
    return this.bytes(0xe8).#rel32(label)
  }
  /** A word of data. */
  word(value: bigint | number | string): this {
    if (typeof value !== 'string') return this.#little(BigInt.asUintN(64, BigInt(value)), 8)
    this.#fixups.push({ at: this.#bytes.length, label: value, kind: 'abs64' })
    return this.#little(0n, 8)
  }
  callReg(reg: number): this {
    return this.bytes(0x40 | (reg >> 3), 0xff, 0xd0 | (reg & 7))
  }
  /** add qword [rsp], imm8 */
  addTop(imm: number): this {
    return this.bytes(0x48, 0x83, 0x04, 0x24, imm)
  }
  ret(): this {
    return this.bytes(0xc3)
  }
  syscall(): this {
    return this.bytes(0x0f, 0x05)
  }
  cpuid(): this {
    return this.bytes(0x0f, 0xa2)
  }
  ud2(): this {
    return this.bytes(0x0f, 0x0b)
  }
  int(vector: number): this {
    return this.bytes(0xcd, vector)
  }
  /** Round and round until [base + disp] is not 0. */
  waitFor(base: number, disp: number): this {
    const again = this.name()
    return this.label(again).load(RAX, base, disp).bytes(0xf3, 0x90).aluImm('cmp', RAX, 0).jcc(CC.e, again)
  }
}
