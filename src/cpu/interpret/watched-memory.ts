/** Memory whose accesses are compared with the debug registers. Whoever asks for the place of an access does it, too. */
import type { Access, Cpu } from '../cpu.ts'
import type { DebugRegisters } from '../debug-registers.ts'
import type { Mode, Size } from '../isa/insn.ts'
import { lowOf } from './long.ts'

export class WatchedMemory implements Cpu {
  readonly #cpu: Cpu
  readonly #registers: DebugRegisters
  readonly view: DataView
  readonly base: number
  /** The breakpoints that accesses have met (DR6_TRAPS) since somebody cleared it. */
  met = 0

  constructor(cpu: Cpu, registers: DebugRegisters) {
    this.#cpu = cpu
    this.#registers = registers
    this.view = cpu.view
    this.base = cpu.base
  }

  get mode(): Mode {
    return this.#cpu.mode
  }

  #accessed(address: bigint, bytes: number, isWrite: boolean): void {
    this.met |= this.#registers.metBy(lowOf(address), lowOf(address >> 32n), bytes, isWrite)
  }

  translate(address: bigint, access: Access): number {
    return this.#cpu.translate(address, access)
  }
  fetch(low: number, high: number): number {
    return this.#cpu.fetch(low, high)
  }
  locate(low: number, high: number, bytes: number, write: boolean): number {
    const at = this.#cpu.locate(low, high, bytes, write)
    if (at >= 0) this.met |= this.#registers.metBy(low, high, bytes, write)
    return at
  }
  load(size: Size, address: bigint): number | bigint {
    this.#accessed(address, size, false)
    return this.#cpu.load(size, address)
  }
  store(size: Size, address: bigint, value: number | bigint): void {
    this.#accessed(address, size, true)
    this.#cpu.store(size, address, value)
  }
  loadBytes(address: bigint, length: number): Uint8Array {
    this.#accessed(address, length, false)
    return this.#cpu.loadBytes(address, length)
  }
  storeBytes(address: bigint, bytes: Uint8Array): void {
    this.#accessed(address, bytes.length, true)
    this.#cpu.storeBytes(address, bytes)
  }
  writable(bytes: number, address: bigint): void {
    this.#cpu.writable(bytes, address)
  }

  descriptor(selector: number): bigint | undefined {
    return this.#cpu.descriptor(selector)
  }
  cpuid(leaf: number, subleaf: number): readonly [number, number, number, number] {
    return this.#cpu.cpuid(leaf, subleaf)
  }
  tsc(): bigint {
    return this.#cpu.tsc()
  }
}
