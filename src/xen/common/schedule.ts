/**
 * xen/common/schedule.c: which vCPU runs on a processor, what wakes one, and its timers. The policy is sched-credit.ts.
 */
import { EINVAL } from '#abi/xen/errno.ts'
import { TRC_SCHED_SLEEP, TRC_SCHED_WAKE } from '#abi/xen/trace.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import {
  RUNSTATE_blocked,
  RUNSTATE_offline,
  RUNSTATE_runnable,
  RUNSTATE_running,
  vcpu_runstate_info,
  vcpu_time_info,
} from '#abi/xen/vcpu.ts'
import { VIRQ_TIMER, vcpu_info } from '#abi/xen/xen.ts'
import { EVENT_CHECK_VECTOR } from '../arch-x86/apic.ts'
import { GuestPageFault } from '../arch-x86/mm.ts'
import type { Pcpu } from '../arch-x86/pcpu.ts'
import { now, type Xen } from '../xen.ts'
import { hasCpu } from './cpulist.ts'
import { type Domain, runnable, type Vcpu, VPF_blocked, VPF_migrating } from './domain.ts'
import { domainChanged, domainRunsOn, tellDomains } from './domain-probe.ts'
import { sendVcpuVirq } from './event-channel.ts'
import { creditSchedule, creditSleep, creditWake, TSLICE_NS } from './sched-credit.ts'
import { creditPickCpu } from './sched-credit-control.ts'
import { SCHEDULE_SOFTIRQ } from './softirq.ts'
import type { XenTimer } from './timer.ts'
import { trace, traceSwitch } from './trace.ts'
import { traceRunstate } from './tracer.ts'

export const SCHEDULER = { name: 'SMP Credit Scheduler', optName: 'credit' } as const

/** A timer of a vCPU's: it lives with the processor that set it last. */
export interface VcpuTimer extends XenTimer {
  pcpu: Pcpu | undefined
}

export const makeVcpuTimer = (name: string, run: () => void): VcpuTimer => ({
  name,
  expiresNs: 0,
  run,
  pcpu: undefined,
})

export function stopVcpuTimer(timer: VcpuTimer): void {
  timer.pcpu?.timers.stop(timer)
  timer.pcpu = undefined
}

export function setVcpuTimer(xen: Xen, timer: VcpuTimer, expiresNs: number): void {
  if (timer.pcpu !== xen.current) stopVcpuTimer(timer)
  timer.pcpu = xen.current
  xen.current.setTimer(timer, expiresNs)
}

/** cpu_raise_softirq(SCHEDULE_SOFTIRQ), with the IPI that gets a sleeper out of bed. */
export function tickle(xen: Xen, pcpu: Pcpu): void {
  pcpu.raise(SCHEDULE_SOFTIRQ)
  if (pcpu !== xen.current) xen.current.apic.ipi(pcpu.metal.cpu.apicId, EVENT_CHECK_VECTOR)
}

// --- Run states ---

function runstateChange(xen: Xen, vcpu: Vcpu, state: number, nowNs: number): void {
  const { runstate } = vcpu
  // Processors' clocks are not quite the same: who stops one from another may be early.
  runstate.time[runstate.state] = runstate.time[runstate.state]! + Math.max(0, nowNs - runstate.entryNs)
  runstate.entryNs = nowNs
  runstate.state = state
  traceRunstate(xen, vcpu)
}

/** Nanoseconds that it has spent in run state `i` so far. */
export function timeIn(xen: Xen, vcpu: Vcpu, i: number): number {
  const { state, entryNs, time } = vcpu.runstate
  return Math.floor(time[i]! + (i === state ? Math.max(0, now(xen) - entryNs) : 0))
}

/** vcpu_runstate_get, as the struct's bytes at `at` of `mem`. */
export function writeRunstate(xen: Xen, vcpu: Vcpu, mem: Xen['mem'], at: number): void {
  const { state, entryNs } = vcpu.runstate
  const word = (i: number): bigint => BigInt(timeIn(xen, vcpu, i))
  vcpu_runstate_info.write(mem, at, {
    state,
    state_entry_time: BigInt(Math.floor(entryNs)),
    time_running: word(RUNSTATE_running),
    time_runnable: word(RUNSTATE_runnable),
    time_blocked: word(RUNSTATE_blocked),
    time_offline: word(RUNSTATE_offline),
  })
}

// --- Waking and sleeping ---

/** vcpu_wake: something about its flags has changed; if it can run now, it gets into a queue. */
export function vcpuWake(xen: Xen, vcpu: Vcpu): void {
  if (runnable(vcpu)) {
    if (vcpu.runstate.state >= RUNSTATE_blocked) runstateChange(xen, vcpu, RUNSTATE_runnable, now(xen))
    creditWake(xen, vcpu)
  } else if ((vcpu.pauseFlags & VPF_blocked) === 0 && vcpu.runstate.state === RUNSTATE_blocked)
    runstateChange(xen, vcpu, RUNSTATE_offline, now(xen))
  trace(xen, TRC_SCHED_WAKE, 2, vcpu.domain.id, vcpu.id)
}

/** vcpu_sleep_nosync: it may no longer run. */
export function vcpuSleep(xen: Xen, vcpu: Vcpu): void {
  if (runnable(vcpu)) return
  if (vcpu.runstate.state === RUNSTATE_runnable) runstateChange(xen, vcpu, RUNSTATE_offline, now(xen))
  creditSleep(xen, vcpu)
  trace(xen, TRC_SCHED_SLEEP, 2, vcpu.domain.id, vcpu.id)
}

/**
 * vcpu_sleep_sync: it may no longer run, and its processor has let go of it. Where the real one waits, this takes it off: a processor that
 * is not the one whose code runs now is between two turns of its vCPU.
 */
export function vcpuSleepSync(xen: Xen, vcpu: Vcpu): void {
  vcpuSleep(xen, vcpu)
  const pcpu = xen.pcpus[vcpu.processor]!
  if (runnable(vcpu) || pcpu.curr !== vcpu || pcpu === xen.current) return
  traceSwitch(xen, pcpu, vcpu, undefined, now(xen), TSLICE_NS)
  descheduled(xen, vcpu, now(xen))
  pcpu.curr = undefined
  pcpu.idleSinceNs = now(xen)
  xen.credit.idlers.add(pcpu)
  vcpuMigrate(xen, vcpu)
}

/** vcpu_pause_nosync */
export function pauseVcpu(xen: Xen, vcpu: Vcpu): void {
  vcpu.pauseCount++
  vcpuSleep(xen, vcpu)
}

export function unpauseVcpu(xen: Xen, vcpu: Vcpu): void {
  if (--vcpu.pauseCount === 0) vcpuWake(xen, vcpu)
}

/** vcpu_unblock */
export function vcpuUnblock(xen: Xen, vcpu: Vcpu): void {
  if ((vcpu.pauseFlags & VPF_blocked) === 0) return
  vcpu.pauseFlags &= ~VPF_blocked
  vcpu.polling = false
  domainChanged(xen, vcpu.domain)
  vcpuWake(xen, vcpu)
}

/** vcpu_kick: it has something to take. One that runs elsewhere looks when it comes out of its guest. */
export const vcpuKick = vcpuUnblock

/** Who polls in `domain` looks at his ports again. */
export function pollWake(xen: Xen, domain: Domain): void {
  if (!domain.polling) return
  domain.polling = false
  for (const vcpu of domain.vcpus) {
    if (!vcpu?.polling) continue
    vcpu.polling = false
    vcpuUnblock(xen, vcpu)
  }
}

// --- Which processor ---

/** vcpu_set_affinity: `map` has a byte for each eight processors. */
export function vcpuSetAffinity(xen: Xen, vcpu: Vcpu, map: Uint8Array): number {
  if (vcpu.domain.pinned) return -EINVAL
  if (!xen.pcpus.some(({ online, id }) => online && hasCpu(map, id))) return -EINVAL
  vcpu.affinity.set(map)
  if (hasCpu(map, vcpu.processor)) return 0
  vcpu.pauseFlags |= VPF_migrating
  vcpuSleep(xen, vcpu)
  vcpuMigrate(xen, vcpu)
  return 0
}

/** vcpu_migrate: to another processor if that is asked of it, once it is off its own. */
function vcpuMigrate(xen: Xen, vcpu: Vcpu): void {
  if (vcpu.running || (vcpu.pauseFlags & VPF_migrating) === 0) return
  vcpu.pauseFlags &= ~VPF_migrating
  vcpu.processor = creditPickCpu(xen, vcpu)
  vcpuWake(xen, vcpu)
}

// --- Timers ---

/** vcpu_periodic_timer_work */
export function periodicTimerWork(xen: Xen, vcpu: Vcpu): void {
  if (vcpu.periodicNs === 0) return
  const nowNs = now(xen)
  let next = vcpu.periodicLastNs + vcpu.periodicNs
  if (nowNs > next) {
    sendVcpuVirq(xen, vcpu, VIRQ_TIMER)
    vcpu.periodicLastNs = nowNs
    next = nowNs + vcpu.periodicNs
  }
  setVcpuTimer(xen, vcpu.periodicTimer, next)
}

// --- The main function ---

/** It is no longer on its processor. */
function descheduled(xen: Xen, prev: Vcpu, nowNs: number): void {
  const state = prev.pauseFlags & VPF_blocked ? RUNSTATE_blocked : runnable(prev) ? RUNSTATE_runnable : RUNSTATE_offline
  runstateChange(xen, prev, state, nowNs)
  prev.running = false
  domainChanged(xen, prev.domain)
  stopVcpuTimer(prev.periodicTimer)
}

/** schedule(): deschedule what runs here, pick what runs next. */
export function schedule(xen: Xen, pcpu: Pcpu): void {
  switchVcpu(xen, pcpu)
  tellDomains(xen)
}

function switchVcpu(xen: Xen, pcpu: Pcpu): void {
  const nowNs = pcpu.now()
  const prev = pcpu.curr
  pcpu.stopTimer(pcpu.sliceTimer)
  const { next, sliceNs } = creditSchedule(xen, pcpu)
  pcpu.curr = next
  // An idle processor needs nobody to end its slice.
  if (next) pcpu.setTimer(pcpu.sliceTimer, nowNs + sliceNs)
  if (next === prev) {
    if (prev) domainRunsOn(xen, prev.domain)
    return
  }
  traceSwitch(xen, pcpu, prev, next, nowNs, sliceNs)
  if (prev) descheduled(xen, prev, nowNs)
  else pcpu.idleNs += Math.max(0, nowNs - pcpu.idleSinceNs)
  if (prev) vcpuMigrate(xen, prev)
  if (!next) {
    pcpu.idleSinceNs = nowNs
    return
  }
  runstateChange(xen, next, RUNSTATE_running, nowNs)
  next.running = true
  domainChanged(xen, next.domain)
  pcpu.loaded = next
  updateSystemTime(xen, pcpu, next)
  periodicTimerWork(xen, next)
  if (next.runstateArea !== undefined) fillRunstateArea(xen, next, next.runstateArea)
}

/** Where the guest wanted it, if that is still there. */
export function fillRunstateArea(xen: Xen, vcpu: Vcpu, va: Vaddr): void {
  try {
    writeRunstate(xen, vcpu, vcpu.mem, va)
  } catch (thrown) {
    if (!(thrown instanceof GuestPageFault)) throw thrown
  }
}

/** update_vcpu_system_time: this processor's clock, for the guest to go on from. */
export function updateSystemTime(xen: Xen, pcpu: Pcpu, vcpu: Vcpu): void {
  const { mem } = xen
  const at = vcpu.infoAt + vcpu_info.fields.time_version.offset
  const { fields } = vcpu_time_info
  if (vcpu.timeFrom === pcpu && vcpu.timeStamp === pcpu.tscStamp) return
  vcpu.timeFrom = pcpu
  vcpu.timeStamp = pcpu.tscStamp
  const version = (fields.version.get(mem, at) + 1) | 1
  fields.version.set(mem, at, version >>> 0)
  fields.tsc_timestamp.set(mem, at, BigInt(pcpu.tscStamp))
  fields.system_time.set(mem, at, BigInt(pcpu.stimeStamp))
  fields.tsc_to_system_mul.set(mem, at, xen.time.tscMul)
  fields.tsc_shift.set(mem, at, xen.time.tscShift & 0xff)
  fields.version.set(mem, at, (version + 1) >>> 0)
}
