/** A vCPU with page tables of its own and nothing else around it: what translated code, the interpreter and the page walk are tried out on. */
import { S_BYTES, S_MODE } from '#cpu/state.ts'
import { setGpr, setRip } from '#cpu/state-access.ts'
import { Translator, type TranslatorOptions } from '#cpu/translate/translator.ts'
import { Vcpu, type VcpuHost } from '#cpu/vcpu.ts'

export const PRESENT = 1n
export const WRITABLE = 2n
export const USER = 4n
export const NO_EXECUTE = 1n << 63n

const MEMORY_BYTES = 8 << 20
const PAGE = 4096
/** Frames of page tables come from here on; the top one is the first. */
const TABLES = 1024

export class PagedMachine {
  readonly view: DataView
  readonly bytes: Uint8Array
  readonly vcpu: Vcpu
  readonly translator: Translator | undefined
  readonly base: number
  #tables = TABLES + 1

  /** `threshold` undefined: everything is interpreted. */
  constructor(threshold?: number, host: Partial<VcpuHost> = {}, options: TranslatorOptions = {}) {
    const memory = new WebAssembly.Memory({ initial: MEMORY_BYTES >> 16, maximum: MEMORY_BYTES >> 16 })
    this.view = new DataView(memory.buffer)
    this.bytes = new Uint8Array(memory.buffer)
    this.base = MEMORY_BYTES - Math.ceil(S_BYTES / PAGE) * PAGE
    const top = this.base / PAGE
    this.translator = threshold === undefined ? undefined : new Translator(memory, options)
    const around: VcpuHost = {
      pageOf: (frame) => (frame < top ? frame * PAGE : -1),
      descriptor: () => undefined,
      cpuid: () => [1, 2, 3, 4],
      tsc: () => 5n,
      ...host,
    }
    this.vcpu = new Vcpu(memory.buffer, this.base, around, this.translator, threshold)
    for (const context of [0, 1] as const) this.vcpu.setRoot(context, TABLES)
  }

  /** Offset of the entry of the last level for an address; tables are made as they are needed. */
  entry(address: bigint): number {
    let table = TABLES
    for (const shift of [39n, 30n, 21n]) {
      const at = table * PAGE + Number((address >> shift) & 511n) * 8
      if (this.view.getBigUint64(at, true) === 0n)
        this.view.setBigUint64(at, (BigInt(this.#tables++) << 12n) | PRESENT | WRITABLE | USER, true)
      table = Number((this.view.getBigUint64(at, true) >> 12n) & 0xfffffffn)
    }
    return table * PAGE + Number((address >> 12n) & 511n) * 8
  }

  /** A page of linear addresses onto a frame. */
  map(address: bigint, frame: number, rights = PRESENT | WRITABLE | USER): void {
    this.view.setBigUint64(this.entry(address), (BigInt(frame) << 12n) | rights, true)
  }

  /** `code` at `address`, on pages of frames from `frame` on. */
  load(address: bigint, code: Uint8Array, frame: number, rights = PRESENT | WRITABLE | USER): void {
    const first = address & ~0xfffn
    const pages = Math.ceil((Number(address - first) + code.length) / PAGE)
    for (let n = 0; n < pages; n++) this.map(first + BigInt(n * PAGE), frame + n, rights)
    this.bytes.set(code, frame * PAGE + Number(address - first))
    setRip(this.vcpu, address)
  }

  set(registers: readonly (readonly [n: number, value: bigint])[]): void {
    for (const [n, value] of registers) setGpr(this.vcpu, n, value)
  }
  setMode(mode: 32 | 64): void {
    this.view.setUint32(this.base + S_MODE, mode, true)
  }
}

export const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
