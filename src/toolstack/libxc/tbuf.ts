/** tools/libxc/xc_tbuf.c: Xen's trace buffers. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Values } from '#abi/struct.ts'
import {
  XEN_SYSCTL_TBUFOP_disable,
  XEN_SYSCTL_TBUFOP_enable,
  XEN_SYSCTL_TBUFOP_get_info,
  XEN_SYSCTL_TBUFOP_set_cpu_mask,
  XEN_SYSCTL_TBUFOP_set_evt_mask,
  XEN_SYSCTL_TBUFOP_set_size,
  XEN_SYSCTL_tbuf_op,
  xen_sysctl_tbuf_op,
} from '#abi/xen/sysctl.ts'
import { store } from '#user/libc/syscall.ts'
import { XcError } from './error.ts'
import { sysctl, withMemory, type XcHandle } from './privcmd.ts'

type Op = Values<typeof xen_sysctl_tbuf_op>

const tbufOp = (xc: XcHandle, cmd: number, values: Partial<Op> = {}): Sys<Op> =>
  sysctl(xc, XEN_SYSCTL_tbuf_op, xen_sysctl_tbuf_op, { cmd, ...values })

/** xc_tbuf_enable: on, with `pages` frames for each processor unless they have theirs. The first frame of all, and a buffer's bytes. */
export function* xcTbufEnable(xc: XcHandle, pages: number): Sys<{ readonly mfn: number; readonly size: number }> {
  try {
    yield* tbufOp(xc, XEN_SYSCTL_TBUFOP_set_size, { size: pages })
  } catch (error) {
    // It is what it is from the first time on.
    if (!(error instanceof XcError)) throw error
  }
  yield* tbufOp(xc, XEN_SYSCTL_TBUFOP_enable)
  const { buffer_mfn, size } = yield* tbufOp(xc, XEN_SYSCTL_TBUFOP_get_info)
  return { mfn: buffer_mfn, size }
}

export function* xcTbufDisable(xc: XcHandle): Sys<void> {
  yield* tbufOp(xc, XEN_SYSCTL_TBUFOP_disable)
}

const MASK_BYTES = 8

export function* xcTbufSetCpuMask(xc: XcHandle, mask: number): Sys<void> {
  yield* withMemory(xc, MASK_BYTES, function* (bitmap) {
    yield* store(bitmap, new Uint8Array(Uint32Array.of(mask, 0).buffer))
    const map = { cpu_mask_bitmap: bitmap, cpu_mask_nr_cpus: 8 * MASK_BYTES }
    yield* tbufOp(xc, XEN_SYSCTL_TBUFOP_set_cpu_mask, map)
  })
}

export function* xcTbufSetEvtMask(xc: XcHandle, mask: number): Sys<void> {
  yield* tbufOp(xc, XEN_SYSCTL_TBUFOP_set_evt_mask, { evt_mask: mask })
}
