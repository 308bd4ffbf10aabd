/** xen/common/domctl.c, getdomaininfo: what the tools hear about a domain. */
import type { Values } from '#abi/struct.ts'
import {
  XEN_DOMINF_blocked,
  XEN_DOMINF_debugged,
  XEN_DOMINF_dying,
  XEN_DOMINF_paused,
  XEN_DOMINF_running,
  XEN_DOMINF_shutdown,
  XEN_DOMINF_shutdownshift,
  type xen_domctl_getdomaininfo,
} from '#abi/xen/domctl.ts'
import { RUNSTATE_running } from '#abi/xen/vcpu.ts'
import type { Xen } from '../xen.ts'
import { type Domain, VPF_blocked, VPF_down } from './domain.ts'
import { timeIn } from './schedule.ts'

/** Blocked is who has all of its vCPUs blocked, running who has one that runs. */
export function domainInfo(xen: Xen, domain: Domain): Values<typeof xen_domctl_getdomaininfo> {
  let flags = XEN_DOMINF_blocked
  let online = 0
  let cpuTime = 0
  let maxVcpuId = 0
  for (const vcpu of domain.vcpus) {
    if (!vcpu) continue
    cpuTime += timeIn(xen, vcpu, RUNSTATE_running)
    maxVcpuId = vcpu.id
    if (vcpu.pauseFlags & VPF_down) continue
    if ((vcpu.pauseFlags & VPF_blocked) === 0) flags &= ~XEN_DOMINF_blocked
    if (vcpu.running) flags |= XEN_DOMINF_running
    online++
  }
  if (online === 0) flags = 0
  if (domain.dead) flags |= XEN_DOMINF_dying
  if (domain.shuttingDown) flags |= XEN_DOMINF_shutdown
  if (domain.pausedByController) flags |= XEN_DOMINF_paused
  if (domain.debuggerAttached) flags |= XEN_DOMINF_debugged
  return {
    domain: domain.id,
    flags: (flags | (domain.shutdownCode << XEN_DOMINF_shutdownshift)) >>> 0,
    tot_pages: domain.totPages,
    max_pages: domain.maxPages,
    shared_info_frame: domain.sharedInfo,
    cpu_time: cpuTime,
    nr_online_vcpus: online,
    max_vcpu_id: maxVcpuId,
    ssidref: 0,
    handle: domain.handle,
  }
}
