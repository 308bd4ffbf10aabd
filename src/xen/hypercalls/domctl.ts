/** domctl (36): what the control domain does with the others (xen/common/domctl.c, arch/x86/domctl.c). */
import type { Struct, Values } from '#abi/struct.ts'
import {
  XEN_DOMCTL_CDF_hap,
  XEN_DOMCTL_CDF_hvm_guest,
  XEN_DOMCTL_createdomain,
  XEN_DOMCTL_destroydomain,
  XEN_DOMCTL_get_address_size,
  XEN_DOMCTL_getdomaininfo,
  XEN_DOMCTL_getmemlist,
  XEN_DOMCTL_getpageframeinfo,
  XEN_DOMCTL_getpageframeinfo2,
  XEN_DOMCTL_getvcpuaffinity,
  XEN_DOMCTL_getvcpucontext,
  XEN_DOMCTL_getvcpuinfo,
  XEN_DOMCTL_hypercall_init,
  XEN_DOMCTL_INTERFACE_VERSION,
  XEN_DOMCTL_iomem_permission,
  XEN_DOMCTL_ioport_permission,
  XEN_DOMCTL_irq_permission,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_max_vcpus,
  XEN_DOMCTL_pausedomain,
  XEN_DOMCTL_resumedomain,
  XEN_DOMCTL_SCHEDOP_getinfo,
  XEN_DOMCTL_SCHEDOP_putinfo,
  XEN_DOMCTL_SENDTRIGGER_NMI,
  XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION,
  XEN_DOMCTL_SHADOW_OP_OFF,
  XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION,
  XEN_DOMCTL_scheduler_op,
  XEN_DOMCTL_sendtrigger,
  XEN_DOMCTL_set_address_size,
  XEN_DOMCTL_setdebugging,
  XEN_DOMCTL_setdomainhandle,
  XEN_DOMCTL_settimeoffset,
  XEN_DOMCTL_setvcpuaffinity,
  XEN_DOMCTL_setvcpucontext,
  XEN_DOMCTL_shadow_op,
  XEN_DOMCTL_U,
  XEN_DOMCTL_unpausedomain,
  XEN_SCHEDULER_CREDIT,
  xen_domctl,
  xen_domctl_address_size,
  xen_domctl_createdomain,
  xen_domctl_getdomaininfo,
  xen_domctl_getmemlist,
  xen_domctl_getpageframeinfo,
  xen_domctl_getpageframeinfo2,
  xen_domctl_hypercall_init,
  xen_domctl_iomem_permission,
  xen_domctl_ioport_permission,
  xen_domctl_irq_permission,
  xen_domctl_max_mem,
  xen_domctl_max_vcpus,
  xen_domctl_scheduler_op,
  xen_domctl_sendtrigger,
  xen_domctl_setdebugging,
  xen_domctl_setdomainhandle,
  xen_domctl_settimeoffset,
  xen_domctl_shadow_op,
  xen_domctl_vcpuaffinity,
  xen_domctl_vcpucontext,
} from '#abi/xen/domctl.ts'
import { EACCES, EINVAL, ENOMEM, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import {
  type Domain,
  domainCreate,
  domainPause,
  domainPauseByController,
  domainResume,
  domainUnpause,
  domainUnpauseByController,
  setHandle,
} from '../common/domain.ts'
import { domainKill } from '../common/domain-destroy.ts'
import { domainInfo } from '../common/domain-info.ts'
import { domainChanged } from '../common/domain-probe.ts'
import { guestLog } from '../common/guest-log.ts'
import { RANGE_MAX, type Rangeset } from '../common/rangeset.ts'
import { creditAdjust } from '../common/sched-credit-control.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import { frameInfo, frameInfos, hypercallInit, memList } from './domctl-frames.ts'
import { getAffinity, getContext, maxVcpus, setAffinity, setContext, triggerNmi, vcpuInfo } from './domctl-vcpus.ts'
import type { Call, Hypercall, RawOp } from './op-table.ts'

/** Ids from here on are no domain's (DOMID_FIRST_RESERVED). */
const DOMID_FIRST_RESERVED = 0x7ff0
const PORTS = 65536
/** pirq's are bytes, and NR_IRQS is 256. */
const BITS_PER_GUEST_LONG = 64

// biome-ignore lint/suspicious/noExplicitAny: each row's struct has its own fields
type AnyStruct = Struct<any>
type Act<S extends AnyStruct> = (call: Call, domain: Domain, arg: Values<S>) => number

/** A row about a domain that is there, -ESRCH else; `pointer` is xen_domctl's. The struct is read only. */
const about =
  <S extends AnyStruct>(layout: S, act: Act<S>): RawOp =>
  (call, pointer) => {
    const domain = named(call, pointer)
    return domain ? act(call, domain, layout.read(call.mem, pointer + XEN_DOMCTL_U) as Values<S>) : -ESRCH
  }

/** The same, and what has been put into the struct goes back. */
const asks =
  <S extends AnyStruct>(layout: S, act: Act<S>): RawOp =>
  (call, pointer) => {
    const domain = named(call, pointer)
    if (!domain) return -ESRCH
    const at = pointer + XEN_DOMCTL_U
    const arg = layout.read(call.mem, at) as Values<S>
    const result = act(call, domain, arg)
    if (result === 0) layout.write(call.mem, at, arg as Parameters<S['write']>[2])
    return result
  }

const named = ({ xen, mem }: Call, pointer: number): Domain | undefined =>
  xen.domains.get(xen_domctl.fields.domain.get(mem, pointer))

/** A row that has no struct of its own. */
const plain =
  (act: (call: Call, domain: Domain) => number): RawOp =>
  (call, pointer) => {
    const domain = named(call, pointer)
    return domain ? act(call, domain) : -ESRCH
  }

const done = (_: unknown): number => 0

const rows: Readonly<Record<number, RawOp>> = {
  [XEN_DOMCTL_createdomain]: createDomain,
  [XEN_DOMCTL_destroydomain]: plain(({ xen, caller }, domain) => domainKill(xen, caller, domain)),
  [XEN_DOMCTL_pausedomain]: plain(({ xen, caller }, domain) =>
    domain === caller ? -EINVAL : done(domainPauseByController(xen, domain)),
  ),
  [XEN_DOMCTL_unpausedomain]: plain(({ xen }, domain) => done(domainUnpauseByController(xen, domain))),
  [XEN_DOMCTL_resumedomain]: plain(notOwn(({ xen }, domain) => done(domainResume(xen, domain)))),
  [XEN_DOMCTL_getdomaininfo]: getDomainInfo,
  [XEN_DOMCTL_getmemlist]: (call, pointer) =>
    named(call, pointer) ? asks(xen_domctl_getmemlist, memList)(call, pointer) : -EINVAL,
  [XEN_DOMCTL_getpageframeinfo]: (call, pointer) =>
    named(call, pointer) ? asks(xen_domctl_getpageframeinfo, frameInfo)(call, pointer) : -EINVAL,
  [XEN_DOMCTL_getpageframeinfo2]: about(xen_domctl_getpageframeinfo2, frameInfos),
  [XEN_DOMCTL_hypercall_init]: about(xen_domctl_hypercall_init, hypercallInit),
  [XEN_DOMCTL_setvcpuaffinity]: about(xen_domctl_vcpuaffinity, setAffinity),
  [XEN_DOMCTL_getvcpuaffinity]: about(xen_domctl_vcpuaffinity, getAffinity),
  [XEN_DOMCTL_setvcpucontext]: about(xen_domctl_vcpucontext, notOwn(setContext)),
  [XEN_DOMCTL_getvcpucontext]: about(xen_domctl_vcpucontext, getContext),
  [XEN_DOMCTL_getvcpuinfo]: (call, pointer) => {
    const domain = named(call, pointer)
    return domain ? vcpuInfo(call, domain, pointer + XEN_DOMCTL_U) : -ESRCH
  },
  [XEN_DOMCTL_max_vcpus]: about(xen_domctl_max_vcpus, notOwn(maxVcpus)),
  [XEN_DOMCTL_sendtrigger]: about(xen_domctl_sendtrigger, (call, domain, { trigger, vcpu }) =>
    triggerNmi(call, domain, vcpu, trigger === XEN_DOMCTL_SENDTRIGGER_NMI),
  ),
  [XEN_DOMCTL_max_mem]: about(xen_domctl_max_mem, maxMem),
  [XEN_DOMCTL_scheduler_op]: asks(xen_domctl_scheduler_op, schedulerOp),
  [XEN_DOMCTL_setdomainhandle]: about(xen_domctl_setdomainhandle, ({ xen }, domain, { handle }) =>
    done(setHandle(xen, domain, handle)),
  ),
  [XEN_DOMCTL_setdebugging]: about(xen_domctl_setdebugging, notOwn(setDebugging)),
  [XEN_DOMCTL_irq_permission]: about(xen_domctl_irq_permission, (_call, { irqCaps }, { pirq, allow_access }) =>
    permit(irqCaps, pirq, pirq, allow_access),
  ),
  [XEN_DOMCTL_iomem_permission]: iomemPermission,
  [XEN_DOMCTL_ioport_permission]: ioportPermission,
  [XEN_DOMCTL_settimeoffset]: about(xen_domctl_settimeoffset, (_call, domain, { time_offset_seconds }) => {
    domain.timeOffsetSeconds = time_offset_seconds | 0
    return 0
  }),
  [XEN_DOMCTL_set_address_size]: about(xen_domctl_address_size, (_call, domain, { size }) => {
    // 32-bit kernels are none that this processor's page maps can serve.
    if (size !== BITS_PER_GUEST_LONG) return -EINVAL
    return domain.totPages > 0 ? -EACCES : 0
  }),
  [XEN_DOMCTL_get_address_size]: asks(xen_domctl_address_size, (_call, _domain, arg) => {
    arg.size = BITS_PER_GUEST_LONG
    return 0
  }),
  [XEN_DOMCTL_shadow_op]: asks(xen_domctl_shadow_op, shadowOp),
}

export const domctl: Hypercall = (call, [pointer = 0]) => {
  if (!call.caller.privileged) return -EPERM
  // All of the struct is copied in, whatever the command.
  call.mem.copyOut(pointer, xen_domctl.size)
  const { cmd, interface_version } = xen_domctl.read(call.mem, pointer)
  if (interface_version !== XEN_DOMCTL_INTERFACE_VERSION) return -EACCES
  return rows[cmd]?.(call, pointer) ?? -ENOSYS
}

/** What pauses its domain: in life the caller's own would wait for itself to stop, for ever. */
function notOwn<A extends readonly unknown[]>(
  act: (call: Call, domain: Domain, ...rest: A) => number,
): (call: Call, domain: Domain, ...rest: A) => number {
  return (call, domain, ...rest) => (domain === call.caller ? -EINVAL : act(call, domain, ...rest))
}

function createDomain({ xen, mem }: Call, pointer: number): number {
  const { flags, handle } = xen_domctl_createdomain.read(mem, pointer + XEN_DOMCTL_U)
  if (flags & ~(XEN_DOMCTL_CDF_hvm_guest | XEN_DOMCTL_CDF_hap)) return -EINVAL
  let id = xen_domctl.fields.domain.get(mem, pointer)
  if (id > 0 && id < DOMID_FIRST_RESERVED) {
    if (xen.domains.has(id)) return -EINVAL
  } else {
    id = freeDomid(xen)
    if (id === 0) return -ENOMEM
    xen.domidRover = id
  }
  // hvm_domain_initialise: no processor of this host can do it.
  const domain = flags & XEN_DOMCTL_CDF_hvm_guest ? undefined : domainCreate(xen, id)
  if (!domain) return -ENOMEM
  setHandle(xen, domain, handle)
  xen_domctl.fields.domain.set(mem, pointer, id)
  return 0
}

/** The next free id after the last one that was chosen; 0: none. */
function freeDomid({ domains, domidRover }: Xen): number {
  for (let i = 1; i < DOMID_FIRST_RESERVED; i++) {
    const id = (domidRover + i) % DOMID_FIRST_RESERVED
    if (!domains.has(id)) return id
  }
  return 0
}

/** The first domain whose id is not below the one asked for. */
function getDomainInfo({ xen, mem }: Call, pointer: number): number {
  const first = xen_domctl.fields.domain.get(mem, pointer)
  for (const domain of xen.domains.values()) {
    if (domain.id < first) continue
    xen_domctl_getdomaininfo.write(mem, pointer + XEN_DOMCTL_U, domainInfo(xen, domain))
    xen_domctl.fields.domain.set(mem, pointer, domain.id)
    return 0
  }
  return -ESRCH
}

/** Not below what it has. */
function maxMem({ xen }: Call, domain: Domain, { max_memkb }: Values<typeof xen_domctl_max_mem>): number {
  // d->max_pages is an unsigned int.
  const pages = Number(BigInt.asUintN(32, max_memkb >> 2n))
  if (max_memkb >> 2n < BigInt(domain.totPages)) return -EINVAL
  domain.maxPages = pages
  domainChanged(xen, domain)
  return 0
}

/** sched_adjust */
function schedulerOp({ xen }: Call, domain: Domain, arg: Values<typeof xen_domctl_scheduler_op>): number {
  const put = arg.cmd === XEN_DOMCTL_SCHEDOP_putinfo
  if (arg.sched_id !== XEN_SCHEDULER_CREDIT || (!put && arg.cmd !== XEN_DOMCTL_SCHEDOP_getinfo)) return -EINVAL
  if (put) creditAdjust(xen, domain, arg.credit_weight, arg.credit_cap)
  else {
    arg.credit_weight = domain.sched.weight
    arg.credit_cap = domain.sched.cap
  }
  return 0
}

function setDebugging({ xen }: Call, domain: Domain, { enable }: Values<typeof xen_domctl_setdebugging>): number {
  domainPause(xen, domain)
  domain.debuggerAttached = enable !== 0
  domainChanged(xen, domain)
  domainUnpause(xen, domain)
  return 0
}

function permit(caps: Rangeset, from: number, to: number, allow: number): number {
  if (allow) caps.add(from, to)
  else caps.remove(from, to)
  return 0
}

function iomemPermission(call: Call, pointer: number): number {
  const { first_mfn, nr_mfns, allow_access } = xen_domctl_iomem_permission.read(call.mem, pointer + XEN_DOMCTL_U)
  const last = first_mfn + nr_mfns - 1n
  if (last < first_mfn || last >= 2n ** 64n) return -EINVAL
  const domain = named(call, pointer)
  if (!domain) return -ESRCH
  const number = (mfn: bigint): number => Math.min(Number(mfn), RANGE_MAX)
  return permit(domain.iomemCaps, number(first_mfn), number(last), allow_access)
}

function ioportPermission(call: Call, pointer: number): number {
  const { first_port, nr_ports, allow_access } = xen_domctl_ioport_permission.read(call.mem, pointer + XEN_DOMCTL_U)
  if (first_port + nr_ports > PORTS) return -EINVAL
  const domain = named(call, pointer)
  if (!domain) return -ESRCH
  return nr_ports === 0 ? 0 : permit(domain.ioportCaps, first_port, first_port + nr_ports - 1, allow_access)
}

/** paging_domctl, for a domain without any of it: nothing allocated, nothing to switch off. */
function shadowOp({ xen, caller }: Call, domain: Domain, arg: Values<typeof xen_domctl_shadow_op>): number {
  if (domain === caller) {
    guestLog(xen, XENLOG_INFO, 'paging.c:523', 'Tried to do a paging op on itself.')
    return -EINVAL
  }
  if (domain.dying) return 0
  if (!domain.vcpus[0]) return -EINVAL
  switch (arg.op) {
    case XEN_DOMCTL_SHADOW_OP_OFF:
      return 0
    case XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION:
      return arg.mb === 0 ? 0 : -ENOMEM
    case XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION:
      arg.mb = 0
      return 0
    default:
      return -ENOSYS
  }
}
