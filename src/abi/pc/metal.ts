/**
 * The bare metal: what a boot loader or a hypervisor may touch, and how its code is run. An image's entry point gets one
 * `Metal` per processor and reaches nothing else.
 */
import type { Mem } from '../mem.ts'
import type { Probe } from '../probe.ts'
import type { Tracer } from '../tracer.ts'
import type { Bios } from './bios.ts'
import type { Ring3 } from './ring3.ts'

/** The I/O ports: IN and OUT. Nothing answers at an empty port: all ones. */
export interface PortIo {
  in8(port: number): number
  in16(port: number): number
  in32(port: number): number
  out8(port: number, value: number): void
  out16(port: number, value: number): void
  out32(port: number, value: number): void
}

export interface CpuidLeaf {
  readonly eax: number
  readonly ebx: number
  readonly ecx: number
  readonly edx: number
}

/** One processor. */
export interface Cpu {
  /** Local APIC id; 0 is the boot processor. */
  readonly apicId: number
  /** RDTSC: cycles since power-on, from this processor's own virtual time. */
  rdtsc(): number
  /** `subleaf`: ECX; 0 where it is left out. */
  cpuid(leaf: number, subleaf?: number): CpuidLeaf
  /** Spend `ns` of virtual time that no fuel count covers (a delay loop, a native call). */
  charge(ns: number): void
}

/** Work that is done natively and charged by size. */
export interface Natives {
  /** Raw DEFLATE (RFC 1951). Undefined where the data is corrupt or cut short. `sizeHint` is the length expected, if known. */
  inflate(deflated: Uint8Array, sizeHint?: number): Uint8Array | undefined
}

/** Registers at a jump: what multiboot and the boot sector's contract define. */
export interface Regs {
  readonly eax?: number
  readonly ebx?: number
  /** DL: the BIOS drive booted from. */
  readonly edx?: number
}

/** Why a processor's code came back. */
export type Exit =
  /** The deadline came, or there is more to do: run me again. */
  | { readonly kind: 'run' }
  /** HLT. Without `interrupts` (CLI; HLT) only an NMI or a reset ends it. */
  | { readonly kind: 'hlt'; readonly interrupts: boolean }
  /**
   * A polling loop, folded: nothing it looks at can change before the next device event or `untilNs` (this CPU's time, may be Infinity).
   * `forInput`: the time limit only serves a person who may type (a menu's countdown); turbo stops here, so nobody is overrun.
   */
  | { readonly kind: 'pause'; readonly untilNs: number; readonly forInput: boolean }
  /** Jump to the image whose header lies at physical address `to`. */
  | { readonly kind: 'jump'; readonly to: number; readonly regs: Regs }

/** Code on a processor. `run` is never re-entered; interrupts are delivered between runs. */
export interface PcpuCode {
  /** Go on until `deadlineNs` of this CPU's time at the latest (run-to-completion work may overshoot). */
  run(deadlineNs: number): Exit
  /** An interrupt of `vector`, accepted by the local APIC (or by the 8259 in legacy mode). */
  interrupt(vector: number): void
  nmi(): void
}

/** What went wrong in code that `LoadedCode.call` ran, in one line without engine words, and where in its own source. */
export interface CodeFault {
  readonly message: string
  readonly file: string | undefined
  readonly line: number | undefined
}

/** What came of running an image's code. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: CodeFault }

/** An image found in memory, ready to run: a guest kernel as its hypervisor sees it, a program as its kernel does. */
export interface LoadedCode {
  readonly ok: true
  /** ImageKind, abi/image.ts. */
  readonly kind: number
  /** The image's own name, `vmlinuz`. */
  readonly name: string
  /** From the header to the code's last byte. */
  readonly bytes: number
  /** Evaluate it afresh: what the entry module exports. Once for each boot, domain and exec. */
  instantiate(): Outcome<Readonly<Record<string, unknown>>>
  /**
   * Run the image's code. Whatever leaves it as a throw, also what no image can catch (fuel used up, stack overflow), ends the call and
   * comes back as a fault; the caller goes on. `sliceNs`: generators compiled with preemption yield `undefined` once they have used so
   * much time; without it they never do.
   */
  call<T>(body: () => T, sliceNs?: number): Outcome<T>
  /**
   * For whoever the code in `call` calls back (a hypercall): do `body` to its end, however little time that code has left. Throws what `body`
   * throws.
   */
  serve<T>(body: () => T): T
}

/** No image begins at that address, or it may not run. `why` is one line. */
export interface LoadRefusal {
  readonly ok: false
  /** An image's header is there: it is the image that is wrong. */
  readonly isImage: boolean
  readonly why: string
}

export interface Metal {
  /** Physical memory; 0xA0000 to 0xFFFFF and the APICs' pages are devices. */
  readonly mem: Mem
  readonly io: PortIo
  readonly cpu: Cpu
  readonly natives: Natives
  /** BIOS services, as long as the boot processor is in real mode: until the hypervisor's entry. */
  readonly bios: Bios
  /** This processor's virtual time in ns since power-on. For `pause` and `run`, never for guests (they have the TSC). */
  now(): number
  /** The AP trampoline: code "written" at a page below 1 MiB; a STARTUP IPI with vector `paddr / 4096` starts it. */
  plant(paddr: number, start: (metal: Metal) => PcpuCode): void
  /**
   * The processor begins executing at `at` of the address space `mem`: the image whose header lies there is read through `mem`,
   * verified and made ready. Charged by size.
   */
  load(mem: Mem, at: number): LoadedCode | LoadRefusal
  /** A context to execute machine code in; its registers are those of a reset, in ring 3 and 64-bit mode. Undefined: the machine has no room for one more. */
  ring3(): Ring3 | undefined
  /** Tell observers something, at no cost and with no effect (design D9). */
  probe(event: Probe): void
  /** The same, many times a second: what happened as numbers (abi/tracer.ts). */
  readonly trace: Tracer
}

/** The contract of boot sector, stage2 and hypervisor images: their entry module exports `start`. */
export type MetalEntry = (metal: Metal, regs: Regs) => PcpuCode
