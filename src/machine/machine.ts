/**
 * The whole machine as the world drives it: the board's pins on the side of processors and of the outside. `createMachine` in
 * board.ts solders it together.
 */
import type { Mem } from '#abi/mem.ts'
import type { Bios } from '#abi/pc/bios.ts'
import type { LinkInput, LinkOutput } from '#abi/pc/hostlink.ts'
import type { CpuidLeaf, PortIo } from '#abi/pc/metal.ts'
import type { BlockStore } from '#lib/ondisk/block-store.ts'
import type { EventQueue } from './events.ts'
import type { ProcessorMemory } from './processor-memory.ts'

export interface MachineConfig {
  /** Installed RAM that the guest may use, in MiB; the WebAssembly.Memory is 64 MiB larger (design D3). */
  readonly memoryMiB: number
  /** Primary master; undefined: no disk in the drive bay. */
  readonly disk: BlockStore | undefined
  /** Secondary master. */
  readonly secondDisk?: BlockStore | undefined
  /** Entropy for the chips that have any. */
  readonly seed: number
  /** The wall clock at power-on, seconds since 1970 (design D13). */
  readonly epochSeconds: number
}

/** What leaves the machine, called at the virtual time at which it does. */
export interface MachineWires {
  serialOut(line: 'com1' | 'com2', byte: number): void
  /** The CPU's reset line: keyboard controller, port CF9, triple fault, the reset button. */
  reset(): void
  /** S5 by the ACPI PM1a control register. */
  powerOff(): void
  /** A STARTUP IPI reached processor `cpu`: begin at physical page `vector`. An INIT stops it first. */
  startup(cpu: number, vector: number): void
  init(cpu: number): void
  /** Processor `cpu` may have an interrupt or an NMI to take now: wake it. */
  interrupt(cpu: number): void
  /** The running processor waited `ns` for the hardware (a BIOS call that polls a disk). */
  charge(ns: number): void
  /** The drive has done FLUSH CACHE: the writes until now are an ordered batch (design D11). */
  diskFlushed?(): void
  /** Something leaves on a host link. */
  linkOut?(id: number, output: LinkOutput): void
  /** Text for observers, from the host link chip. */
  trace?(bytes: Uint8Array): void
}

export interface Machine {
  readonly events: EventQueue
  readonly mem: Mem
  /** RAM for who executes machine code. */
  readonly processorMemory: ProcessorMemory
  readonly io: PortIo
  readonly bios: Bios
  readonly cpuCount: number
  cpuid(cpu: number, leaf: number, subleaf?: number): CpuidLeaf
  /** Which processor's local APIC answers at LAPIC_BASE from now on. */
  selectCpu(cpu: number): void
  /** The vector that `cpu` would take now (INTR acknowledged, IRR to ISR), or undefined. */
  acceptInterrupt(cpu: number): number | undefined
  /** Whether `acceptInterrupt` or `takeNmi` would give something. */
  interruptPending(cpu: number): boolean
  /** Whether `takeNmi` would be true. */
  nmiPending(cpu: number): boolean
  /** True once per NMI. */
  takeNmi(cpu: number): boolean
  /** Bytes from outside, queued without limit and paced by the line's speed (design D10). */
  serialIn(line: 'com1' | 'com2', bytes: readonly number[]): void
  /** Scan codes of set 1 from the keyboard. */
  keyboardIn(scancodes: readonly number[]): void
  linkIn(id: number, input: LinkInput): void
  /** The NMI button. */
  nmiButton(): void
  /** Power on or reset: chips to their reset state; a reset keeps RAM, a power-on finds it zero. */
  reset(cold: boolean): void
  /** Power off: every event cancelled, the screen dark. */
  powerDown(): void
  /**
   * Firmware's POST: tables, map, screen; then the boot sector of the first disk at 0x7c00. Yields ns to wait. Returns false (and leaves a
   * message on the screen) when nothing can be booted. Runs as the boot processor's code.
   */
  post(): Generator<number, boolean>
  /** VGA text and cursor, in protocol/machine.ts's shape; `version` changes with every visible change. */
  screen(): {
    readonly columns: number
    readonly rows: number
    readonly cells: Uint8Array
    readonly cursor: { readonly row: number; readonly column: number; readonly visible: boolean }
  }
  screenVersion(): number
  /** RAM that was ever written, chip states: everything but code, folded to hex (lib/digest.ts). */
  digest(): string
}
