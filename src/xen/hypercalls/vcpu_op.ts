/** vcpu_op (24): a domain's own virtual CPUs (xen/common/domain.c, do_vcpu_op; arch/x86/domain.c). */
import { EEXIST, EFAULT, EINVAL, ENOENT, ENOSYS, ETIME } from '#abi/xen/errno.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  VCPU_SSHOTTMR_future,
  VCPUOP_down,
  VCPUOP_get_physid,
  VCPUOP_get_runstate_info,
  VCPUOP_initialise,
  VCPUOP_is_up,
  VCPUOP_register_runstate_memory_area,
  VCPUOP_register_vcpu_info,
  VCPUOP_send_nmi,
  VCPUOP_set_periodic_timer,
  VCPUOP_set_singleshot_timer,
  VCPUOP_stop_periodic_timer,
  VCPUOP_stop_singleshot_timer,
  VCPUOP_up,
  vcpu_get_physid,
  vcpu_guest_context,
  vcpu_register_runstate_memory_area,
  vcpu_register_vcpu_info,
  vcpu_set_periodic_timer,
  vcpu_set_singleshot_timer,
} from '#abi/xen/vcpu.ts'
import { MAX_VIRT_CPUS, vcpu_info } from '#abi/xen/xen.ts'
import { sendNmi, setInfoGuest } from '../arch-x86/guest-context.ts'
import { getPage, getWritable, mfnValid, putPage } from '../arch-x86/page-type.ts'
import { accessOk } from '../arch-x86/uaccess.ts'
import { type Vcpu, VPF_down } from '../common/domain.ts'
import { domainChanged } from '../common/domain-probe.ts'
import {
  fillRunstateArea,
  periodicTimerWork,
  setVcpuTimer,
  stopVcpuTimer,
  vcpuSleep,
  vcpuWake,
  writeRunstate,
} from '../common/schedule.ts'
import { readMadt } from '../drivers/acpi.ts'
import { now, type Xen } from '../xen.ts'
import type { Call, Hypercall } from './op-table.ts'

/** Of no processor. */
const BAD_ID = 0xff
const PERIOD_MIN_NS = 1_000_000n

type VcpuOp = (call: Call, vcpu: Vcpu, pointer: number) => number

const rows: Readonly<Record<number, VcpuOp>> = {
  [VCPUOP_initialise]: initialise,
  [VCPUOP_up]: up,
  [VCPUOP_down]: down,
  [VCPUOP_is_up]: (_call, vcpu) => (vcpu.pauseFlags & VPF_down ? 0 : 1),
  [VCPUOP_get_runstate_info]({ xen, mem }, vcpu, pointer) {
    writeRunstate(xen, vcpu, mem, pointer)
    return 0
  },
  [VCPUOP_send_nmi]({ xen }, vcpu, pointer) {
    if (pointer !== 0) return -EINVAL
    sendNmi(xen, vcpu)
    return 0
  },
  [VCPUOP_register_runstate_memory_area]({ xen, mem }, vcpu, pointer) {
    const { addr } = vcpu_register_runstate_memory_area.read(mem, pointer)
    if (!accessOk(addr)) return -EFAULT
    vcpu.runstateArea = addr
    // Whether anything is there shows at each schedule anew.
    fillRunstateArea(xen, vcpu, addr)
    return 0
  },
  [VCPUOP_register_vcpu_info]: registerVcpuInfo,
  [VCPUOP_set_periodic_timer]: setPeriodicTimer,
  [VCPUOP_stop_periodic_timer](_call, vcpu) {
    vcpu.periodicNs = 0
    stopVcpuTimer(vcpu.periodicTimer)
    return 0
  },
  [VCPUOP_set_singleshot_timer]: setSingleshotTimer,
  [VCPUOP_stop_singleshot_timer](call, vcpu) {
    if (vcpu !== call.vcpu) return -EINVAL
    stopVcpuTimer(vcpu.singleshotTimer)
    return 0
  },
  [VCPUOP_get_physid]({ xen, caller, mem }, vcpu, pointer) {
    if (!caller.pinned) return -EINVAL
    vcpu_get_physid.write(mem, pointer, { phys_id: physId(xen, vcpu.id) })
    return 0
  },
}

export const vcpuOp: Hypercall = (call, [command = 0, id = 0, pointer = 0]) => {
  if (!Number.isInteger(id) || id < 0 || id >= MAX_VIRT_CPUS) return -EINVAL
  const vcpu = call.caller.vcpus[id]
  if (!vcpu) return -ENOENT
  return rows[command | 0]?.(call, vcpu, pointer) ?? -ENOSYS
}

/** The numbers of the processor that the vCPU is pinned to: the APIC's, and ACPI's above (acpi_get_processor_id). */
function physId(xen: Xen, id: number): bigint {
  const apicId = xen.pcpus[id]?.metal.cpu.apicId ?? BAD_ID
  const madt = xen.acpi.find(({ signature }) => signature === 'APIC')
  const silent = (): void => {}
  const cpus = madt && apicId !== BAD_ID ? readMadt(xen.mem, madt, silent, silent, undefined).cpus : []
  const acpiId = cpus.find((cpu) => cpu.apicId === apicId)?.acpiId ?? BAD_ID
  return (BigInt(acpiId) << 32n) | BigInt(apicId)
}

/** boot_vcpu. It begins at the image's entry, in the kernel's own heap, and knows itself by `vcpuId`. */
function initialise({ xen, mem }: Call, vcpu: Vcpu, pointer: number): number {
  const bytes = mem.copyOut(pointer, vcpu_guest_context.size)
  return vcpu.initialised ? -EEXIST : setInfoGuest(xen, vcpu, bytes)
}

/** map_vcpu_info: its events and clock in a frame of the guest's choice, once and for all. */
function registerVcpuInfo({ xen, caller, vcpu: own, mem }: Call, vcpu: Vcpu, pointer: number): number {
  const { mfn, offset } = vcpu_register_vcpu_info.read(mem, pointer)
  if (offset > PAGE_SIZE - vcpu_info.size || vcpu.infoMoved) return -EINVAL
  if (vcpu !== own && !(vcpu.pauseFlags & VPF_down)) return -EINVAL
  const frame = Number(mfn)
  if (!mfnValid(xen, frame) || !getPage(xen, frame, caller)) return -EINVAL
  if (!getWritable(xen, frame)) {
    putPage(xen, frame)
    return -EINVAL
  }
  const at = frame * PAGE_SIZE + offset
  xen.mem.copyIn(at, xen.mem.copyOut(vcpu.infoAt, vcpu_info.size))
  vcpu.infoAt = at
  vcpu.infoMoved = true
  // Nothing may get lost on the way: one event too many does no harm.
  vcpu_info.write(xen.mem, at, { evtchn_upcall_pending: 1, evtchn_pending_sel: 0xffffffffffffffffn })
  return 0
}

function up({ xen }: Call, vcpu: Vcpu): number {
  if (!vcpu.initialised) return -EINVAL
  if (vcpu.pauseFlags & VPF_down) {
    vcpu.pauseFlags &= ~VPF_down
    domainChanged(xen, vcpu.domain)
    vcpuWake(xen, vcpu)
  }
  return 0
}

function down({ xen }: Call, vcpu: Vcpu): number {
  if (vcpu.pauseFlags & VPF_down) return 0
  vcpu.pauseFlags |= VPF_down
  domainChanged(xen, vcpu.domain)
  vcpuSleep(xen, vcpu)
  return 0
}

function setPeriodicTimer({ xen, mem }: Call, vcpu: Vcpu, pointer: number): number {
  const { period_ns } = vcpu_set_periodic_timer.read(mem, pointer)
  if (period_ns < PERIOD_MIN_NS) return -EINVAL
  vcpu.periodicNs = Number(period_ns)
  stopVcpuTimer(vcpu.periodicTimer)
  if (vcpu.running) periodicTimerWork(xen, vcpu)
  return 0
}

function setSingleshotTimer(call: Call, vcpu: Vcpu, pointer: number): number {
  if (vcpu !== call.vcpu) return -EINVAL
  const { timeout_abs_ns, flags } = vcpu_set_singleshot_timer.read(call.mem, pointer)
  if (flags & VCPU_SSHOTTMR_future && Number(timeout_abs_ns) < now(call.xen)) return -ETIME
  // Signed, for the timer itself.
  const timeout = Number(BigInt.asIntN(64, timeout_abs_ns))
  setVcpuTimer(call.xen, vcpu.singleshotTimer, timeout)
  return 0
}
