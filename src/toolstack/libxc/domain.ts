/** tools/libxc/xc_domain.c: domains made, looked at, changed and ended. */

import { memOf } from '#abi/mem.ts'
import { EAGAIN, ESRCH } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  XEN_DOMCTL_createdomain,
  XEN_DOMCTL_destroydomain,
  XEN_DOMCTL_getvcpuaffinity,
  XEN_DOMCTL_getvcpuinfo,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_max_vcpus,
  XEN_DOMCTL_pausedomain,
  XEN_DOMCTL_resumedomain,
  XEN_DOMCTL_sendtrigger,
  XEN_DOMCTL_setdomainhandle,
  XEN_DOMCTL_settimeoffset,
  XEN_DOMCTL_setvcpuaffinity,
  XEN_DOMCTL_U,
  XEN_DOMCTL_unpausedomain,
  XEN_DOMINF_blocked,
  XEN_DOMINF_dying,
  XEN_DOMINF_hvm_guest,
  XEN_DOMINF_paused,
  XEN_DOMINF_running,
  XEN_DOMINF_shutdown,
  XEN_DOMINF_shutdownmask,
  XEN_DOMINF_shutdownshift,
  xen_domctl,
  xen_domctl_createdomain,
  xen_domctl_getdomaininfo,
  xen_domctl_getvcpuinfo,
  xen_domctl_max_mem,
  xen_domctl_max_vcpus,
  xen_domctl_sendtrigger,
  xen_domctl_setdomainhandle,
  xen_domctl_settimeoffset,
  xen_domctl_vcpuaffinity,
} from '#abi/xen/domctl.ts'
import { SCHEDOP_remote_shutdown, SHUTDOWN_crash, sched_remote_shutdown } from '#abi/xen/sched.ts'
import { XEN_SYSCTL_getdomaininfolist, xen_sysctl_getdomaininfolist } from '#abi/xen/sysctl.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_sched_op } from '#abi/xen/xen.ts'
import { load, store } from '#user/libc/syscall.ts'
import { XcError } from './error.ts'
import { domctl, hypercall, sysctl, withMemory, type XcHandle } from './privcmd.ts'

export interface XcDomainCreate {
  /** The UUID, 16 bytes. */
  readonly handle: Uint8Array
  readonly ssidref?: number
  readonly flags?: number
  /** 0: Xen chooses. */
  readonly domid?: number
}

/** xc_domain_create; the new domain's id. */
export function* xcDomainCreate(
  xc: XcHandle,
  { handle, ssidref = 0, flags = 0, domid = 0 }: XcDomainCreate,
): Sys<number> {
  const values = { handle, ssidref, flags }
  const mem = yield* domctl(xc, XEN_DOMCTL_createdomain, domid, xen_domctl_createdomain, values)
  return xen_domctl.fields.domain.get(mem, 0)
}

export function* xcDomainPause(xc: XcHandle, domid: number): Sys<void> {
  yield* domctl(xc, XEN_DOMCTL_pausedomain, domid)
}

export function* xcDomainUnpause(xc: XcHandle, domid: number): Sys<void> {
  yield* domctl(xc, XEN_DOMCTL_unpausedomain, domid)
}

/** Xen gives a large domain's memory back in steps. */
export function* xcDomainDestroy(xc: XcHandle, domid: number): Sys<void> {
  for (;;) {
    try {
      yield* domctl(xc, XEN_DOMCTL_destroydomain, domid)
      return
    } catch (error) {
      if (!(error instanceof XcError) || error.errno !== EAGAIN) throw error
    }
  }
}

export function* xcDomainResume(xc: XcHandle, domid: number): Sys<void> {
  yield* domctl(xc, XEN_DOMCTL_resumedomain, domid)
}

/** Shut it down from outside: its vCPUs stop where they are. */
export function* xcDomainShutdown(xc: XcHandle, domid: number, reason: number): Sys<void> {
  const bytes = new Uint8Array(sched_remote_shutdown.size)
  sched_remote_shutdown.write(memOf(bytes), 0, { domain_id: domid, reason })
  yield* withMemory(xc, bytes.length, function* (at) {
    yield* store(at, bytes)
    yield* hypercall(xc, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, at)
  })
}

export function* xcDomainMaxVcpus(xc: XcHandle, domid: number, max: number): Sys<void> {
  yield* domctl(xc, XEN_DOMCTL_max_vcpus, domid, xen_domctl_max_vcpus, { max })
}

export function* xcDomainSetmaxmem(xc: XcHandle, domid: number, maxKb: number): Sys<void> {
  yield* domctl(xc, XEN_DOMCTL_max_mem, domid, xen_domctl_max_mem, { max_memkb: BigInt(maxKb) })
}

export function* xcDomainSethandle(xc: XcHandle, domid: number, handle: Uint8Array): Sys<void> {
  yield* domctl(xc, XEN_DOMCTL_setdomainhandle, domid, xen_domctl_setdomainhandle, { handle })
}

export function* xcDomainSetTimeOffset(xc: XcHandle, domid: number, seconds: number): Sys<void> {
  const values = { time_offset_seconds: seconds >>> 0 }
  yield* domctl(xc, XEN_DOMCTL_settimeoffset, domid, xen_domctl_settimeoffset, values)
}

export function* xcDomainSendTrigger(xc: XcHandle, domid: number, trigger: number, vcpu: number): Sys<void> {
  yield* domctl(xc, XEN_DOMCTL_sendtrigger, domid, xen_domctl_sendtrigger, { trigger, vcpu })
}

/** xc_dominfo_t. */
export interface XcDominfo {
  readonly domid: number
  readonly ssidref: number
  readonly dying: boolean
  readonly crashed: boolean
  /** Shut down, but not by a crash. */
  readonly shutdown: boolean
  readonly paused: boolean
  readonly blocked: boolean
  readonly running: boolean
  readonly hvm: boolean
  readonly shutdownReason: number
  readonly nrPages: number
  readonly sharedInfoFrame: number
  /** ns. */
  readonly cpuTime: number
  readonly maxMemkb: number
  readonly nrOnlineVcpus: number
  readonly maxVcpuId: number
  readonly handle: Uint8Array
}

const INFOS_A_PAGE = Math.floor(PAGE_SIZE / xen_domctl_getdomaininfo.size)

/** xc_domain_getinfo: at most `max` domains, those with the lowest ids from `first` on. None at all: ESRCH, as in life. */
export function* xcDomainGetinfo(xc: XcHandle, first: number, max: number): Sys<XcDominfo[]> {
  const infos: XcDominfo[] = []
  while (infos.length < max) {
    const wanted = Math.min(INFOS_A_PAGE, max - infos.length)
    const from = infos.length === 0 ? first : infos[infos.length - 1]!.domid + 1
    const got = yield* getinfolist(xc, from, wanted)
    infos.push(...got)
    if (got.length < wanted) break
  }
  if (infos.length === 0 && max > 0) throw new XcError(ESRCH)
  return infos
}

function* getinfolist(xc: XcHandle, first: number, max: number): Sys<XcDominfo[]> {
  return yield* withMemory(xc, PAGE_SIZE, function* (buffer) {
    const { num_domains } = yield* sysctl(xc, XEN_SYSCTL_getdomaininfolist, xen_sysctl_getdomaininfolist, {
      first_domain: first,
      max_domains: max,
      buffer,
    })
    if (num_domains === 0) return []
    const mem = memOf(yield* load(buffer, num_domains * xen_domctl_getdomaininfo.size))
    return Array.from({ length: num_domains }, (_, i) =>
      dominfo(xen_domctl_getdomaininfo.read(mem, i * xen_domctl_getdomaininfo.size)),
    )
  })
}

function dominfo(info: ReturnType<typeof xen_domctl_getdomaininfo.read>): XcDominfo {
  const is = (flag: number): boolean => (info.flags & flag) !== 0
  const shutdownReason = (info.flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask
  const crashed = is(XEN_DOMINF_shutdown) && shutdownReason === SHUTDOWN_crash
  return {
    domid: info.domain,
    ssidref: info.ssidref,
    dying: is(XEN_DOMINF_dying),
    crashed,
    shutdown: is(XEN_DOMINF_shutdown) && !crashed,
    paused: is(XEN_DOMINF_paused),
    blocked: is(XEN_DOMINF_blocked),
    running: is(XEN_DOMINF_running),
    hvm: is(XEN_DOMINF_hvm_guest),
    shutdownReason,
    nrPages: info.tot_pages,
    sharedInfoFrame: info.shared_info_frame,
    cpuTime: info.cpu_time,
    maxMemkb: info.max_pages * (PAGE_SIZE / 1024),
    nrOnlineVcpus: info.nr_online_vcpus,
    maxVcpuId: info.max_vcpu_id,
    handle: info.handle,
  }
}

export interface XcVcpuinfo {
  readonly online: boolean
  readonly blocked: boolean
  readonly running: boolean
  /** ns. */
  readonly cpuTime: number
  readonly cpu: number
  /** Processors it may run on. */
  readonly cpumap: readonly number[]
}

/** xc_vcpu_getinfo and xc_vcpu_getaffinity, as xen.lowlevel.xc's vcpu_getinfo asks for them. */
export function* xcVcpuGetinfo(xc: XcHandle, domid: number, vcpu: number): Sys<XcVcpuinfo> {
  const mem = yield* domctl(xc, XEN_DOMCTL_getvcpuinfo, domid, xen_domctl_getvcpuinfo, { vcpu })
  const info = xen_domctl_getvcpuinfo.read(mem, XEN_DOMCTL_U)
  return {
    online: info.online !== 0,
    blocked: info.blocked !== 0,
    running: info.running !== 0,
    cpuTime: info.cpu_time,
    cpu: info.cpu,
    cpumap: yield* xcVcpuGetaffinity(xc, domid, vcpu),
  }
}

/** A cpumap has 64 bits. */
const CPUMAP_BYTES = 8

export function* xcVcpuGetaffinity(xc: XcHandle, domid: number, vcpu: number): Sys<number[]> {
  return yield* withMemory(xc, CPUMAP_BYTES, function* (at) {
    yield* affinity(xc, XEN_DOMCTL_getvcpuaffinity, domid, vcpu, at)
    const bytes = yield* load(at, CPUMAP_BYTES)
    const cpus: number[] = []
    for (let cpu = 0; cpu < CPUMAP_BYTES * 8; cpu++) if (bytes[cpu >> 3]! & (1 << (cpu & 7))) cpus.push(cpu)
    return cpus
  })
}

export function* xcVcpuSetaffinity(xc: XcHandle, domid: number, vcpu: number, cpus: readonly number[]): Sys<void> {
  const bytes = new Uint8Array(CPUMAP_BYTES)
  for (const cpu of cpus) if (cpu < CPUMAP_BYTES * 8) bytes[cpu >> 3]! |= 1 << (cpu & 7)
  yield* withMemory(xc, CPUMAP_BYTES, function* (at) {
    yield* store(at, bytes)
    yield* affinity(xc, XEN_DOMCTL_setvcpuaffinity, domid, vcpu, at)
  })
}

const affinity = (xc: XcHandle, cmd: number, domid: number, vcpu: number, at: number): Sys<unknown> =>
  domctl(xc, cmd, domid, xen_domctl_vcpuaffinity, { vcpu, cpumap_bitmap: at, cpumap_nr_cpus: CPUMAP_BYTES * 8 })
