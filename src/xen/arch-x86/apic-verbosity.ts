/** xen/arch/x86/apic.c, what it does at boot and, with apic_verbosity=, says of it. */
import { LAPIC_ID, LAPIC_LVT0, LAPIC_LVT1, LAPIC_VERSION } from '#abi/pc/apic.ts'
import { dec, HEX, hex } from '../common/lib.ts'
import { printk, type Xen } from '../xen.ts'
import type { Pcpu } from './pcpu.ts'

const APIC_VERBOSE = 1
const APIC_DEBUG = 2
/** Bits of the version register that can be written on no chip, so that it reads the same after an attempt. */
const VERSION_FLIP = 0x00ffffff

function apicPrintk(xen: Xen, level: number, text: string): void {
  if (xen.options.apicVerbosity >= level) printk(xen, `${text}\n`)
}

/** verify_local_APIC */
export function verifyLocalApic(xen: Xen, { apic }: Pcpu): void {
  const get = (name: string, register: number): void =>
    apicPrintk(xen, APIC_DEBUG, `Getting ${name}: ${hex(apic.read(register))}`)
  get('VERSION', LAPIC_VERSION)
  apic.write(LAPIC_VERSION, apic.read(LAPIC_VERSION) ^ VERSION_FLIP)
  get('VERSION', LAPIC_VERSION)
  get('ID', LAPIC_ID)
  get('LVT0', LAPIC_LVT0)
  get('LVT1', LAPIC_LVT1)
}

/** setup_local_APIC */
export function setupLocalApic(xen: Xen, { id, apic }: Pcpu): void {
  apic.setup(id)
  apicPrintk(xen, APIC_VERBOSE, `${id === 0 ? 'enabled' : 'masked'} ExtINT on CPU#${id}`)
}

/** calibrate_APIC_clock's findings. */
export function sayApicClock(xen: Xen): void {
  const { tscHz, busHz } = xen.time
  const mhz = (hz: number): string => `${Math.floor(hz / 1e6)}.${dec(Math.floor((hz % 1e6) / 100), 4)} MHz.`
  const picoseconds = Math.floor(1e12 / busHz)
  apicPrintk(xen, APIC_VERBOSE, 'Using local APIC timer interrupts.')
  apicPrintk(xen, APIC_VERBOSE, 'calibrating APIC timer ...')
  apicPrintk(xen, APIC_VERBOSE, `..... CPU clock speed is ${mhz(tscHz)}`)
  apicPrintk(xen, APIC_VERBOSE, `..... host bus clock speed is ${mhz(busHz)}`)
  apicPrintk(xen, APIC_VERBOSE, `..... bus_scale = 0x${HEX(Math.floor((1000 * 262144) / picoseconds), 8)}`)
}
