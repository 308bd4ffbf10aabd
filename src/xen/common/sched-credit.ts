/**
 * xen/common/sched_credit.c: shares of the processors by weight. A running vCPU burns 100 credits each 10 ms tick; every 30 ms the active
 * ones are given new credits. Who has some (UNDER) goes before who has none (OVER); who wakes with some (BOOST) goes first.
 *
 * The real ticker goes on for ever. Here a processor's ticks stop while it idles and nobody is active, so that an idle host sleeps; when they
 * come again, they come at multiples of 10 ms, as if they had never stopped.
 */
import type { Pcpu } from '../arch-x86/pcpu.ts'
import type { Xen } from '../xen.ts'
import { hasCpu } from './cpulist.ts'
import { type Domain, runnable, type Vcpu } from './domain.ts'
import { startTicker } from './sched-credit-acct.ts'
import { tickle } from './schedule.ts'
import type { XenTimer } from './timer.ts'

export const DEFAULT_WEIGHT = 256
export const TICKS_PER_TSLICE = 3
export const TICKS_PER_ACCT = 3
export const MSECS_PER_TICK = 10
export const CREDITS_PER_TICK = 100
export const TICK_NS = MSECS_PER_TICK * 1e6
export const TSLICE_NS = TICKS_PER_TSLICE * TICK_NS
export const CREDITS_PER_TSLICE = CREDITS_PER_TICK * TICKS_PER_TSLICE
export const CREDITS_PER_ACCT = CREDITS_PER_TICK * TICKS_PER_ACCT

export const PRI_BOOST = 0
export const PRI_UNDER = -1
export const PRI_OVER = -2
export const PRI_IDLE = -64

export const FLAG_PARKED = 1

/** The counters that key r prints, in order. */
export const STATS = [
  'schedule',
  'acct_run',
  'acct_no_work',
  'acct_balance',
  'acct_reorder',
  'acct_min_credit',
  'acct_vcpu_active',
  'acct_vcpu_idle',
  'vcpu_sleep',
  'vcpu_wake_running',
  'vcpu_wake_onrunq',
  'vcpu_wake_runnable',
  'vcpu_wake_not_runnable',
  'vcpu_park',
  'vcpu_unpark',
  'tickle_local_idler',
  'tickle_local_over',
  'tickle_local_under',
  'tickle_local_other',
  'tickle_idlers_none',
  'tickle_idlers_some',
  'load_balance_idle',
  'load_balance_over',
  'load_balance_other',
  'steal_trylock_failed',
  'steal_peer_idle',
  'migrate_queued',
  'migrate_running',
  'dom_init',
  'dom_destroy',
  'vcpu_init',
  'vcpu_destroy',
] as const
export type SchedStat = (typeof STATS)[number]
export type SchedStats = Record<SchedStat, number>

/** csched_vcpu */
export interface CreditVcpu {
  credit: number
  flags: number
  pri: number
  /** On its domain's list of those who earn credits. */
  active: boolean
  creditLast: number
  creditIncr: number
  stateActive: number
  stateIdle: number
  migrateQ: number
  migrateR: number
}

/** csched_dom */
export interface CreditDomain {
  readonly activeVcpus: Vcpu[]
  weight: number
  cap: number
}

/** csched_pcpu */
export interface CreditPcpu {
  /** Those who wait, in order; the idle vCPU behind them all is understood. */
  readonly runq: Vcpu[]
  runqSortLast: number
  tick: number
  readonly ticker: XenTimer
  ticking: boolean
}

/** csched_priv. Processor 0 is the accounting master. */
export interface Credit {
  readonly activeDomains: Domain[]
  readonly idlers: Set<Pcpu>
  weight: number
  creditBalance: number
  runqSort: number
  readonly stats: SchedStats
  /** A debug build looks at the current vCPU, and at the next, each time. */
  vcpuCheck: number
}

export const makeCredit = (): Credit => ({
  activeDomains: [],
  idlers: new Set(),
  weight: 0,
  creditBalance: 0,
  runqSort: 0,
  vcpuCheck: 0,
  stats: Object.fromEntries(STATS.map((name) => [name, 0])) as SchedStats,
})

export const makeCreditVcpu = (): CreditVcpu => ({
  credit: 0,
  flags: 0,
  pri: PRI_UNDER,
  active: false,
  creditLast: 0,
  creditIncr: 0,
  stateActive: 0,
  stateIdle: 0,
  migrateQ: 0,
  migrateR: 0,
})

export const makeCreditPcpu = (tick: () => void): CreditPcpu => ({
  runq: [],
  runqSortLast: 0,
  tick: 0,
  ticker: { name: 'credit tick', expiresNs: 0, run: tick },
  ticking: false,
})

const priOf = (vcpu: Vcpu | undefined): number => (vcpu ? vcpu.sched.pri : PRI_IDLE)

function runqInsert(pcpu: Pcpu, vcpu: Vcpu): void {
  const { runq } = pcpu.sched
  const at = runq.findIndex((other) => vcpu.sched.pri > other.sched.pri)
  if (at < 0) runq.push(vcpu)
  else runq.splice(at, 0, vcpu)
}

function runqRemove(pcpu: Pcpu, vcpu: Vcpu): boolean {
  const at = pcpu.sched.runq.indexOf(vcpu)
  if (at >= 0) pcpu.sched.runq.splice(at, 1)
  return at >= 0
}

/** __runq_tickle: who should look at the queues because `vcpu` has come to wait on `pcpu`. */
function runqTickle(xen: Xen, pcpu: Pcpu, vcpu: Vcpu): void {
  const { stats, idlers } = xen.credit
  const current = priOf(pcpu.curr)
  const told = new Set<Pcpu>()
  // Strictly higher priority than what runs there.
  if (vcpu.sched.pri > current) {
    if (current === PRI_IDLE) stats.tickle_local_idler++
    else if (current === PRI_OVER) stats.tickle_local_over++
    else if (current === PRI_UNDER) stats.tickle_local_under++
    else stats.tickle_local_other++
    told.add(pcpu)
  }
  // It has two who want to run: the idlers may take one.
  if (current > PRI_IDLE) {
    if (idlers.size === 0) stats.tickle_idlers_none++
    else {
      stats.tickle_idlers_some++
      for (const idler of idlers) told.add(idler)
      for (const each of told) if (!hasCpu(vcpu.affinity, each.id)) told.delete(each)
    }
  }
  for (const each of told) tickle(xen, each)
}

/** csched_vcpu_wake */
export function creditWake(xen: Xen, vcpu: Vcpu): void {
  const { stats } = xen.credit
  const pcpu = xen.pcpus[vcpu.processor]!
  if (pcpu.curr === vcpu) {
    stats.vcpu_wake_running++
    return
  }
  if (pcpu.sched.runq.includes(vcpu)) {
    stats.vcpu_wake_onrunq++
    return
  }
  stats.vcpu_wake_runnable++
  if (vcpu.sched.pri === PRI_UNDER && !(vcpu.sched.flags & FLAG_PARKED)) vcpu.sched.pri = PRI_BOOST
  runqInsert(pcpu, vcpu)
  runqTickle(xen, pcpu, vcpu)
}

/** csched_vcpu_sleep */
export function creditSleep(xen: Xen, vcpu: Vcpu): void {
  const pcpu = xen.pcpus[vcpu.processor]!
  xen.credit.stats.vcpu_sleep++
  if (pcpu.curr === vcpu) tickle(xen, pcpu)
  else runqRemove(pcpu, vcpu)
}

/** csched_schedule: the head of the queue, or more urgent work from elsewhere. */
export function creditSchedule(xen: Xen, pcpu: Pcpu): { readonly next: Vcpu | undefined; readonly sliceNs: number } {
  const { stats, idlers } = xen.credit
  const { runq } = pcpu.sched
  stats.schedule++
  xen.credit.vcpuCheck += 2
  const { curr } = pcpu
  if (curr && runnable(curr)) runqInsert(pcpu, curr)
  let next: Vcpu | undefined = runq[0]
  if (priOf(next) > PRI_OVER) runq.shift()
  else next = loadBalance(xen, pcpu, next)
  if (next) idlers.delete(pcpu)
  else idlers.add(pcpu)
  // The real idle processors look around every 30 ms. These sleep until they are told that somebody waits.
  if (next && runq.length > 0)
    for (const idler of idlers) if (runq.some(({ affinity }) => hasCpu(affinity, idler.id))) tickle(xen, idler)
  if (next && !pcpu.sched.ticking) startTicker(pcpu)
  return { next, sliceNs: TSLICE_NS }
}

/** csched_load_balance */
function loadBalance(xen: Xen, pcpu: Pcpu, next: Vcpu | undefined): Vcpu | undefined {
  const { stats, idlers } = xen.credit
  const pri = priOf(next)
  if (pri === PRI_IDLE) stats.load_balance_idle++
  else stats.load_balance_over++
  const count = xen.pcpus.length
  for (let i = 1; i < count; i++) {
    const peer = xen.pcpus[(pcpu.id + i) % count]!
    if (!peer.online || idlers.has(peer)) continue
    const stolen = steal(xen, peer, pcpu, pri)
    if (stolen) return stolen
  }
  if (next) pcpu.sched.runq.shift()
  return next
}

/** csched_runq_steal */
function steal(xen: Xen, peer: Pcpu, pcpu: Pcpu, pri: number): Vcpu | undefined {
  const { stats } = xen.credit
  if (peer.curr) {
    for (const vcpu of peer.sched.runq) {
      if (vcpu.sched.pri <= pri) break
      if (vcpu.running || !hasCpu(vcpu.affinity, pcpu.id)) continue
      vcpu.sched.migrateQ++
      stats.migrate_queued++
      runqRemove(peer, vcpu)
      vcpu.processor = pcpu.id
      return vcpu
    }
  }
  stats.steal_peer_idle++
  return undefined
}
