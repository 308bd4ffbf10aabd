/** platform_op (7): what the control domain asks of the machine (xen/arch/x86/platform_hypercall.c). */
import { EACCES, EINVAL, ENOSYS, EPERM } from '#abi/xen/errno.ts'
import {
  XEN_PLATFORM_OP_U,
  XENPF_enter_acpi_sleep,
  XENPF_INTERFACE_VERSION,
  XENPF_settime,
  xen_platform_op,
  xenpf_enter_acpi_sleep,
  xenpf_settime,
} from '#abi/xen/platform.ts'
import { enterS5 } from '../arch-x86/shutdown.ts'
import { updateWallclock } from '../arch-x86/time.ts'
import { pm1aControlPort } from '../drivers/acpi.ts'
import type { Call, Hypercall, RawOp } from './op-table.ts'

const ACPI_STATE_S3 = 3
const ACPI_STATE_S5 = 5

const rows: Readonly<Record<number, RawOp>> = {
  [XENPF_settime]: settime,
  [XENPF_enter_acpi_sleep]: enterAcpiSleep,
}

export const platformOp: Hypercall = (call, [pointer = 0]) => {
  if (!call.caller.privileged) return -EPERM
  // All of the struct is copied in, whatever the command.
  call.mem.read8(pointer + xen_platform_op.size - 1)
  const { cmd, interface_version } = xen_platform_op.read(call.mem, pointer)
  if (interface_version !== XENPF_INTERFACE_VERSION) return -EACCES
  return rows[cmd]?.(call, pointer + XEN_PLATFORM_OP_U) ?? -ENOSYS
}

/** do_settime: the wall clock was `secs` and `nsecs` at `system_time`. */
function settime({ xen, mem }: Call, pointer: number): number {
  const { secs, nsecs, system_time } = xenpf_settime.read(mem, pointer)
  const base = BigInt.asUintN(64, BigInt(secs) * 1_000_000_000n + BigInt(nsecs) - system_time)
  xen.time.wallclockSeconds = Number(base / 1_000_000_000n) >>> 0
  xen.time.wallclockNs = Number(base % 1_000_000_000n)
  for (const domain of xen.domains.values()) updateWallclock(xen, domain)
  return 0
}

/** acpi_enter_sleep. Only S5 is there: switching off. */
function enterAcpiSleep({ xen, mem }: Call, pointer: number): number {
  const port = pm1aControlPort(xen.mem, xen.acpi)
  if (port === 0) return -EPERM
  const { pm1a_cnt_val, sleep_state, flags } = xenpf_enter_acpi_sleep.read(mem, pointer)
  if (flags !== 0) return -EINVAL
  if (sleep_state === ACPI_STATE_S3) return -ENOSYS
  return sleep_state === ACPI_STATE_S5 ? enterS5(xen, port, pm1a_cnt_val) : -EINVAL
}
