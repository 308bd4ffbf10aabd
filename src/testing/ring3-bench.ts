/** Machine code over the world's own processors, with page tables in RAM, a clock that counts, and no machine around it. */
import { R_GPR, R_RIP, R_TRAP_ADDRESS, R_TRAP_CODE, R_TRAP_VECTOR, type Ring3 } from '#abi/pc/ring3.ts'
import { digest } from '#lib/digest.ts'
import { PAGE_BYTES } from '#machine/frame-kind.ts'
import { createMemory, type Memory } from '#machine/memory.ts'
import { createRing3s, type Ring3s } from '#world/ring3.ts'

export const PRESENT = 1n
export const WRITABLE = 2n
export const USER = 4n
export const ALL = PRESENT | WRITABLE | USER

export const ROOT = 16
export const CODE = 0x401000
export const CODE_FRAME = 64
export const DATA = 0x600000
export const DATA_FRAME = 80

/** RAM with page tables, a clock that counts, and what executes. */
export class Bench {
  readonly memory: Memory = createMemory(8)
  readonly ring3s: Ring3s
  nowNs = 0
  work = 0
  #tables = ROOT + 1

  constructor(threshold?: number) {
    const { processors } = this.memory
    this.ring3s = createRing3s(
      {
        processorMemory: processors,
        cpuid: (cpu, leaf) => ({ eax: leaf + 1, ebx: cpu, ecx: 3, edx: 4 }),
      },
      {
        index: () => 1,
        now: () => this.nowNs,
        charge: (ns) => {
          this.nowNs += ns
        },
        worked: (fuel) => {
          this.work += fuel
        },
      },
      threshold === undefined ? {} : { threshold },
    )
  }

  /** A page of linear addresses onto a frame, below a root. */
  map(va: number, frame: number, rights = ALL, root = ROOT): void {
    const { mem } = this.memory
    let table = root
    for (const shift of [39n, 30n, 21n]) {
      const at = table * PAGE_BYTES + Number((BigInt(va) >> shift) & 511n) * 8
      if (mem.read64(at) === 0n) mem.write64(at, (BigInt(this.#tables++) << 12n) | ALL)
      table = Number((mem.read64(at) >> 12n) & 0xfffffffn)
    }
    mem.write64(table * PAGE_BYTES + Number((BigInt(va) >> 12n) & 511n) * 8, (BigInt(frame) << 12n) | rights)
  }

  /** A program at CODE, and a page of data. */
  program(code: string, ring3 = this.ring3s.create()!): Ring3 {
    this.map(CODE, CODE_FRAME)
    this.map(DATA, DATA_FRAME)
    this.memory.mem.copyIn(CODE_FRAME * PAGE_BYTES, hex(code))
    ring3.setRoot(0, ROOT)
    jump(ring3)
    return ring3
  }

  powerOn(): void {
    this.ring3s.reset()
    this.memory.powerOn()
    this.#tables = ROOT + 1
  }

  digest(): string {
    const fold = digest()
    this.memory.digestInto(fold)
    this.ring3s.digestInto(fold)
    return fold.hex()
  }
}

export const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
export const jump = (ring3: Ring3, to = CODE): void => ring3.registers.write64(R_RIP, BigInt(to))
export const gpr = (ring3: Ring3, n: number): bigint => ring3.registers.read64(R_GPR + 8 * n)
export const set = (ring3: Ring3, n: number, value: number | bigint): void =>
  ring3.registers.write64(R_GPR + 8 * n, BigInt(value))
export const trapOf = ({ registers }: Ring3): unknown => [
  registers.read32(R_TRAP_VECTOR),
  registers.read32(R_TRAP_CODE) | 0,
  registers.read64(R_TRAP_ADDRESS),
]
export const ripOf = ({ registers }: Ring3): number => Number(registers.read64(R_RIP))

/** mov $100,%ecx; 1: add %rcx,%rax; dec %ecx; jne 1b; syscall */
export const SUM = 'b964000000 4801c8 ffc9 75f9 0f05'
