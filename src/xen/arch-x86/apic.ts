/** xen/arch/x86/apic.c and genapic/delivery.c: the local APIC of the running processor, in flat logical mode. */
import type { Mem } from '#abi/mem.ts'
import {
  APIC_DM_FIXED,
  APIC_DM_INIT,
  APIC_DM_NMI,
  APIC_DM_STARTUP,
  APIC_INT_ASSERT,
  APIC_LVT_MASKED,
  LAPIC_BASE,
  LAPIC_DFR,
  LAPIC_EOI,
  LAPIC_ESR,
  LAPIC_ICR,
  LAPIC_ICR2,
  LAPIC_ID,
  LAPIC_LDR,
  LAPIC_LVT0,
  LAPIC_LVT1,
  LAPIC_LVTT,
  LAPIC_SPIV,
  LAPIC_SPIV_ENABLED,
  LAPIC_TDCR,
  LAPIC_TMCCT,
  LAPIC_TMICT,
  LAPIC_TPR,
  LAPIC_VERSION,
} from '#abi/pc/apic.ts'

/** Vectors, as asm-x86/mach-default/irq_vectors.h has them. */
export const SPURIOUS_APIC_VECTOR = 0xff
export const EVENT_CHECK_VECTOR = 0xfc
export const CALL_FUNCTION_VECTOR = 0xfb
export const LOCAL_TIMER_VECTOR = 0xf9
export const FIRST_HIPRIORITY_VECTOR = 0xf0
export const FIRST_LEGACY_VECTOR = 0xe0

const APIC_DFR_FLAT = 0xffffffff
const APIC_DM_EXTINT = 0x700
const APIC_TDR_DIV_1 = 0xb
const APIC_INT_LEVELTRIG = 1 << 15

export class LocalApic {
  readonly #mem: Mem

  constructor(mem: Mem) {
    this.#mem = mem
  }

  read(register: number): number {
    return this.#mem.read32(LAPIC_BASE + register)
  }

  write(register: number, value: number): void {
    this.#mem.write32(LAPIC_BASE + register, value >>> 0)
  }

  get id(): number {
    return this.read(LAPIC_ID) >>> 24
  }

  get version(): number {
    return this.read(LAPIC_VERSION) & 0xff
  }

  /** setup_local_APIC: accept everything, 8259 and NMI on the boot processor only. */
  setup(cpu: number): void {
    this.write(LAPIC_DFR, APIC_DFR_FLAT)
    this.write(LAPIC_LDR, ((1 << cpu) << 24) >>> 0)
    this.write(LAPIC_TPR, 0)
    this.write(LAPIC_SPIV, LAPIC_SPIV_ENABLED | SPURIOUS_APIC_VECTOR)
    this.write(LAPIC_LVT0, cpu === 0 ? APIC_DM_EXTINT : APIC_DM_EXTINT | APIC_LVT_MASKED)
    this.write(LAPIC_LVT1, cpu === 0 ? APIC_DM_NMI : APIC_DM_NMI | APIC_LVT_MASKED)
  }

  eoi(): void {
    this.write(LAPIC_EOI, 0)
  }

  #icr(low: number, apicId: number): void {
    this.write(LAPIC_ICR2, (apicId << 24) >>> 0)
    this.write(LAPIC_ICR, low)
  }

  clearErrors(): void {
    this.write(LAPIC_ESR, 0)
  }

  assertInit(apicId: number): void {
    this.#icr(APIC_INT_LEVELTRIG | APIC_INT_ASSERT | APIC_DM_INIT, apicId)
  }

  deassertInit(apicId: number): void {
    this.#icr(APIC_INT_LEVELTRIG | APIC_DM_INIT, apicId)
  }

  /** Begin at physical page `page`. */
  startup(apicId: number, page: number): void {
    this.#icr(APIC_DM_STARTUP | page, apicId)
  }

  ipi(apicId: number, vector: number): void {
    this.#icr(APIC_INT_ASSERT | APIC_DM_FIXED | vector, apicId)
  }

  nmi(apicId: number): void {
    this.#icr(APIC_INT_ASSERT | APIC_DM_NMI, apicId)
  }

  /** The timer, one shot, `ticks` of the bus clock from now; 0 stops it. */
  setTimer(ticks: number): void {
    this.write(LAPIC_LVTT, LOCAL_TIMER_VECTOR)
    this.write(LAPIC_TDCR, APIC_TDR_DIV_1)
    this.write(LAPIC_TMICT, ticks)
  }

  timerCount(): number {
    return this.read(LAPIC_TMCCT)
  }
}
