/**
 * A vCPU without page tables, for tests: pieces of memory at linear addresses, each writable or not, and nothing between them. Faults are those that CPL 3 would see (Intel SDM
 * volume 3, 4.7).
 */
import type { Access, Cpu } from './cpu.ts'
import { Fault, GP, PF, PF_PRESENT, PF_USER, PF_WRITE } from './fault.ts'
import type { Mode, Size } from './isa/insn.ts'
import { S_MODE, S_TLB } from './state.ts'
import { modeOf } from './state-access.ts'

/** Addresses as numbers: they are below 2^47. */
interface Piece {
  readonly from: number
  readonly to: number
  readonly offset: number
  readonly writable: boolean
}

/** A piece to be mapped: whole pages at a multiple of 4096. */
export interface Mapping {
  readonly address: bigint
  readonly bytes: number
  readonly writable?: boolean
}

const isCanonical = (address: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, address)) === address

export class FlatCpu implements Cpu {
  readonly view: DataView
  readonly base = 0
  /** The GDT by index; there is no LDT. */
  readonly descriptors = new Map<number, bigint>()
  ticks = 0n
  readonly #pieces: Piece[] = []
  readonly #bytes: Uint8Array

  constructor(mappings: readonly Mapping[], mode: Mode = 64) {
    let offset = S_TLB
    for (const { address, bytes, writable = true } of mappings) {
      this.#pieces.push({ from: Number(address), to: Number(address) + bytes, offset, writable })
      offset += bytes
    }
    this.#bytes = new Uint8Array(offset)
    this.view = new DataView(this.#bytes.buffer)
    this.view.setUint32(S_MODE, mode, true)
  }

  get mode(): Mode {
    return modeOf(this)
  }

  /** What lies at a mapped address, as it is: for whoever prepares and inspects. */
  bytesAt(address: bigint, length: number): Uint8Array {
    const offset = this.#offset(address, 'read')
    return this.#bytes.subarray(offset, offset + length)
  }

  translate(address: bigint, access: Access): number {
    return this.#offset(address, access)
  }

  fetch(low: number, high: number): number {
    const at = this.locate(low, high, 1, false)
    return at >= 0 ? at : this.#offset((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0), 'fetch')
  }

  locate(low: number, high: number, bytes: number, write: boolean): number {
    const address = high * 2 ** 32 + (low >>> 0)
    for (const piece of this.#pieces) {
      if (address < piece.from || address + bytes > piece.to) continue
      return write && !piece.writable ? -1 : piece.offset + address - piece.from
    }
    return -1
  }

  #offset(address: bigint, access: Access): number {
    if (!isCanonical(address)) throw new Fault(GP, 0)
    const at = Number(address)
    for (const { from, to, offset, writable } of this.#pieces) {
      if (at < from || at >= to) continue
      if (access === 'write' && !writable) throw new Fault(PF, PF_PRESENT | PF_WRITE | PF_USER, address)
      return offset + at - from
    }
    throw new Fault(PF, PF_USER | (access === 'write' ? PF_WRITE : 0), address)
  }

  /** Where so many bytes lie; they may go on behind the end of a piece, in the next one. */
  #check(bytes: number, address: bigint, access: Access): number {
    const last = this.#limit(address + BigInt(bytes - 1))
    // Of an access across a page's end, the first page counts first; and the second fault is at the second page.
    const offset = this.#offset(address, access)
    if (!isCanonical(last)) throw new Fault(GP, 0)
    if (((address ^ last) & ~0xfffn) !== 0n) this.#offset(last & ~0xfffn, access)
    return offset
  }

  #limit(address: bigint): bigint {
    return BigInt.asUintN(this.mode, address)
  }

  load(size: Size, address: bigint): number | bigint {
    const offset = this.#check(size, address, 'read')
    switch (size) {
      case 1:
        return this.view.getUint8(offset)
      case 2:
        return this.view.getUint16(offset, true)
      case 4:
        return this.view.getUint32(offset, true)
      case 8:
        return this.view.getBigUint64(offset, true)
    }
  }

  store(size: Size, address: bigint, value: number | bigint): void {
    const offset = this.#check(size, address, 'write')
    switch (size) {
      case 1:
        this.view.setUint8(offset, value as number)
        break
      case 2:
        this.view.setUint16(offset, value as number, true)
        break
      case 4:
        this.view.setUint32(offset, value as number, true)
        break
      case 8:
        this.view.setBigUint64(offset, value as bigint, true)
    }
  }

  loadBytes(address: bigint, length: number): Uint8Array {
    const offset = this.#check(length, address, 'read')
    return this.#bytes.slice(offset, offset + length)
  }

  storeBytes(address: bigint, bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#check(bytes.length, address, 'write'))
  }

  writable(bytes: number, address: bigint): void {
    this.#check(bytes, address, 'write')
  }

  descriptor(selector: number): bigint | undefined {
    const isLocal = (selector & 4) !== 0
    return isLocal ? undefined : this.descriptors.get(selector >> 3)
  }

  cpuid(_leaf: number, _subleaf: number): readonly [number, number, number, number] {
    return [0, 0, 0, 0]
  }

  tsc(): bigint {
    return this.ticks++
  }
}
