/** platform_op (7): what the control domain asks of the machine (xen/arch/x86/platform_hypercall.c). */
import type { Values } from '#abi/struct.ts'
import { EACCES, EINVAL, ENOSYS, EPERM } from '#abi/xen/errno.ts'
import {
  QUIRK_IOAPIC_GOOD_REGSEL,
  QUIRK_NOIRQBALANCING,
  XEN_PLATFORM_OP_U,
  XEN_PM_CX,
  XEN_PM_PX,
  XEN_PM_TX,
  XENPF_add_memtype,
  XENPF_change_freq,
  XENPF_del_memtype,
  XENPF_enter_acpi_sleep,
  XENPF_firmware_info,
  XENPF_getidletime,
  XENPF_INTERFACE_VERSION,
  XENPF_microcode_update,
  XENPF_platform_quirk,
  XENPF_read_memtype,
  XENPF_set_processor_pminfo,
  XENPF_settime,
  xen_platform_op,
  xenpf_add_memtype,
  xenpf_del_memtype,
  xenpf_enter_acpi_sleep,
  xenpf_microcode_update,
  xenpf_platform_quirk,
  xenpf_read_memtype,
  xenpf_set_processor_pminfo,
  xenpf_settime,
} from '#abi/xen/platform.ts'
import { microcodeUpdate } from '../arch-x86/microcode.ts'
import { mtrrAdd, mtrrDel } from '../arch-x86/mtrr.ts'
import { enterS5 } from '../arch-x86/shutdown.ts'
import { updateWallclock } from '../arch-x86/time.ts'
import { pm1aControlPort } from '../drivers/acpi.ts'
import { printk } from '../xen.ts'
import { firmwareInfo } from './firmware-info.ts'
import { type Call, type Hypercall, op, opIn, type RawOp } from './op-table.ts'

const ACPI_STATE_S3 = 3
const ACPI_STATE_S5 = 5
const INT_MAX = 0x7fffffff

const rows: Readonly<Record<number, RawOp>> = {
  [XENPF_settime]: opIn(xenpf_settime, settime),
  [XENPF_add_memtype]: op(xenpf_add_memtype, addMemtype),
  [XENPF_del_memtype]: opIn(xenpf_del_memtype, ({ xen }, { handle, reg }) =>
    handle === 0 && reg <= INT_MAX ? mtrrDel(xen, reg) : -EINVAL,
  ),
  [XENPF_read_memtype]: op(xenpf_read_memtype, readMemtype),
  [XENPF_microcode_update]: opIn(xenpf_microcode_update, ({ xen, mem }, { data, length }) =>
    microcodeUpdate(xen, mem, data, length),
  ),
  [XENPF_platform_quirk]: opIn(xenpf_platform_quirk, platformQuirk),
  [XENPF_firmware_info]: firmwareInfo,
  [XENPF_enter_acpi_sleep]: opIn(xenpf_enter_acpi_sleep, enterAcpiSleep),
  // cpufreq=dom0-kernel would let dom0 change the clock rate: this processor has but one.
  [XENPF_change_freq]: () => -ENOSYS,
  [XENPF_getidletime]: () => -ENOSYS,
  // Xen takes care of no sleep states and no clock rates.
  [XENPF_set_processor_pminfo]: opIn(xenpf_set_processor_pminfo, (_call, { type }) =>
    type === XEN_PM_PX || type === XEN_PM_CX || type === XEN_PM_TX ? -ENOSYS : -EINVAL,
  ),
}

export const platformOp: Hypercall = (call, [pointer = 0]) => {
  if (!call.caller.privileged) return -EPERM
  // All of the struct is copied in, whatever the command.
  call.mem.copyOut(pointer, xen_platform_op.size)
  const { cmd, interface_version } = xen_platform_op.read(call.mem, pointer)
  if (interface_version !== XENPF_INTERFACE_VERSION) return -EACCES
  return rows[cmd]?.(call, pointer + XEN_PLATFORM_OP_U) ?? -ENOSYS
}

/** do_settime: the wall clock was `secs` and `nsecs` at `system_time`. */
function settime({ xen }: Call, { secs, nsecs, system_time }: Values<typeof xenpf_settime>): number {
  const base = BigInt.asUintN(64, BigInt(secs) * 1_000_000_000n + BigInt(nsecs) - system_time)
  xen.time.wallclockSeconds = Number(base / 1_000_000_000n) >>> 0
  xen.time.wallclockNs = Number(base % 1_000_000_000n)
  for (const domain of xen.domains.values()) updateWallclock(xen, domain)
  return 0
}

function addMemtype({ xen }: Call, arg: Values<typeof xenpf_add_memtype>): number {
  const reg = mtrrAdd(xen, arg.mfn, arg.nr_mfns, arg.type)
  if (reg < 0) return reg
  arg.handle = 0
  arg.reg = reg
  return 0
}

function readMemtype({ xen }: Call, arg: Values<typeof xenpf_read_memtype>): number {
  const mtrr = xen.mtrrs[arg.reg]
  if (!mtrr) return -EINVAL
  arg.mfn = mtrr.base
  arg.nr_mfns = mtrr.size
  arg.type = mtrr.type
  return 0
}

/** An I/O APIC that forgets its register was only ever met by 32-bit Xen: 64-bit Xen takes the news for a bug of its own and stops. */
function platformQuirk({ xen }: Call, { quirk_id }: Values<typeof xenpf_platform_quirk>): number {
  if (quirk_id === QUIRK_IOAPIC_GOOD_REGSEL) return 0
  if (quirk_id !== QUIRK_NOIRQBALANCING) return -EINVAL
  // Interrupts go to processor 0 here at any time.
  printk(xen, 'Platform quirk -- Disabling IRQ balancing/affinity.\n')
  return 0
}

/** acpi_enter_sleep. Only S5 is there: switching off. */
function enterAcpiSleep({ xen }: Call, arg: Values<typeof xenpf_enter_acpi_sleep>): number {
  const { pm1a_cnt_val, sleep_state, flags } = arg
  const port = pm1aControlPort(xen.mem, xen.acpi)
  if (port === 0) return -EPERM
  if (flags !== 0) return -EINVAL
  if (sleep_state === ACPI_STATE_S3) return -ENOSYS
  return sleep_state === ACPI_STATE_S5 ? enterS5(xen, port, pm1a_cnt_val) : -EINVAL
}
