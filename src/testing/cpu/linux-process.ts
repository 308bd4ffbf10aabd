/**
 * As much of Linux as a static program needs that reads nothing and writes to its standard output: an ELF image, a stack with auxiliary vector (System V ABI, AMD64 supplement, 3.4.1)
 * and a dozen system calls (arch/x86/entry/syscalls/syscall_64.tbl). Whose memory it is, and who runs it, is somebody else's.
 */

import type { Cpu } from '#cpu/cpu.ts'
import { features } from '#cpu/cpuid.ts'
import { CS, ES, FS, GS, RAX, RCX, RDI, RDX, RSI, RSP, SS } from '#cpu/isa/insn.ts'
import { Exit, S_EXIT_ADDRESS, S_EXIT_CODE, S_EXIT_VECTOR, S_FCW, S_MXCSR } from '#cpu/state.ts'
import { gpr, rip, setGpr, setRip, setSegmentBase, setSelector } from '#cpu/state-access.ts'

/** Where programs of gcc's are linked to; the heap follows. */
export const IMAGE = 0x400000n
export const IMAGE_BYTES = 0x180000
export const STACK_TOP = 0x7ffff000n
export const STACK_BYTES = 0x20000
/** For mmap. */
export const AREA = 0x10000000n
export const AREA_BYTES = 0x80000

const ENOSYS = -38n
const ENOMEM = -12n
const ENOTTY = -25n
const EINVAL = -22n

const ARCH_SET_FS = 0x1002n

/** A processor that a process runs on. */
export interface Machine {
  readonly cpu: Cpu
  run(budget: number): Exit
}

export class LinuxProcess {
  readonly #machine: Machine
  readonly #output: number[] = []
  #brk: bigint
  readonly #heap: bigint
  #area = AREA
  /** Once it has ended. */
  status: number | undefined

  constructor(machine: Machine, elf: Uint8Array, argv: readonly string[]) {
    this.#machine = machine
    const { cpu } = machine
    const file = new DataView(elf.buffer, elf.byteOffset, elf.byteLength)
    const headers = Number(file.getBigUint64(32, true))
    const size = file.getUint16(54, true)
    const count = file.getUint16(56, true)
    let end = IMAGE
    let headersAt = 0n
    for (let n = 0; n < count; n++) {
      const at = headers + n * size
      if (file.getUint32(at, true) !== 1) continue
      const offset = Number(file.getBigUint64(at + 8, true))
      const address = file.getBigUint64(at + 16, true)
      const bytes = Number(file.getBigUint64(at + 32, true))
      this.#copyIn(address, elf.subarray(offset, offset + bytes))
      if (offset <= headers && headers < offset + bytes) headersAt = address + BigInt(headers - offset)
      const last = address + file.getBigUint64(at + 40, true)
      if (last > end) end = last
    }
    this.#heap = (end + 0xfffn) & ~0xfffn
    this.#brk = this.#heap
    for (const [n, value] of [
      [CS, 0x33],
      [SS, 0x2b],
      ...[ES, FS, GS].map((segment) => [segment, 0] as const),
    ] as const) {
      setSelector(cpu, n, value)
    }
    cpu.view.setUint16(cpu.base + S_FCW, 0x37f, true)
    cpu.view.setUint32(cpu.base + S_MXCSR, 0x1f80, true)
    setRip(cpu, file.getBigUint64(24, true))
    this.#makeStack(argv, [
      [3n, headersAt],
      [4n, BigInt(size)],
      [5n, BigInt(count)],
      [6n, 4096n],
      [9n, file.getBigUint64(24, true)],
      [17n, 100n],
    ])
  }

  #copyIn(address: bigint, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const room = 4096 - Number((address + BigInt(at)) & 0xfffn)
      const part = bytes.subarray(at, at + room)
      this.#machine.cpu.storeBytes(address + BigInt(at), part)
      at += part.length
    }
  }

  #makeStack(argv: readonly string[], auxiliary: readonly (readonly [bigint, bigint])[]): void {
    const { cpu } = this.#machine
    let top = STACK_TOP - 16n
    const random = top
    const pointers = argv.map((text) => {
      const bytes = new TextEncoder().encode(`${text}\0`)
      top -= BigInt(bytes.length)
      this.#copyIn(top, bytes)
      return top
    })
    // AT_RANDOM is zeros here, AT_SECURE 0.
    const vector = [...auxiliary, [25n, random], [23n, 0n], [0n, 0n]] as const
    const words = [BigInt(argv.length), ...pointers, 0n, 0n, ...vector.flat()]
    top = (top - BigInt(8 * words.length)) & ~15n
    for (const [n, word] of words.entries()) cpu.store(8, top + BigInt(8 * n), word)
    setGpr(cpu, RSP, top)
  }

  get output(): string {
    return new TextDecoder().decode(Uint8Array.from(this.#output))
  }

  /** Until it ends, or for so many instructions. */
  run(budget: number, slice = 1_000_000): void {
    for (let left = budget; left > 0 && this.status === undefined; left -= slice) {
      const exit = this.#machine.run(slice)
      if (exit === Exit.syscall) this.#systemCall()
      else if (exit !== Exit.budget) throw new Error(this.#why(exit))
    }
  }

  #why(exit: Exit): string {
    const { view, base } = this.#machine.cpu
    const vector = view.getUint32(base + S_EXIT_VECTOR, true)
    const code = view.getInt32(base + S_EXIT_CODE, true)
    const address = view.getBigUint64(base + S_EXIT_ADDRESS, true)
    return `exit ${exit}: ${vector}(${code}) at ${rip(this.#machine.cpu).toString(16)}, address ${address.toString(16)}`
  }

  #systemCall(): void {
    const { cpu } = this.#machine
    const [number, a, b, c] = [RAX, RDI, RSI, RDX].map((n) => gpr(cpu, n)) as [bigint, bigint, bigint, bigint]
    setGpr(cpu, RAX, BigInt.asUintN(64, this.#answer(Number(number), a, b, c)))
    setGpr(cpu, RCX, rip(cpu))
  }

  #answer(number: number, a: bigint, b: bigint, c: bigint): bigint {
    const { cpu } = this.#machine
    switch (number) {
      case 1:
        this.#write(b, Number(c))
        return c
      case 9:
        return this.#map(b)
      case 12:
        if (a >= this.#heap && a <= IMAGE + BigInt(IMAGE_BYTES)) this.#brk = a
        return this.#brk
      case 16:
        return ENOTTY
      case 20:
        return this.#writeVector(b, Number(c))
      case 158:
        if (a !== ARCH_SET_FS) return EINVAL
        setSegmentBase(cpu, FS, b)
        return 0n
      case 60:
      case 231:
        this.status = Number(a)
        return 0n
      // mprotect, munmap, sigaction, sigprocmask, set_tid_address, set_robust_list.
      case 10:
      case 11:
      case 13:
      case 14:
      case 218:
      case 273:
        return 0n
      // getpid, gettid.
      case 39:
      case 186:
        return 1n
      default:
        return ENOSYS
    }
  }

  #write(address: bigint, length: number): void {
    for (let at = 0; at < length; at++) this.#output.push(Number(this.#machine.cpu.load(1, address + BigInt(at))))
  }

  #writeVector(vector: bigint, count: number): bigint {
    let sum = 0n
    for (let n = 0; n < count; n++) {
      const [address, length] = [0n, 8n].map((at) => this.#machine.cpu.load(8, vector + BigInt(16 * n) + at) as bigint)
      this.#write(address!, Number(length))
      sum += length!
    }
    return sum
  }

  #map(length: bigint): bigint {
    const at = this.#area
    const next = at + ((length + 0xfffn) & ~0xfffn)
    if (next > AREA + BigInt(AREA_BYTES)) return ENOMEM
    this.#area = next
    return at
  }
}

/** CPUID of a processor that has what is implemented and says it is nobody's. */
export function plainCpuid(leaf: number): readonly [number, number, number, number] {
  if (leaf === 0) return [1, 0, 0, 0]
  if (leaf === 1) return [0x600, 0, features(1, 'ecx'), features(1, 'edx')]
  if (leaf === 0x80000000) return [0x80000001, 0, 0, 0]
  if (leaf === 0x80000001) return [0, 0, features(0x80000001, 'ecx'), features(0x80000001, 'edx')]
  return [0, 0, 0, 0]
}
