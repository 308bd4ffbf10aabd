/** domctl's commands about a domain's vCPUs (xen/common/domctl.c; arch/x86/domain.c, arch_set_info_guest). */
import type { Mem } from '#abi/mem.ts'
import type { Values } from '#abi/struct.ts'
import { xen_domctl_getvcpuinfo, type xen_domctl_vcpuaffinity, type xen_domctl_vcpucontext } from '#abi/xen/domctl.ts'
import { EINVAL, ENODATA, ENOMEM, ENOSYS, ESRCH } from '#abi/xen/errno.ts'
import { RUNSTATE_running, vcpu_guest_context } from '#abi/xen/vcpu.ts'
import { MAX_VIRT_CPUS } from '#abi/xen/xen.ts'
import { dropTables } from '../arch-x86/descriptors.ts'
import { getInfoGuest, sendNmi, setInfoGuest } from '../arch-x86/guest-context.ts'
import { type Domain, type Vcpu, VPF_blocked, VPF_down } from '../common/domain.ts'
import { allocVcpu } from '../common/domain-create.ts'
import { dropRoot } from '../common/domain-destroy.ts'
import { domainChanged } from '../common/domain-probe.ts'
import { domainPause, domainUnpause } from '../common/domain-shutdown.ts'
import { timeIn, unpauseVcpu, vcpuSetAffinity, vcpuSleepSync } from '../common/schedule.ts'
import { NR_CPUS } from '../options.ts'
import type { Xen } from '../xen.ts'
import type { Call } from './op-table.ts'

/** vCPU `id`, or what is wrong with it. */
function vcpuOf({ vcpus }: Domain, id: number): Vcpu | number {
  if (id >= MAX_VIRT_CPUS) return -EINVAL
  return vcpus[id] ?? -ESRCH
}

export function maxVcpus({ xen }: Call, domain: Domain, max: number): number {
  // It cannot become less.
  if (domain.vcpus[max]) return -EINVAL
  const online = xen.pcpus.filter((pcpu) => pcpu.online).length
  for (let id = 0; id < max; id++) {
    if (domain.vcpus[id]) continue
    const processor = id === 0 ? leastPopulated(xen) : (domain.vcpus[id - 1]!.processor + 1) % online
    if (!allocVcpu(xen, domain, id, processor)) return -ENOMEM
  }
  domain.maxVcpus = Math.max(domain.maxVcpus, max)
  return 0
}

/** default_vcpu0_location: the last of those with the fewest vCPUs. */
function leastPopulated({ domains, pcpus }: Xen): number {
  const count = pcpus.map(() => 0)
  for (const { vcpus } of domains.values())
    for (const vcpu of vcpus)
      if (vcpu && (vcpu.pauseFlags & VPF_down) === 0) count[vcpu.processor] = count[vcpu.processor]! + 1
  let best = 0
  for (const { id, online } of pcpus) if (online && count[id]! <= count[best]!) best = id
  return best
}

export function vcpuInfo({ xen, mem }: Call, domain: Domain, at: number): number {
  const vcpu = vcpuOf(domain, xen_domctl_getvcpuinfo.fields.vcpu.get(mem, at))
  if (typeof vcpu === 'number') return vcpu
  xen_domctl_getvcpuinfo.write(mem, at, {
    online: vcpu.pauseFlags & VPF_down ? 0 : 1,
    blocked: vcpu.pauseFlags & VPF_blocked ? 1 : 0,
    running: vcpu.running ? 1 : 0,
    cpu_time: timeIn(xen, vcpu, RUNSTATE_running),
    cpu: vcpu.processor,
  })
  return 0
}

export function setAffinity(
  { xen, mem }: Call,
  domain: Domain,
  { vcpu: id, cpumap_bitmap, cpumap_nr_cpus }: Values<typeof xen_domctl_vcpuaffinity>,
): number {
  const vcpu = vcpuOf(domain, id)
  if (typeof vcpu === 'number') return vcpu
  return vcpuSetAffinity(xen, vcpu, cpumaskOf(mem, cpumap_bitmap, cpumap_nr_cpus))
}

/** xenctl_cpumap_to_cpumask */
export function cpumaskOf(mem: Mem, bitmap: number, cpus: number): Uint8Array {
  const map = new Uint8Array(NR_CPUS / 8)
  if (bitmap === 0) return map
  const bytes = Math.ceil(cpus / 8)
  map.set(mem.copyOut(bitmap, Math.min(bytes, map.length)))
  if (cpus & 7 && bytes <= map.length) map[bytes - 1] = map[bytes - 1]! & ~(0xff << (cpus & 7))
  return map
}

export function getAffinity(
  { mem }: Call,
  domain: Domain,
  { vcpu: id, cpumap_bitmap, cpumap_nr_cpus }: Values<typeof xen_domctl_vcpuaffinity>,
): number {
  const vcpu = vcpuOf(domain, id)
  if (typeof vcpu === 'number') return vcpu
  if (cpumap_bitmap === 0) return 0
  const bytes = Math.ceil(cpumap_nr_cpus / 8)
  mem.copyIn(cpumap_bitmap, vcpu.affinity.subarray(0, bytes))
  if (bytes > vcpu.affinity.length) mem.fill(cpumap_bitmap + vcpu.affinity.length, bytes - vcpu.affinity.length, 0)
  return 0
}

export function triggerNmi({ xen }: Call, domain: Domain, id: number, nmi: boolean): number {
  const vcpu = vcpuOf(domain, id)
  if (typeof vcpu === 'number') return vcpu
  if (!nmi) return -ENOSYS
  sendNmi(xen, vcpu)
  return 0
}

export function setContext(
  { xen, mem }: Call,
  domain: Domain,
  { vcpu: id, ctxt }: Values<typeof xen_domctl_vcpucontext>,
): number {
  const vcpu = vcpuOf(domain, id)
  if (typeof vcpu === 'number') return -EINVAL
  if (ctxt === 0) {
    resetVcpu(xen, vcpu)
    return 0
  }
  const bytes = mem.copyOut(ctxt, vcpu_guest_context.size)
  domainPause(xen, domain)
  const result = setInfoGuest(xen, vcpu, bytes)
  domainUnpause(xen, domain)
  return result
}

/** vcpu_reset */
function resetVcpu(xen: Xen, vcpu: Vcpu): void {
  vcpu.pauseCount++
  vcpuSleepSync(xen, vcpu)
  dropTables(xen, vcpu)
  dropRoot(xen, vcpu)
  vcpu.pauseFlags = (vcpu.pauseFlags | VPF_down) & ~VPF_blocked
  domainChanged(xen, vcpu.domain)
  vcpu.polling = false
  vcpu.initialised = false
  vcpu.nmiPending = false
  vcpu.start = undefined
  vcpu.code = undefined
  vcpu.result = 0
  vcpu.ring3?.release()
  vcpu.ring3 = undefined
  // The kernel's own heap goes with its first vCPU.
  if (vcpu.id === 0) {
    vcpu.domain.entered = undefined
    vcpu.domain.machineCode = false
  }
  unpauseVcpu(xen, vcpu)
}

/** arch_get_info_guest: what was set, and where things stand. */
export function getContext(
  { mem }: Call,
  domain: Domain,
  { vcpu: id, ctxt }: Values<typeof xen_domctl_vcpucontext>,
): number {
  const vcpu = vcpuOf(domain, id)
  if (typeof vcpu === 'number') return vcpu
  if (!vcpu.initialised) return -ENODATA
  mem.copyIn(ctxt, getInfoGuest(vcpu))
  return 0
}
