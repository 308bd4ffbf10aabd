/**
 * xen/common/sched_credit.c, the accounts: ticks, what runs pays, and new credits for all who are active.
 *
 * One departure: the real one shares out the credits of all processors among all domains, also those of processors that nobody who wants
 * to run is allowed on. Two vCPUs pinned to one of two processors are then never short of credits, and their weights count for nothing.
 * Here processors are shared out among those who may run there (`islands`); without pinning the two are the same.
 */
import type { Pcpu } from '../arch-x86/pcpu.ts'
import type { Xen } from '../xen.ts'
import { hasCpu } from './cpulist.ts'
import type { Vcpu } from './domain.ts'
import {
  CREDITS_PER_ACCT,
  CREDITS_PER_TICK,
  CREDITS_PER_TSLICE,
  FLAG_PARKED,
  PRI_BOOST,
  PRI_OVER,
  PRI_UNDER,
  TICK_NS,
  TICKS_PER_ACCT,
} from './sched-credit.ts'
import { pauseVcpu, unpauseVcpu } from './schedule.ts'

function setTicker(pcpu: Pcpu, nowNs: number): void {
  pcpu.sched.ticking = true
  pcpu.setTimer(pcpu.sched.ticker, (Math.floor(nowNs / TICK_NS) + 1) * TICK_NS)
}

export function startTicker(pcpu: Pcpu): void {
  setTicker(pcpu, pcpu.now())
  // The master's are everybody's accounts.
  const master = pcpu.xen.pcpus[0]!
  if (!master.sched.ticking) setTicker(master, pcpu.now())
}

/** csched_tick */
export function creditTick(xen: Xen, pcpu: Pcpu): void {
  const { sched, curr } = pcpu
  sched.tick++
  if (curr) accountRunning(xen, curr)
  const isMaster = pcpu.id === 0
  if (isMaster && sched.tick % TICKS_PER_ACCT === 0) account(xen)
  sortRunq(xen, pcpu)
  const wanted = curr !== undefined || (isMaster && (xen.credit.weight > 0 || xen.pcpus.some((each) => each.curr)))
  sched.ticking = false
  if (wanted) setTicker(pcpu, pcpu.now())
}

/** csched_vcpu_acct: what runs pays. */
function accountRunning({ credit }: Xen, vcpu: Vcpu): void {
  const { sched, domain } = vcpu
  if (sched.pri === PRI_BOOST) sched.pri = PRI_UNDER
  sched.credit -= CREDITS_PER_TICK
  // csched_cpu_pick would move it to where more of its neighbours idle; all cores here are alike, in one package.
  if (sched.active) return
  sched.active = true
  sched.stateActive++
  credit.stats.acct_vcpu_active++
  domain.sched.activeVcpus.unshift(vcpu)
  if (domain.sched.activeVcpus.length === 1) {
    credit.activeDomains.unshift(domain)
    credit.weight += domain.sched.weight
  }
}

/** __csched_vcpu_acct_stop_locked */
export function stopEarning({ credit }: Xen, vcpu: Vcpu): void {
  const { sched, domain } = vcpu
  if (!sched.active) return
  sched.active = false
  sched.stateIdle++
  credit.stats.acct_vcpu_idle++
  const { activeVcpus, weight } = domain.sched
  activeVcpus.splice(activeVcpus.indexOf(vcpu), 1)
  if (activeVcpus.length > 0) return
  credit.activeDomains.splice(credit.activeDomains.indexOf(domain), 1)
  credit.weight -= weight
}

const ceilDiv = (value: number, by: number): number => Math.floor((value + by - 1) / by)

/** Sets of processors, as bits, that no active vCPU may cross: without pinning all of them are one. */
function islands(xen: Xen): number[] {
  const sets: number[] = []
  for (const { sched } of xen.credit.activeDomains)
    for (const vcpu of sched.activeVcpus) {
      let mask = mayRunOn(xen, vcpu)
      for (let i = sets.length - 1; i >= 0; i--) if (sets[i]! & mask) mask |= sets.splice(i, 1)[0]!
      sets.push(mask)
    }
  return sets
}

const mayRunOn = ({ pcpus }: Xen, { affinity }: Vcpu): number =>
  pcpus.reduce((bits, { id, online }) => (online && hasCpu(affinity, id) ? bits | (1 << id) : bits), 0)

/** csched_acct: new credits for all who are active, by weight. */
function account(xen: Xen): void {
  const { credit } = xen
  credit.creditBalance = 0
  if (credit.weight === 0) {
    credit.stats.acct_no_work++
    return
  }
  credit.stats.acct_run++
  for (const mask of islands(xen)) credit.creditBalance += shareOut(xen, mask)
  credit.runqSort++
}

/** The credits of the processors of `mask` to those who run there: what all have afterwards. */
function shareOut(xen: Xen, mask: number): number {
  const { credit } = xen
  const { stats } = credit
  const shares = credit.activeDomains
    .map((domain) => ({ domain, vcpus: domain.sched.activeVcpus.filter((vcpu) => mayRunOn(xen, vcpu) & mask) }))
    .filter(({ vcpus }) => vcpus.length > 0)
  let weightLeft = 0
  let debt = 0
  for (const { domain, vcpus } of shares) {
    weightLeft += domain.sched.weight
    for (const { sched } of vcpus) debt -= sched.creditLast
  }
  const weightTotal = weightLeft
  let creditTotal = xen.pcpus.filter(({ id }) => mask & (1 << id)).length * CREDITS_PER_ACCT
  if (debt > 0) {
    creditTotal += debt
    stats.acct_balance++
  }
  let balance = 0
  let extra = false
  for (const { domain, vcpus } of shares) {
    const { sched } = domain
    const count = vcpus.length
    weightLeft -= sched.weight
    // At most what all of its active vCPUs can use, more only to make up for a debt.
    let peak = count * CREDITS_PER_ACCT
    if (debt > 0) peak += ceilDiv(debt * sched.weight, weightTotal)
    let capEach: number | undefined
    if (sched.cap !== 0) {
      const cap = Math.floor((sched.cap * CREDITS_PER_ACCT + 99) / 100)
      capEach = ceilDiv(cap, sched.activeVcpus.length)
      peak = Math.min(peak, count === sched.activeVcpus.length ? cap : capEach * count)
    }
    let fair = ceilDiv(creditTotal * sched.weight, weightTotal)
    if (fair < peak) extra = true
    else {
      if (weightLeft !== 0) creditTotal += ceilDiv((fair - peak) * weightTotal, weightLeft)
      if (extra) {
        stats.acct_reorder++
        credit.activeDomains.splice(credit.activeDomains.indexOf(domain), 1)
        credit.activeDomains.unshift(domain)
      }
      fair = peak
    }
    const each = ceilDiv(fair, count)
    for (const vcpu of vcpus) balance += earn(xen, vcpu, each, capEach)
  }
  return balance
}

/** One vCPU's credits: what it has afterwards. */
function earn(xen: Xen, vcpu: Vcpu, fair: number, cap: number | undefined): number {
  const { sched } = vcpu
  const { stats } = xen.credit
  sched.credit += fair
  if (sched.credit < 0) {
    sched.pri = PRI_OVER
    if (cap !== undefined && sched.credit < -cap && !(sched.flags & FLAG_PARKED)) {
      stats.vcpu_park++
      sched.flags |= FLAG_PARKED
      pauseVcpu(xen, vcpu)
    }
    if (sched.credit < -CREDITS_PER_TSLICE) {
      stats.acct_min_credit++
      sched.credit = -CREDITS_PER_TSLICE
    }
  } else {
    sched.pri = PRI_UNDER
    if (sched.flags & FLAG_PARKED) {
      stats.vcpu_unpark++
      // Unpaused before the flag goes: it is not to be boosted.
      unpauseVcpu(xen, vcpu)
      sched.flags &= ~FLAG_PARKED
    }
    // More than it can use: it idles, and earns no more.
    if (sched.credit > CREDITS_PER_TSLICE) {
      stopEarning(xen, vcpu)
      sched.credit = 0
    }
  }
  sched.creditLast = sched.credit
  sched.creditIncr = fair
  return sched.credit
}

/** csched_runq_sort: those with credits before those without, otherwise as they were. */
function sortRunq({ credit }: Xen, { sched }: Pcpu): void {
  if (credit.runqSort === sched.runqSortLast) return
  sched.runqSortLast = credit.runqSort
  const under = sched.runq.filter((vcpu) => vcpu.sched.pri >= PRI_UNDER)
  const over = sched.runq.filter((vcpu) => vcpu.sched.pri < PRI_UNDER)
  sched.runq.splice(0, sched.runq.length, ...under, ...over)
}
