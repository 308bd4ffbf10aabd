/** xc_linux_build (tools/libxc/xc_dom_compat_linux.c, xc_dom_boot.c): a paravirtual domain's memory, filled; its first vCPU, ready to run. */
import { ENOSYS } from '#abi/posix/errno.ts'
import { PROT_READ, PROT_WRITE } from '#abi/posix/mman.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  XEN_DOMCTL_getdomaininfo,
  XEN_DOMCTL_hypercall_init,
  XEN_DOMCTL_SHADOW_OP_ENABLE,
  XEN_DOMCTL_set_address_size,
  XEN_DOMCTL_setvcpucontext,
  XEN_DOMCTL_shadow_op,
  XEN_DOMCTL_U,
  xen_domctl,
  xen_domctl_address_size,
  xen_domctl_getdomaininfo,
  xen_domctl_hypercall_init,
  xen_domctl_shadow_op,
  xen_domctl_vcpucontext,
} from '#abi/xen/domctl.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import { XENFEAT_auto_translated_physmap } from '#abi/xen/version.ts'
import { MMUEXT_PIN_L4_TABLE } from '#abi/xen/xen.ts'
import { OsError } from '#user/libc/errno.ts'
import { munmap, store } from '#user/libc/syscall.ts'
import { XC_ERROR_NONE, XC_INTERNAL_ERROR, XC_INVALID_KERNEL, XC_OUT_OF_MEMORY, XcError, xcFail } from '../error.ts'
import { frameBytes, xcDomainMemoryPopulatePhysmap, xcMapForeignBatch, xcMmuextOp } from '../memory.ts'
import { xcVersion, xcVersionCapabilities } from '../misc.ts'
import { domctl, withMemory, type XcHandle } from '../privcmd.ts'
import { checkGzip, gunzip, tryGunzip } from './gunzip.ts'
import { type KernelImage, parseImage } from './image.ts'
import { cannotMap, Layout, type Segment } from './layout.ts'
import { loadedPart } from './libelf.ts'
import { BuilderLog, hex, type Log, memoryLine, Panic } from './log.ts'
import { Charge, fileMap } from './memory.ts'
import { pageTables } from './page-tables.ts'
import { sharedInfoPage, startInfoPage, vcpuContext } from './pages.ts'

export interface XcLinuxBuild {
  readonly memMb: number
  readonly image: string
  readonly ramdisk?: string | undefined
  readonly cmdline: string
  /** `name|name`; usually empty. */
  readonly features: string
  /** SIF_*. */
  readonly flags: number
  readonly storeEvtchn: number
  readonly consoleEvtchn: number
}

export interface XcLinuxBuilt {
  readonly storeMfn: number
  readonly consoleMfn: number
  /** The kernel's notes by name: xend writes them to the store. */
  readonly notes: ReadonlyMap<string, string | bigint>
  /** `x86_64-abi`. */
  readonly nativeProtocol: string
}

/** Pages that are populated at once, and bytes that are stored at once. */
const POPULATE_PAGES = 4096
const STORE_BYTES = 256 * 1024

/** Fill domain `domid`, which has been created with at least one vCPU and enough max_mem. XcError; what is mapped is unmapped in any case. */
export function* xcLinuxBuild(xc: XcHandle, domid: number, wanted: XcLinuxBuild): Sys<XcLinuxBuilt> {
  const log = new BuilderLog(xc)
  yield* log.open()
  const build = new Build(xc, domid, wanted, log)
  try {
    return yield* build.run()
  } catch (error) {
    if (error instanceof OsError && !(error instanceof XcError)) throw new XcError(error.errno)
    if (!(error instanceof Panic)) throw error
    if (error.code === XC_ERROR_NONE) throw new XcError(error.errno)
    log.print(`${error.where}: panic: ${error.text}`)
    return yield* xcFail(error.errno, error.code, error.text)
  } finally {
    log.print('xc_dom_release: called\n')
    yield* build.release()
    yield* log.close()
  }
}

/** A failure of a hypercall in the library's words. */
function* orPanic<T>(call: Sys<T>, where: string, text: string): Sys<T> {
  try {
    return yield* call
  } catch (error) {
    if (!(error instanceof XcError)) throw error
    throw new Panic(where, error.code === XC_ERROR_NONE ? XC_INTERNAL_ERROR : error.code, text, error.errno)
  }
}

/** xc_dom_image. */
class Build {
  readonly #xc: XcHandle
  readonly #domid: number
  readonly #wanted: XcLinuxBuild
  readonly #builderLog: BuilderLog
  readonly #log: Log
  readonly #charge = new Charge()
  /** dom->phys_pages. */
  readonly #mapped = new Map<Vaddr, number>()
  #p2m = new Uint32Array(0)
  #mappedBytes = 0

  constructor(xc: XcHandle, domid: number, wanted: XcLinuxBuild, log: BuilderLog) {
    this.#xc = xc
    this.#domid = domid
    this.#wanted = wanted
    this.#builderLog = log
    this.#log = log.print
  }

  *run(): Sys<XcLinuxBuilt> {
    const { image, ramdisk, cmdline, features, memMb } = this.#wanted
    const log = this.#log
    log(`xc_dom_allocate: cmdline="${cmdline}", features="${features}"\n`)
    log(`xc_dom_kernel_file: filename="${image}"\n`)
    const file = yield* fileMap(image, this.#charge, log)
    const kernel = yield* tryGunzip(file, this.#charge, log)
    let initrd: Uint8Array | undefined
    if (ramdisk) {
      log(`xc_dom_ramdisk_file: filename="${ramdisk}"\n`)
      initrd = yield* fileMap(ramdisk, this.#charge, log)
    }
    const caps = yield* this.#xenInit()
    const parsed = yield* parseImage(kernel, features, this.#charge, log)
    const pages = memMb * (1048576 / PAGE_SIZE)
    if (parsed.guestType !== 'xen-3.0-x86_64') {
      log(`xc_dom_core.c:523: panic: xc_dom_find_arch_hooks: not found (type ${parsed.guestType})\n`)
      throw new Panic('xc_dom_core.c:655', XC_INTERNAL_ERROR, 'xc_dom_mem_init: arch hooks not set\n')
    }
    log(`xc_dom_mem_init: mem ${memMb} MB, pages 0x${hex(pages)} pages, 4k each\n`)
    log(`xc_dom_mem_init: 0x${hex(pages)} pages\n`)
    yield* this.#builderLog.flush()
    yield* this.#memory(pages, parsed.features)
    return yield* this.#image(parsed, initrd, caps)
  }

  /** xc_dom_boot_xen_init; Xen's capabilities. */
  *#xenInit(): Sys<string> {
    const { major, minor } = yield* xcVersion(this.#xc)
    const caps = yield* orPanic(xcVersionCapabilities(this.#xc), 'xc_dom_boot.c:123', "can't get xen capabilities")
    this.#log(`xc_dom_boot_xen_init: ver ${major}.${minor & 0xff}, caps ${caps}\n`)
    return caps
  }

  /** xc_dom_boot_mem_init: all of the domain's memory. Xen enters it into the machine-to-physical table as it goes. */
  *#memory(pages: number, features: number): Sys<void> {
    this.#log('xc_dom_boot_mem_init: called\nx86_compat: guest xen-3.0-x86_64, address size 64\n')
    const text = "xc_dom_boot_mem_init: can't allocate low memory for domain\n"
    try {
      yield* this.#charge.take(pages * 4)
      this.#p2m = new Uint32Array(pages)
      try {
        yield* domctl(this.#xc, XEN_DOMCTL_set_address_size, this.#domid, xen_domctl_address_size, { size: 64 })
      } catch (error) {
        if (error instanceof XcError) this.#log('x86_compat: warning: failed (rc=-1)\n')
        throw error
      }
      if (features & (1 << XENFEAT_auto_translated_physmap)) yield* this.#shadow()
      for (let from = 0; from < pages; from += POPULATE_PAGES) {
        const length = Math.min(POPULATE_PAGES, pages - from)
        const gpfns = new Uint32Array(length)
        for (let i = 0; i < length; i++) gpfns[i] = from + i
        this.#p2m.set(yield* xcDomainMemoryPopulatePhysmap(this.#xc, { domid: this.#domid }, gpfns), from)
      }
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      throw new Panic('xc_dom_boot.c:141', XC_OUT_OF_MEMORY, text, error.errno)
    }
  }

  /** x86_shadow: a domain that wants its frames translated. What Xen says of it, it says here; nothing else in this builder could go on. */
  *#shadow(): Sys<never> {
    const mode = 'mode=0x6'
    this.#log('x86_shadow: called\n')
    try {
      const values = { op: XEN_DOMCTL_SHADOW_OP_ENABLE, mode: 6 }
      yield* domctl(this.#xc, XEN_DOMCTL_shadow_op, this.#domid, xen_domctl_shadow_op, values)
    } catch (error) {
      if (!(error instanceof XcError)) throw error
      this.#log(`xc_dom_x86.c:683: panic: x86_shadow: SHADOW_OP_ENABLE (${mode}) failed (rc=-1)\n`)
      throw error
    }
    throw new XcError(ENOSYS)
  }

  /** xc_dom_build_image and xc_dom_boot_image. */
  *#image({ elf, parms, guestType }: KernelImage, initrd: Uint8Array | undefined, caps: string): Sys<XcLinuxBuilt> {
    const log = this.#log
    const xc = this.#xc
    const domid = this.#domid
    const p2m = this.#p2m
    const layout = new Layout(parms.virtBase, p2m.length, log)
    const vaddr = (pfn: number): bigint => parms.virtBase + BigInt(pfn) * BigInt(PAGE_SIZE)
    log('xc_dom_build_image: called\n')
    const kernel = layout.segment('kernel', parms.virtKend - parms.virtKstart, parms.virtKstart)
    yield* this.#fill(kernel, (from, length) => loadedPart(elf, from, length))
    const ramdisk = initrd && (yield* this.#ramdisk(layout, initrd))
    const mfns = layout.segment('phys2mach', BigInt(p2m.length * 8))
    const mfnsAt = yield* this.#map(mfns)
    const startInfo = layout.page('start info')
    const xenstore = layout.page('xenstore')
    const console = layout.page('console')
    const counts = layout.countTables()
    const tables = layout.segment('page tables', BigInt((counts.l4 + counts.l3 + counts.l2 + counts.l1) * PAGE_SIZE))
    const stack = layout.page('boot stack')
    log(`xc_dom_build_image  : virt_alloc_end : 0x${hex(layout.end)}\n`)
    log(`xc_dom_build_image  : virt_pgtab_end : 0x${hex(counts.end)}\n`)
    yield* this.#builderLog.flush()

    log('xc_dom_boot_image: called\narch_setup_bootearly: doing nothing\n')
    const sharedInfoMfn = yield* this.#sharedInfoFrame()
    compatCheck(guestType, caps, log)
    log(`xc_dom_update_guest_p2m: dst 64bit, pages 0x${hex(p2m.length)} \n`)
    yield* this.#store(mfnsAt, mfns.pages * PAGE_SIZE, (from, length) => {
      const part = new Uint8Array(length)
      part.set(frameBytes(p2m.subarray(from / 8, (from + length) / 8)))
      return part
    })
    const tableBytes = pageTables(parms.virtBase, tables, counts, p2m)
    yield* this.#fill(tables, (from, length) => tableBytes.subarray(from, from + length))
    for (const pfn of [console, xenstore]) log(`clear_page: pfn 0x${hex(pfn)}, mfn 0x${hex(p2m[pfn]!)}\n`)
    log('start_info_x86_64: called\n')
    const info = startInfoPage({
      guestType,
      totalPages: p2m.length,
      sharedInfoMfn,
      flags: this.#wanted.flags,
      storeMfn: p2m[xenstore]!,
      storeEvtchn: this.#wanted.storeEvtchn,
      consoleMfn: p2m[console]!,
      consoleEvtchn: this.#wanted.consoleEvtchn,
      ptBase: tables.vstart,
      nrPtFrames: tables.pages,
      mfnList: mfns.vstart,
      ramdisk: ramdisk && { start: ramdisk.vstart, length: ramdisk.pages * PAGE_SIZE },
      cmdline: this.#wanted.cmdline,
    })
    // The three pages lie side by side: one mapping for all of them.
    const special: Segment = { vstart: 0n, vend: 0n, pfn: startInfo, pages: 3 }
    if (console >= p2m.length) throw cannotMap(startInfo, 3, 22)
    yield* this.#fill(special, (_, length) => {
      const part = new Uint8Array(length)
      part.set(info)
      return part
    })
    if (parms.virtHypercall !== undefined) yield* this.#hypercallPage(parms.virtHypercall, parms.virtBase)
    this.#footprint()

    // Tables must not be mapped writable anywhere when they become tables.
    yield* this.release(false)
    yield* orPanic(
      xcMmuextOp(xc, MMUEXT_PIN_L4_TABLE, p2m[tables.pfn]!, domid),
      'xc_dom_x86.c:754',
      `arch_setup_bootlate: pin_table failed (pfn 0x${hex(tables.pfn)}, rc=-1)\n`,
    )
    log(`arch_setup_bootlate: shared_info: pfn 0x0, mfn 0x${hex(sharedInfoMfn)}\nshared_info_x86_64: called\n`)
    const shared = yield* this.#mapFrames(Uint32Array.of(sharedInfoMfn))
    yield* store(shared, sharedInfoPage())
    yield* this.release(false)

    log(`vcpu_x86_64: called\nvcpu_x86_64: cr3: pfn 0x${hex(tables.pfn)} mfn 0x${hex(p2m[tables.pfn]!)}\n`)
    const start = {
      entry: parms.virtEntry,
      stackEnd: vaddr(stack + 1),
      startInfo: vaddr(startInfo),
      cr3Mfn: p2m[tables.pfn]!,
    }
    yield* this.#launch(vcpuContext(start))
    return {
      storeMfn: p2m[xenstore]!,
      consoleMfn: p2m[console]!,
      notes: parms.notes,
      nativeProtocol: 'x86_64-abi',
    }
  }

  *#ramdisk(layout: Layout, blob: Uint8Array): Sys<Segment> {
    const unzipped = checkGzip(blob, this.#log)
    const segment = layout.segment('ramdisk', BigInt(unzipped || blob.length))
    const take = (bytes: number): Sys<void> => this.#charge.take(bytes)
    const bytes = unzipped ? yield* gunzip(blob, unzipped, this.#log, take) : blob
    yield* this.#fill(segment, (from, length) => {
      const part = new Uint8Array(length)
      part.set(bytes.subarray(from, from + length))
      return part
    })
    return segment
  }

  *#sharedInfoFrame(): Sys<number> {
    const mem = yield* orPanic(
      domctl(this.#xc, XEN_DOMCTL_getdomaininfo, this.#domid),
      'xc_dom_boot.c:205',
      'xc_dom_boot_image: getdomaininfo failed (rc=-1)\n',
    )
    const got = xen_domctl.fields.domain.get(mem, 0)
    if (got !== this.#domid) {
      const text = `xc_dom_boot_image: Huh? domid mismatch (${got} != ${this.#domid})\n`
      throw new Panic('xc_dom_boot.c:211', XC_INTERNAL_ERROR, text)
    }
    return xen_domctl_getdomaininfo.fields.shared_info_frame.get(mem, XEN_DOMCTL_U)
  }

  /** setup_hypercall_page. */
  *#hypercallPage(at: bigint, virtBase: bigint): Sys<void> {
    const pfn = Number((at - virtBase) / BigInt(PAGE_SIZE))
    this.#log(`setup_hypercall_page: vaddr=0x${hex(at)} pfn=0x${hex(pfn)}\n`)
    const values = { gmfn: BigInt(this.#p2m[pfn] ?? 0) }
    yield* orPanic(
      domctl(this.#xc, XEN_DOMCTL_hypercall_init, this.#domid, xen_domctl_hypercall_init, values),
      'xc_dom_boot.c:44',
      'setup_hypercall_page: HYPERCALL_INIT failed (rc=-1)\n',
    )
  }

  /** xc_dom_log_memory_footprint, of what there is of it here. */
  #footprint(): void {
    this.#log('domain builder memory footprint\n   mapped\n')
    this.#log(memoryLine('      domU mmap', this.#mappedBytes))
  }

  /** launch_vm: XEN_DOMCTL_setvcpucontext. */
  *#launch(context: Uint8Array): Sys<void> {
    const log = this.#log
    const xc = this.#xc
    const domid = this.#domid
    yield* withMemory(xc, context.length, function* (ctxt) {
      log(`launch_vm: called, ctxt=0x${hex(BigInt.asUintN(64, BigInt(ctxt)))}\n`)
      yield* store(ctxt, context)
      yield* orPanic(
        domctl(xc, XEN_DOMCTL_setvcpucontext, domid, xen_domctl_vcpucontext, { vcpu: 0, ctxt }),
        'xc_dom_boot.c:62',
        'launch_vm: SETVCPUCONTEXT failed (rc=-1)\n',
      )
    })
  }

  *#mapFrames(frames: Uint32Array): Sys<Vaddr> {
    const at = yield* xcMapForeignBatch(this.#xc, this.#domid, PROT_READ | PROT_WRITE, frames)
    this.#mapped.set(at, frames.length)
    this.#mappedBytes += frames.length * PAGE_SIZE
    return at
  }

  /** xc_dom_seg_to_ptr. */
  *#map({ pfn, pages }: Segment): Sys<Vaddr> {
    try {
      const at = yield* this.#mapFrames(this.#p2m.slice(pfn, pfn + pages))
      const address = hex(BigInt.asUintN(64, BigInt(at)))
      this.#log(`xc_dom_pfn_to_ptr: domU mapping: pfn 0x${hex(pfn)}+0x${hex(pages)} at 0x${address}\n`)
      return at
    } catch (error) {
      throw error instanceof OsError ? cannotMap(pfn, pages, error.errno) : error
    }
  }

  /** Map all of `segment` and store what `part` makes. */
  *#fill(segment: Segment, part: (from: number, length: number) => Uint8Array): Sys<void> {
    yield* this.#store(yield* this.#map(segment), segment.pages * PAGE_SIZE, part)
  }

  *#store(at: Vaddr, bytes: number, part: (from: number, length: number) => Uint8Array): Sys<void> {
    for (let from = 0; from < bytes; from += STORE_BYTES)
      yield* store(at + from, part(from, Math.min(STORE_BYTES, bytes - from)))
  }

  /** xc_dom_unmap_all; at the `last` time what is held is given back too. */
  *release(last = true): Sys<void> {
    for (const [at, pages] of this.#mapped) yield* munmap(at, pages * PAGE_SIZE)
    this.#mapped.clear()
    if (last) yield* this.#charge.release()
  }
}

/** xc_dom_compat_check. */
function compatCheck(guestType: string, caps: string, log: Log): void {
  let found = false
  for (const item of caps.split(' ')) {
    if (item === '') continue
    const match = item === guestType
    found ||= match
    log(`xc_dom_compat_check: supported guest type: ${item}${match ? ' <= matches' : ''}\n`)
  }
  if (!found)
    throw new Panic(
      'xc_dom_boot.c:108',
      XC_INVALID_KERNEL,
      `xc_dom_compat_check: guest type ${guestType} not supported by xen kernel, sorry\n`,
    )
}
