/** xen/arch/x86/smpboot.c and smp.c: starting the other processors, and asking them to do something. */
import type { Metal, PcpuCode } from '#abi/pc/metal.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { hex } from '../common/lib.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import { pauseUntil, type Steps } from '../steps.ts'
import { printk, type Xen } from '../xen.ts'
import { CALL_FUNCTION_VECTOR } from './apic.ts'
import { setupLocalApic } from './apic-verbosity.ts'
import { cpuText, identifyCpu } from './cpu.ts'
import { Pcpu } from './pcpu.ts'

/** Where the 16-bit entry of a further processor lies. */
export const BOOT_TRAMPOLINE = 0x8c000
const CALLIN_TIMEOUT_NS = 5e9
/** CPUs whose TSCs differ by more than this are reported. */
const TSC_SKEW_MAX_US = 2
/** From the call to the moment of reading: every processor looks for the call at least every 100 us. */
const TSC_MEETING_NS = 1_000_000
/** Between the last arrival at a rendezvous and the moment when all read their clocks. */
const RENDEZVOUS_NS = 2000

/** smp_call_function: run `call` on the given processors, by default all others that are online, without waiting for them. */
export function callFunction(xen: Xen, call: (pcpu: Pcpu) => undefined | Steps, targets?: readonly Pcpu[]): void {
  const self = xen.current
  for (const pcpu of targets ?? xen.pcpus) {
    if (pcpu === self || !pcpu.online) continue
    pcpu.calls.push(call)
    self.apic.ipi(pcpu.metal.cpu.apicId, CALL_FUNCTION_VECTOR)
  }
}

/** All online processors run `measure` at one instant. For the caller to `yield*`. */
export function* rendezvous(xen: Xen, measure: (pcpu: Pcpu) => void): Steps {
  const self = xen.current
  yield* self.drain()
  const meeting = { arrived: 0, atNs: Number.POSITIVE_INFINITY, measured: 0 }
  const others = xen.pcpus.filter((pcpu) => pcpu.online && pcpu !== self)
  callFunction(xen, (pcpu) => attend(pcpu))
  function* attend(pcpu: Pcpu): Steps {
    meeting.arrived++
    // Woken by nothing but time: the master's word is memory, which wakes nobody here.
    while (meeting.atNs === Number.POSITIVE_INFINITY) yield pauseUntil(pcpu.metal.now() + RENDEZVOUS_NS / 2)
    while (pcpu.metal.now() < meeting.atNs) yield pauseUntil(meeting.atNs)
    measure(pcpu)
    meeting.measured++
  }
  while (meeting.arrived < others.length) yield pauseUntil(self.metal.now() + RENDEZVOUS_NS / 2)
  meeting.atNs = self.metal.now() + 10 * RENDEZVOUS_NS
  while (self.metal.now() < meeting.atNs) yield pauseUntil(meeting.atNs)
  measure(self)
  while (meeting.measured < others.length) yield pauseUntil(self.metal.now() + RENDEZVOUS_NS / 2)
}

/** What a starting processor and the one that starts it tell each other. */
interface Handshake {
  calledIn: boolean
  /** Read your TSC at this time. */
  tscAtNs: number | undefined
  tsc: number | undefined
  /** smp_commenced: go on to the idle loop. */
  commenced: boolean
}

export interface Booted {
  readonly pcpu: Pcpu
  readonly handshake: Handshake
}

/** do_boot_cpu: INIT, STARTUP, and wait for it to call in. Undefined pushed nothing: it did not. */
export function* bootCpu(xen: Xen, id: number, apicId: number, booted: Booted[]): Steps {
  const self = xen.current
  const { apic } = self
  printk(xen, `Booting processor ${id}/${apicId} eip ${hex(BOOT_TRAMPOLINE)}\n`)
  const handshake: Handshake = { calledIn: false, tscAtNs: undefined, tsc: undefined, commenced: false }
  let pcpu: Pcpu | undefined
  const start = (metal: Metal): PcpuCode => {
    // A second STARTUP finds it running already.
    if (pcpu) return pcpu
    pcpu = new Pcpu(xen, id, metal)
    pcpu.push(secondary(xen, pcpu, handshake))
    return pcpu
  }
  xen.metal.plant(BOOT_TRAMPOLINE, start)
  apic.clearErrors()
  apic.assertInit(apicId)
  yield* self.delay(10)
  apic.deassertInit(apicId)
  for (let i = 0; i < 2; i++) {
    apic.clearErrors()
    apic.startup(apicId, BOOT_TRAMPOLINE / PAGE_SIZE)
    yield* self.delay(0.5)
  }
  const end = self.metal.now() + CALLIN_TIMEOUT_NS
  while (!handshake.calledIn && self.metal.now() < end) yield* self.delay(0.1)
  if (handshake.calledIn && pcpu) {
    printk(xen, `CPU${id}: ${cpuText(identifyCpu(pcpu.metal.cpu))}\n`)
    booted.push({ pcpu, handshake })
  } else {
    printk(xen, pcpu ? 'Stuck ??\n' : 'Not responding.\n')
    printk(xen, `CPU #${apicId} not responding - cannot use it.\n`)
  }
}

/** start_secondary: what a further processor does from its first instruction. */
function* secondary(xen: Xen, pcpu: Pcpu, handshake: Handshake): Steps {
  printk(xen, `${XENLOG_INFO}Initializing CPU#${pcpu.id}\n`)
  setupLocalApic(xen, pcpu)
  handshake.calledIn = true
  while (!handshake.commenced) {
    const { tscAtNs } = handshake
    if (tscAtNs !== undefined && handshake.tsc === undefined) {
      while (pcpu.metal.now() < tscAtNs) yield pauseUntil(tscAtNs)
      handshake.tsc = pcpu.metal.cpu.rdtsc()
    }
    yield* pcpu.delay(0.1)
  }
  pcpu.setStime(xen.time.platformStime())
  pcpu.online = true
  pcpu.enableInterrupts()
  yield* pcpu.idleLoop()
}

/**
 * synchronize_tsc_bp's check: the TSCs of all processors at one instant. The real one also sets them to 0; the machine's cannot be
 * written, and need not be.
 */
export function* checkTscSync(xen: Xen, booted: readonly Booted[]): Steps {
  const self = xen.current
  printk(xen, `checking TSC synchronization across ${booted.length + 1} CPUs: `)
  yield* self.drain()
  const atNs = self.metal.now() + TSC_MEETING_NS
  for (const { handshake } of booted) handshake.tscAtNs = atNs
  while (self.metal.now() < atNs) yield pauseUntil(atNs)
  const values = [self.metal.cpu.rdtsc()]
  for (const { handshake } of booted) {
    while (handshake.tsc === undefined) yield* self.delay(0.1)
    values.push(handshake.tsc)
  }
  const cpus = [self, ...booted.map(({ pcpu }) => pcpu)]
  const mean = Math.floor(values.reduce((sum, value) => sum + value, 0) / values.length)
  const cyclesPerUs = xen.time.tscHz / 1e6
  const skewed = values
    .map((value, i) => ({ id: cpus[i]!.id, us: Math.trunc((value - mean) / cyclesPerUs) }))
    .filter(({ us }) => Math.abs(us) > TSC_SKEW_MAX_US)
  if (skewed.length === 0) printk(xen, 'passed.\n')
  else {
    printk(xen, '\n')
    for (const { id, us } of skewed) printk(xen, `CPU#${id} had ${us} usecs TSC skew, fixed it up.\n`)
  }
}

/** __cpu_up: let it into the idle loop, and wait until it is online. */
export function* bringUp(xen: Xen, { pcpu, handshake }: Booted): Steps {
  handshake.commenced = true
  while (!pcpu.online) yield* xen.current.delay(0.1)
}
