/** start_info_x86_64, shared_info_x86_64 and vcpu_x86_64 (tools/libxc/xc_dom_x86.c): what a new domain finds, and what its vCPU starts from. */
import { memOf } from '#abi/mem.ts'
import { PAGE_SIZE, signedVaddr } from '#abi/xen/types.ts'
import {
  FLAT_KERNEL_CS,
  FLAT_KERNEL_DS,
  FLAT_KERNEL_SS,
  VGCF_in_kernel,
  VGCF_online,
  vcpu_guest_context,
} from '#abi/xen/vcpu.ts'
import { MAX_GUEST_CMDLINE, MAX_VIRT_CPUS, start_info, start_info_domU, vcpu_info } from '#abi/xen/xen.ts'
import { bytesOfString } from '#lib/utf8.ts'

const INTERRUPTS_ENABLED = 1n << 9n

export interface StartInfo {
  readonly guestType: string
  readonly totalPages: number
  readonly sharedInfoMfn: number
  readonly flags: number
  readonly storeMfn: number
  readonly storeEvtchn: number
  readonly consoleMfn: number
  readonly consoleEvtchn: number
  readonly ptBase: bigint
  readonly nrPtFrames: number
  readonly mfnList: bigint
  readonly ramdisk: { readonly start: bigint; readonly length: number } | undefined
  readonly cmdline: string
}

export function startInfoPage(info: StartInfo): Uint8Array {
  const bytes = new Uint8Array(PAGE_SIZE)
  const mem = memOf(bytes)
  start_info.write(mem, 0, {
    magic: bytesOfString(info.guestType),
    nr_pages: info.totalPages,
    shared_info: info.sharedInfoMfn * PAGE_SIZE,
    flags: info.flags,
    store_mfn: info.storeMfn,
    store_evtchn: info.storeEvtchn,
    pt_base: signedVaddr(info.ptBase),
    nr_pt_frames: info.nrPtFrames,
    mfn_list: signedVaddr(info.mfnList),
    mod_start: signedVaddr(info.ramdisk?.start ?? 0n),
    mod_len: info.ramdisk?.length ?? 0,
    cmd_line: bytesOfString(info.cmdline.slice(0, MAX_GUEST_CMDLINE - 1)),
  })
  start_info_domU.write(mem, 0, { console_mfn: info.consoleMfn, console_evtchn: info.consoleEvtchn })
  return bytes
}

/** Nothing but events masked on all vCPUs. */
export function sharedInfoPage(): Uint8Array {
  const bytes = new Uint8Array(PAGE_SIZE)
  for (let i = 0; i < MAX_VIRT_CPUS; i++) vcpu_info.fields.evtchn_upcall_mask.set(memOf(bytes), i * vcpu_info.size, 1)
  return bytes
}

export interface Start {
  readonly entry: bigint
  readonly stackEnd: bigint
  readonly startInfo: bigint
  /** The L4's frame. */
  readonly cr3Mfn: number
}

export function vcpuContext({ entry, stackEnd, startInfo, cr3Mfn }: Start): Uint8Array {
  const bytes = new Uint8Array(vcpu_guest_context.size)
  const sp = signedVaddr(stackEnd)
  vcpu_guest_context.write(memOf(bytes), 0, {
    flags: BigInt(VGCF_in_kernel | VGCF_online),
    rip: signedVaddr(entry),
    rsp: sp,
    rsi: signedVaddr(startInfo),
    rflags: INTERRUPTS_ENABLED,
    cs: FLAT_KERNEL_CS,
    ss: FLAT_KERNEL_SS,
    ds: FLAT_KERNEL_DS,
    es: FLAT_KERNEL_DS,
    fs: FLAT_KERNEL_DS,
    gs: FLAT_KERNEL_DS,
    kernel_ss: BigInt(FLAT_KERNEL_SS),
    kernel_sp: sp,
    ctrlreg3: BigInt(cr3Mfn) << 12n,
  })
  return bytes
}
