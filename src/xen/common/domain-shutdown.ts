/** xen/common/domain.c: what stops a domain's vCPUs and lets them go on: pause, shutdown, crash. */
import { SHUTDOWN_crash, SHUTDOWN_suspend } from '#abi/xen/sched.ts'
import { VIRQ_DOM_EXC } from '#abi/xen/xen.ts'
import { showGuestState, showHeader } from '../arch-x86/execution-state.ts'
import { isX86 } from '../arch-x86/guest-regs.ts'
import { dom0Shutdown } from '../arch-x86/shutdown.ts'
import { printk, type Xen } from '../xen.ts'
import type { Domain, Vcpu } from './domain.ts'
import { domainChanged } from './domain-probe.ts'
import { sendGlobalVirq, sendPort } from './event-channel.ts'
import { pauseVcpu, unpauseVcpu, vcpuSleepSync, vcpuWake } from './schedule.ts'

/** __domain_crash: the guest broke what it cannot survive; the others go on. `why` ends without newline. */
export function domainCrash(xen: Xen, vcpu: Vcpu, why?: string): void {
  const { domain } = vcpu
  if (domain.shuttingDown) return
  const cpu = xen.current.id
  const machineCode = isX86(vcpu)
  if (why !== undefined && machineCode) printk(xen, `${why}\n`)
  printk(xen, `Domain ${domain.id} (vcpu#${vcpu.id}) crashed on cpu#${cpu}:\n`)
  showHeader(xen, cpu)
  // A module kernel has no registers: what it was doing is a place in its source.
  if (machineCode) showGuestState(xen, vcpu)
  else if (why !== undefined) printk(xen, `${why}\n`)
  domainShutdown(xen, domain, SHUTDOWN_crash)
}

/** domain_shutdown: its vCPUs stop, and dom0 hears of it. With dom0 goes the host. */
export function domainShutdown(xen: Xen, domain: Domain, reason: number): void {
  if (domain.id === 0) dom0Shutdown(xen, reason)
  if (domain.shuttingDown) return
  domain.shuttingDown = true
  domain.shutdownCode = reason
  domainChanged(xen, domain)
  for (const vcpu of domain.vcpus) if (vcpu) pauseForShutdown(xen, vcpu)
  if (reason === SHUTDOWN_suspend && domain.suspendPort !== 0) sendPort(xen, domain, domain.suspendPort)
  else sendGlobalVirq(xen, xen.domains.get(0), VIRQ_DOM_EXC)
}

export function pauseForShutdown(xen: Xen, vcpu: Vcpu): void {
  pauseVcpu(xen, vcpu)
  vcpu.pausedForShutdown = true
}

/** domain_resume: a shutdown that was none. */
export function domainResume(xen: Xen, domain: Domain): void {
  domainPause(xen, domain)
  domain.shuttingDown = false
  domainChanged(xen, domain)
  for (const vcpu of domain.vcpus) {
    if (!vcpu?.pausedForShutdown) continue
    vcpu.pausedForShutdown = false
    unpauseVcpu(xen, vcpu)
  }
  domainUnpause(xen, domain)
}

/** domain_pause: afterwards none of its vCPUs is on a processor. Never the caller's own domain. */
export function domainPause(xen: Xen, domain: Domain): void {
  domain.pauseCount++
  for (const vcpu of domain.vcpus) if (vcpu) vcpuSleepSync(xen, vcpu)
}

export function domainUnpause(xen: Xen, domain: Domain): void {
  if (--domain.pauseCount > 0) return
  for (const vcpu of domain.vcpus) if (vcpu) vcpuWake(xen, vcpu)
}

/** domain_pause_by_systemcontroller: twice is once. */
export function domainPauseByController(xen: Xen, domain: Domain): void {
  if (domain.pausedByController) return
  domain.pausedByController = true
  domainChanged(xen, domain)
  domainPause(xen, domain)
}

export function domainUnpauseByController(xen: Xen, domain: Domain): void {
  if (!domain.pausedByController) return
  domain.pausedByController = false
  domainChanged(xen, domain)
  domainUnpause(xen, domain)
}
