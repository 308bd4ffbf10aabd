/**
 * The smallest domain 0: says that it is there, from what start_info tells it, and blocks for ever. For trying out a hypervisor without a
 * real kernel. It imports abi/ alone.
 */
import type { GuestEntry, VcpuCode, VirtualCpu } from '#abi/xen/guest.ts'
import { SCHEDOP_block } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { XENVER_version } from '#abi/xen/version.ts'
import {
  __HYPERVISOR_console_io,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_xen_version,
  CONSOLEIO_write,
  start_info,
} from '#abi/xen/xen.ts'

export const start: GuestEntry = (vcpu: VirtualCpu): VcpuCode => {
  let greeted = false
  return {
    run() {
      if (!greeted) greet(vcpu)
      greeted = true
      return { kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [SCHEDOP_block, 0] }
    },
    upcall() {},
  }
}

function greet({ mem, startInfo, hypercall }: VirtualCpu): void {
  const info = start_info.fields
  const pages = info.nr_pages.get(mem, startInfo)
  const version = hypercall(__HYPERVISOR_xen_version, XENVER_version, 0)
  const text =
    `idle-dom0: ${Math.floor((pages * PAGE_SIZE) / 1048576)} MB from Xen ${version >> 16}.${version & 0xffff}, ` +
    'no services; blocking for ever\n'
  // The boot stack's page lies behind the page tables: the only memory that is known to be nobody else's.
  const stack = info.pt_base.get(mem, startInfo) + info.nr_pt_frames.get(mem, startInfo) * PAGE_SIZE
  for (let i = 0; i < text.length; i++) mem.write8(stack + i, text.charCodeAt(i))
  hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, text.length, stack)
}
