/**
 * How a guest kernel made of compiled modules (image kind `kernel`) meets its virtual CPU. What the binary interface of an x86-64
 * guest says with registers and SYSCALL, this says with calls; memory, hypercall numbers, structs and errors are the same.
 *
 * The image's entry module exports `start: GuestEntry`. Nothing else of Xen or of the machine is in its reach.
 */
import type { Mem } from '../mem.ts'
import type { CpuidLeaf, LoadedCode, LoadRefusal, PortIo } from '../pc/metal.ts'
import type { Vaddr } from './types.ts'

/** What a guest kernel gets for each of its virtual CPUs. */
export interface VirtualCpu {
  readonly vcpuId: number
  /** The vCPU's address space. Addresses are signed (types.ts). Touching what is not mapped, or writing what is read-only, is a page fault. */
  readonly mem: Mem
  /** RSI at the entry: where start_info lies. */
  readonly startInfo: Vaddr
  /**
   * A hypercall that returns at once: RAX, a negative errno for an error. Pointers in `args` are addresses of `mem`. What gives
   * the processor up (sched_op) is made by *returning* instead, see VcpuExit; called here it is -EINVAL.
   */
  hypercall(nr: number, ...args: readonly number[]): number
  /** RDTSC. */
  rdtsc(): number
  /** CPUID as Xen shows it to this domain. */
  cpuid(leaf: number): CpuidLeaf
  /**
   * IN and OUT. A domain without the privilege for the port (physdev_op's set_iopl, Xen's I/O port rangeset) reads all ones and writes
   * nothing, but for the few that Xen emulates.
   */
  readonly io: PortIo
  /**
   * Code of the guest's own: a program or a module, whose image's header lies at `va` of `mem`. What is loaded runs by the `LoadedCode` alone,
   * contained: a fault in it is the guest kernel's to deal with, as a processor's exception in user mode is. Charged by size.
   */
  load(va: Vaddr): LoadedCode | LoadRefusal
}

/** Why a guest's code came back to Xen. */
export type VcpuExit =
  /** The deadline came; run me again. */
  | { readonly kind: 'run' }
  /** The hypercall that ends this run; its result is the next run's `result`. */
  | { readonly kind: 'hypercall'; readonly nr: number; readonly args: readonly number[] }

export interface VcpuCode {
  /**
   * Go on until `deadlineNs` (ns of system time) at the latest. `result` is what the hypercall returned that ended the last run; 0
   * otherwise. Never re-entered.
   */
  run(deadlineNs: number, result: number): VcpuExit
  /** The event callback: an event is pending and not masked. Called between runs. */
  upcall(): void
  /** The NMI callback, for kernels that register one (callback_op, nmi_op): called between runs, with events masked. */
  nmi?(): void
}

export type GuestEntry = (vcpu: VirtualCpu) => VcpuCode
