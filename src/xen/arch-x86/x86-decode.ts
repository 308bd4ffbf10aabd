/** xen/arch/x86/x86_emulate.c: prefixes, ModRM and immediate of an instruction with an operand in memory (Intel SDM volume 2, chapter 2), in 64-bit mode. */
import { RSP, SEG_FS, SEG_GS } from '#abi/pc/ring3.ts'
import { signedVaddr } from '#abi/xen/types.ts'
import { mask } from './alu.ts'
import { reg, rip, segmentBase, setReg, type X86Vcpu } from './guest-regs.ts'

const PREFIXES_MAX = 14
/** Of two bytes: the second, and this. */
export const TWO_BYTES = 0x100

/** Instructions with ModRM that are followed by an immediate: of one byte, or as wide as the operand up to four. */
const IMMEDIATE_BYTE = new Set([0x80, 0x83, 0xc6, TWO_BYTES | 0xba])
const IMMEDIATE_WORD = new Set([0x81, 0xc7])
/** Without ModRM: the address of MOV's memory is in the instruction, that of strings in registers. */
const MOFFS = new Set([0xa2, 0xa3])
const STRINGS = new Set([0xa4, 0xa5, 0xaa, 0xab])

export class Decoded {
  readonly #vcpu: X86Vcpu
  #at: number
  rex = 0
  /** Bytes of an operand that is not one; of an address. */
  operand: 2 | 4 | 8 = 4
  address: 4 | 8 = 8
  segment: number | undefined
  lock = false
  rep = false
  opcode = 0
  /** The register, or the number of the operation. */
  register = 0
  /** Its memory. Undefined: its operand is a register. */
  va: bigint | undefined
  /** Sign-extended. */
  immediate = 0n

  constructor(vcpu: X86Vcpu) {
    this.#vcpu = vcpu
    this.#at = rip(vcpu)
    this.#prefixes()
    if (MOFFS.has(this.opcode)) this.va = this.#based(this.#word(this.address))
    else if (!STRINGS.has(this.opcode)) this.#modrm()
  }

  /** RIP of the next one. */
  get next(): number {
    return this.#at
  }

  get bytes(): 1 | 2 | 4 | 8 {
    return this.opcode & 1 ? this.operand : 1
  }

  #byte(): number {
    return this.#vcpu.mem.read8(this.#at++)
  }

  #word(bytes: number): bigint {
    let value = 0n
    for (let i = 0; i < bytes; i++) value |= BigInt(this.#byte()) << BigInt(8 * i)
    return value
  }

  #signed(bytes: number): bigint {
    return BigInt.asIntN(8 * bytes, this.#word(bytes))
  }

  #prefixes(): void {
    let word = false
    for (let i = 0; i < PREFIXES_MAX; i++) {
      const byte = this.#byte()
      if ((byte & 0xf0) === 0x40) {
        this.rex = byte
        continue
      }
      if (byte === 0x66) word = true
      else if (byte === 0x67) this.address = 4
      else if (byte === 0xf0) this.lock = true
      else if (byte === 0xf2 || byte === 0xf3) this.rep = true
      else if (byte === 0x64) this.segment = SEG_FS
      else if (byte === 0x65) this.segment = SEG_GS
      else if (byte !== 0x26 && byte !== 0x2e && byte !== 0x36 && byte !== 0x3e) {
        this.opcode = byte === 0x0f ? TWO_BYTES | this.#byte() : byte
        break
      }
      // Only right in front of the opcode it counts.
      this.rex = 0
    }
    this.operand = this.rex & 8 ? 8 : word ? 2 : 4
  }

  #modrm(): void {
    const { opcode } = this
    const modrm = this.#byte()
    this.register = ((modrm >> 3) & 7) | ((this.rex & 4) << 1)
    const mod = modrm >> 6
    const rm = modrm & 7
    let address = 0n
    let relative = false
    if (mod !== 3) {
      let base = rm
      if (rm === 4) {
        const sib = this.#byte()
        base = sib & 7
        const index = ((sib >> 3) & 7) | ((this.rex & 2) << 2)
        if (index !== RSP) address += reg(this.#vcpu, index) << BigInt(sib >> 6)
      }
      if (base === 5 && mod === 0) {
        relative = rm === 5
        address += this.#signed(4)
      } else {
        address += reg(this.#vcpu, base | ((this.rex & 1) << 3))
        if (mod === 1) address += this.#signed(1)
        if (mod === 2) address += this.#signed(4)
      }
    }
    if (IMMEDIATE_BYTE.has(opcode)) this.immediate = this.#signed(1)
    else if (IMMEDIATE_WORD.has(opcode)) this.immediate = this.#signed(Math.min(this.operand, 4))
    else if ((opcode & 0xfe) === 0xf6 && opcode < TWO_BYTES && (this.register & 7) < 2)
      this.immediate = this.#signed(opcode & 1 ? Math.min(this.operand, 4) : 1)
    if (mod !== 3) this.va = this.#based(relative ? address + BigInt(this.#at) : address)
  }

  #based(address: bigint): bigint {
    const base = this.segment === undefined ? 0n : segmentBase(this.#vcpu, this.segment)
    return base + BigInt.asUintN(8 * this.address, address)
  }

  /** A register as an address. */
  pointer(n: number): bigint {
    return this.#based(reg(this.#vcpu, n))
  }

  /** A register's operand, of so many bytes: without REX the bytes 4 to 7 are AH, CH, DH and BH. */
  read(n: number, bytes: number): bigint {
    if (bytes === 1 && this.rex === 0 && n >= 4) return (reg(this.#vcpu, n - 4) >> 8n) & 0xffn
    return reg(this.#vcpu, n) & mask(bytes)
  }

  write(n: number, bytes: number, value: bigint): void {
    if (bytes === 1 && this.rex === 0 && n >= 4)
      setReg(this.#vcpu, n - 4, (reg(this.#vcpu, n - 4) & ~0xff00n) | (value << 8n))
    else setReg(this.#vcpu, n, bytes >= 4 ? value : (reg(this.#vcpu, n) & ~mask(bytes)) | value)
  }
}

/** An address as `Mem` takes it. */
export const vaddrOf = (word: bigint): number => signedVaddr(BigInt.asUintN(64, word))
