/** DR0 to DR3, DR6 and DR7 of a vCPU, and what they say of an instruction's address or of an access (Intel SDM volume 3, 17.2). */
import {
  DR6_ONES,
  DR6_ZEROS,
  DR7_ACCESS,
  DR7_ENABLES,
  DR7_EXECUTE,
  DR7_ONES,
  DR7_WRITE,
  DR7_ZEROS,
  watchedBytes,
  watchedFor,
} from '#abi/pc/debug-registers.ts'
import { S_DR, S_DR6, S_DR7 } from './state.ts'
import type { Registers } from './state-access.ts'

const BREAKPOINTS = 4
const HALF = 2 ** 32

export class DebugRegisters {
  readonly #registers: Registers

  /** As after a reset. */
  constructor(registers: Registers) {
    this.#registers = registers
    for (let n = 0; n < BREAKPOINTS; n++) this.set(n, 0n)
    this.set(6, 0n)
    this.set(7, 0n)
  }

  get(n: number): bigint {
    const { view, base } = this.#registers
    if (n === 6) return BigInt(view.getUint32(base + S_DR6, true))
    return n === 7 ? BigInt(this.#control) : view.getBigUint64(base + S_DR + 8 * n, true)
  }
  /** `n`: 0 to 3, 6 or 7. */
  set(n: number, value: bigint): void {
    const { view, base } = this.#registers
    const low = Number(value & 0xffffffffn)
    if (n === 6) view.setUint32(base + S_DR6, (low & ~DR6_ZEROS) | DR6_ONES, true)
    else if (n === 7) view.setUint32(base + S_DR7, (low & ~DR7_ZEROS) | DR7_ONES, true)
    else view.setBigUint64(base + S_DR + 8 * n, BigInt.asUintN(64, value), true)
  }

  /** Any of them is enabled. */
  get areEnabled(): boolean {
    return (this.#control & DR7_ENABLES) !== 0
  }
  /** Any of those that were met (DR6_TRAPS) is enabled: by L or G. */
  raises(met: number): boolean {
    for (let n = 0; n < BREAKPOINTS; n++)
      if ((met & (1 << n)) !== 0 && (this.#control & (3 << (2 * n))) !== 0) return true
    return false
  }

  /** Which breakpoints an instruction at this address meets, enabled or not. The halves of an address are signed. */
  met(low: number, high: number): number {
    return this.#met(low, high, 1, true, false)
  }
  /** Which ones an access to so many bytes meets. */
  metBy(low: number, high: number, bytes: number, isWrite: boolean): number {
    return this.#met(low, high, bytes, false, isWrite)
  }

  #met(low: number, high: number, bytes: number, executes: boolean, isWrite: boolean): number {
    const control = this.#control
    let bits = 0
    for (let n = 0; n < BREAKPOINTS; n++) {
      const kind = watchedFor(control, n)
      const isMeant = executes ? kind === DR7_EXECUTE : kind === DR7_ACCESS || (isWrite && kind === DR7_WRITE)
      if (isMeant && this.#overlaps(n, executes ? 1 : watchedBytes(control, n), low, high, bytes)) bits |= 1 << n
    }
    return bits
  }

  #overlaps(n: number, length: number, low: number, high: number, bytes: number): boolean {
    const { view, base } = this.#registers
    const at = base + S_DR + 8 * n
    const first = (view.getInt32(at, true) & -length) >>> 0
    // What is far away need not be exact.
    const behind = (view.getInt32(at + 4, true) - high) * HALF + first - (low >>> 0)
    return behind < bytes && behind > -length
  }

  get #control(): number {
    const { view, base } = this.#registers
    return view.getUint32(base + S_DR7, true)
  }
}
