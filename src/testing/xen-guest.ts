/** For tests: kernels that are there without an image, as Metal.load would give them. */
import { ImageKind } from '#abi/image.ts'
import type { LoadedCode } from '#abi/pc/metal.ts'
import {
  XEN_ELFNOTE_ENTRY,
  XEN_ELFNOTE_LOADER,
  XEN_ELFNOTE_PADDR_OFFSET,
  XEN_ELFNOTE_VIRT_BASE,
  XEN_ELFNOTE_XEN_VERSION,
} from '#abi/xen/elfnote.ts'
import type { GuestEntry, VcpuExit, VirtualCpu } from '#abi/xen/guest.ts'
import { kernelImage, type XenNote } from '#toolchain/elf.ts'

export const VIRT_BASE = 0xffffffff80000000n
export const ENTRY = VIRT_BASE + 0x200000n

/** An ELF kernel whose code is nothing: `loaded` stands in for it. */
export const kernelFile = (extra: readonly XenNote[] = []): Uint8Array =>
  kernelImage(
    'test-kernel',
    { entry: 0, modules: [] },
    {
      vaddr: ENTRY,
      paddr: ENTRY,
      notes: [
        { type: XEN_ELFNOTE_XEN_VERSION, value: 'xen-3.0' },
        { type: XEN_ELFNOTE_VIRT_BASE, value: VIRT_BASE },
        { type: XEN_ELFNOTE_PADDR_OFFSET, value: VIRT_BASE },
        { type: XEN_ELFNOTE_ENTRY, value: ENTRY },
        { type: XEN_ELFNOTE_LOADER, value: 'generic' },
        ...extra,
      ],
    },
  )

/** Throws come back as faults at guest.ts:7. */
export const loaded = (start: unknown, kind: number = ImageKind.kernel): LoadedCode => ({
  ok: true,
  kind,
  name: 'test-kernel',
  bytes: 0,
  instantiate: () => ({ ok: true, value: { start } }),
  serve: (body) => body(),
  call(body) {
    try {
      return { ok: true, value: body() }
    } catch (error) {
      return { ok: false, fault: { message: (error as Error).message, file: 'guest.ts', line: 7 } }
    }
  },
})

/** A kernel that does `run` each time it gets the processor. */
export const kernel =
  (run: (vcpu: VirtualCpu, result: number) => VcpuExit): GuestEntry =>
  (vcpu) => ({ run: (_deadlineNs, result) => run(vcpu, result), upcall() {} })
