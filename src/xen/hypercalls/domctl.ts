/** domctl (36): what the control domain does with the others (xen/common/domctl.c, arch/x86/domctl.c). */
import type { Values } from '#abi/struct.ts'
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
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_max_vcpus,
  XEN_DOMCTL_pausedomain,
  XEN_DOMCTL_resumedomain,
  XEN_DOMCTL_SCHEDOP_getinfo,
  XEN_DOMCTL_SCHEDOP_putinfo,
  XEN_DOMCTL_SENDTRIGGER_NMI,
  XEN_DOMCTL_SHADOW_OP_CLEAN,
  XEN_DOMCTL_SHADOW_OP_ENABLE,
  XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY,
  XEN_DOMCTL_SHADOW_OP_ENABLE_TEST,
  XEN_DOMCTL_SHADOW_OP_ENABLE_TRANSLATE,
  XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION,
  XEN_DOMCTL_SHADOW_OP_OFF,
  XEN_DOMCTL_SHADOW_OP_PEEK,
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
import { TRC_SCHED_ADJDOM } from '#abi/xen/trace.ts'
import { DOMID_FIRST_RESERVED, MAX_VIRT_CPUS } from '#abi/xen/xen.ts'
import type { Domain } from '../common/domain.ts'
import { domainCreate, setHandle } from '../common/domain-create.ts'
import { domainKill } from '../common/domain-destroy.ts'
import { domainInfo } from '../common/domain-info.ts'
import { domainChanged } from '../common/domain-probe.ts'
import {
  domainPause,
  domainPauseByController,
  domainResume,
  domainUnpause,
  domainUnpauseByController,
} from '../common/domain-shutdown.ts'
import { guestLog } from '../common/guest-log.ts'
import { creditAdjust } from '../common/sched-credit-control.ts'
import { trace } from '../common/trace.ts'
import { XENLOG_INFO, XENLOG_WARNING } from '../drivers/console.ts'
import { printk, type Xen } from '../xen.ts'
import { deviceRows } from './domctl-devices.ts'
import { frameInfo, frameInfos, hypercallInit, memList } from './domctl-frames.ts'
import { guestRows } from './domctl-guest.ts'
import { about, asks, checked, done, named, notOwn, plain } from './domctl-rows.ts'
import { getAffinity, getContext, maxVcpus, setAffinity, setContext, triggerNmi, vcpuInfo } from './domctl-vcpus.ts'
import type { Call, Hypercall, RawOp } from './op-table.ts'

const BITS_PER_GUEST_LONG = 64

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
  [XEN_DOMCTL_max_vcpus]: checked(
    xen_domctl_max_vcpus,
    (_call, { max }) => max <= MAX_VIRT_CPUS,
    notOwn((call, domain, { max }) => maxVcpus(call, domain, max)),
  ),
  [XEN_DOMCTL_sendtrigger]: about(xen_domctl_sendtrigger, (call, domain, { trigger, vcpu }) =>
    triggerNmi(call, domain, vcpu, trigger === XEN_DOMCTL_SENDTRIGGER_NMI),
  ),
  [XEN_DOMCTL_max_mem]: about(xen_domctl_max_mem, maxMem),
  [XEN_DOMCTL_scheduler_op]: asks(xen_domctl_scheduler_op, schedulerOp),
  [XEN_DOMCTL_setdomainhandle]: about(xen_domctl_setdomainhandle, ({ xen }, domain, { handle }) =>
    done(setHandle(xen, domain, handle)),
  ),
  [XEN_DOMCTL_setdebugging]: about(xen_domctl_setdebugging, notOwn(setDebugging)),
  ...deviceRows,
  ...guestRows,
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
  const hvm = (flags & XEN_DOMCTL_CDF_hvm_guest) !== 0
  if (hvm) guestLog(xen, XENLOG_WARNING, 'hvm.c:298', 'Attempt to create a HVM guest on a non-VT/AMDV platform.')
  const domain = hvm ? undefined : domainCreate(xen, id)
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
  trace(xen, TRC_SCHED_ADJDOM, 1, domain.id)
  return 0
}

function setDebugging({ xen }: Call, domain: Domain, { enable }: Values<typeof xen_domctl_setdebugging>): number {
  domainPause(xen, domain)
  domain.debuggerAttached = enable !== 0
  domainChanged(xen, domain)
  domainUnpause(xen, domain)
  return 0
}

/**
 * paging_domctl, for a domain without shadows and without a log of dirty frames. The page maps of module vCPUs have neither: switching one on
 * is refused.
 */
function shadowOp({ xen, caller }: Call, domain: Domain, arg: Values<typeof xen_domctl_shadow_op>): number {
  if (domain === caller) {
    guestLog(xen, XENLOG_INFO, 'paging.c:523', 'Tried to do a paging op on itself.')
    return -EINVAL
  }
  if (domain.dying) {
    guestLog(xen, XENLOG_INFO, 'paging.c:529', `Ignoring paging op on dying domain ${domain.id}`)
    return 0
  }
  if (!domain.vcpus[0]) {
    printk(xen, `pg error: paging_domctl(): Paging op on a domain (${domain.id}) with no vcpus\n`)
    return -EINVAL
  }
  switch (arg.op) {
    case XEN_DOMCTL_SHADOW_OP_OFF:
    case XEN_DOMCTL_SHADOW_OP_CLEAN:
    case XEN_DOMCTL_SHADOW_OP_PEEK:
      // There is nothing to show or to clean; who asks for figures alone gets them.
      arg.stats_fault_count = 0
      arg.stats_dirty_count = 0
      return arg.op === XEN_DOMCTL_SHADOW_OP_CLEAN || arg.dirty_bitmap !== 0 ? -EINVAL : 0
    case XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION:
      return arg.mb === 0 ? 0 : -ENOMEM
    case XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION:
      arg.mb = 0
      return 0
    case XEN_DOMCTL_SHADOW_OP_ENABLE:
    case XEN_DOMCTL_SHADOW_OP_ENABLE_TEST:
    case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY:
    case XEN_DOMCTL_SHADOW_OP_ENABLE_TRANSLATE:
      return -ENOSYS
    default:
      printk(xen, `sh error: shadow_domctl(): Bad shadow op ${arg.op}\n`)
      return -EINVAL
  }
}
