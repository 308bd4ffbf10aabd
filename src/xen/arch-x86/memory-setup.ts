/**
 * The memory part of __start_xen (xen/arch/x86/setup.c): Xen and the multiboot modules move to high memory, the frame table is laid out, the
 * boot allocator gets the rest.
 */
import { IMAGE_MAGIC, image_header } from '#abi/image.ts'
import type { E820Entry } from '#abi/pc/bios.ts'
import { E820_RAM } from '#abi/pc/e820.ts'
import { TRACE_NO_RAM } from '#abi/tracer.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { DOMID_XEN } from '#abi/xen/xen.ts'
import { byteString } from '#lib/utf8.ts'
import { hex } from '../common/lib.ts'
import { FrameTable, Heap, PAGE_INFO_BYTES, PGC_allocated, PGT_validated } from '../common/page-alloc.ts'
import { traceMemory, tracePages } from '../common/tracer.ts'
import { is34 } from '../config.ts'
import { badPages, NR_CPUS } from '../options.ts'
import { printk, type Xen } from '../xen.ts'
import { clipE820, copyE820, e820Line, findMaxPage, ramPages, reserveE820, sanitizeE820 } from './e820.ts'
import { earlyFail, panic } from './shutdown.ts'

const MIB = 1024 * 1024
const SUPERPAGE = 2 * MIB
/** Where the multiboot loader put the image, and where its first byte lies in the relocated area. */
const XEN_IMAGE_BASE = 1 * MIB
/** Below 16 MiB nothing is relocated to. */
const BOOTSTRAP_LOW = 16 * MIB
/** BOOTSTRAP_DIRECTMAP_END. */
const BOOTSTRAP_END = 4096 * MIB
const XENHEAP_MAX_MB = 2048
const COPY_BYTES = MIB

/** Behind the image, as the linker script lays .bss out: the boot processor's stack and a per-cpu area for each possible CPU. */
const STACK_BYTES = PAGE_SIZE << 3
const PERCPU_BYTES = 1 << 13

/** Modules that only boot needs (__init): their text goes back to the Xen heap at the end. */
const INIT_MODULES: readonly string[] = [
  'xen/setup.ts',
  'xen/options.ts',
  'xen/arch-x86/memory-setup.ts',
  'xen/arch-x86/trampoline.ts',
  'xen/arch-x86/apic-verbosity.ts',
  'xen/arch-x86/e820.ts',
  'xen/arch-x86/domain-build.ts',
  'xen/arch-x86/dom0-mem.ts',
  'xen/arch-x86/mpparse.ts',
  'xen/arch-x86/multiboot.ts',
  'xen/arch-x86/cpu.ts',
  'xen/common/kernel.ts',
  'xen/common/libelf.ts',
  'xen/drivers/acpi.ts',
  'xen/drivers/console-setup.ts',
]

/** Bytes [start, end). */
export interface Range {
  readonly start: number
  readonly end: number
}

/** Where everything of Xen's lies after the move. */
export interface XenLayout {
  /** The area that Xen owns: xenheap_megabytes from here. */
  readonly start: number
  readonly end: number
  readonly init: Range
  /** Per-cpu areas of CPUs that cannot exist begin here. */
  readonly percpu: Range
  /** _end. */
  readonly imageEnd: number
  /** The modules, together. */
  readonly images: Range
}

const pageUp = (value: number): number => Math.ceil(value / PAGE_SIZE) * PAGE_SIZE
const superDown = (value: number): number => Math.floor(value / SUPERPAGE) * SUPERPAGE
const superUp = (value: number): number => Math.ceil(value / SUPERPAGE) * SUPERPAGE

/** init_e820: the final map, printed. `title` says where the raw one is from. */
export function initE820(xen: Xen, title: string, raw: readonly E820Entry[]): void {
  let map = copyE820(sanitizeE820(raw))
  const cut = (from: number, to: number): void =>
    printk(xen, is34(xen) ? `Truncating RAM from ${from}kB to ${to}kB\n` : `Truncating memory map to ${to}kB\n`)
  if (xen.options.mem !== 0) map = clipE820(map, xen.options.mem, cut)
  xen.e820 = map
  printk(xen, `${title} RAM map:\n`)
  for (const entry of map) printk(xen, `${e820Line(entry)}\n`)
  xen.maxPage = findMaxPage(map)
}

/** The image's text as it lies at 1 MiB: bytes in all, and those of init modules. Without an image (a test) both are 0. */
function imageText(xen: Xen): { readonly bytes: number; readonly initBytes: number } {
  const header = image_header.read(xen.mem, XEN_IMAGE_BASE)
  if (header.magic !== IMAGE_MAGIC) return { bytes: 0, initBytes: 0 }
  const text = byteString(xen.mem.copyOut(XEN_IMAGE_BASE + header.code_offset, header.code_bytes))
  let initBytes = 0
  // Each module is an object {"path":...}: what lies between two of them is one module's text.
  const starts: number[] = []
  for (let at = text.indexOf('{"path":"'); at >= 0; at = text.indexOf('{"path":"', at + 1)) starts.push(at)
  for (const [i, at] of starts.entries()) {
    const path = text.slice(at + 9, text.indexOf('"', at + 9))
    if (INIT_MODULES.includes(path)) initBytes += (starts[i + 1] ?? text.length) - at
  }
  return { bytes: header.code_offset + header.code_bytes, initBytes }
}

/**
 * Move Xen and the modules up, lay out the Xen heap, and hand all other RAM to the boot allocator. `modules`: where the loader put them,
 * first start to last end.
 */
export function setupMemory(xen: Xen, modules: Range): XenLayout {
  const { mem, options, maxPage } = xen
  let heapMb = options.xenheapMegabytes + Math.floor(maxPage / 8 / MIB)
  if (heapMb > XENHEAP_MAX_MB) heapMb = XENHEAP_MAX_MB
  const bootMap = [...xen.e820]
  // Where the crash kernel is to lie: as the option says, or where there is room once all else has its place.
  let { start: kdump } = options.crashkernel
  const kdumpBytes = pageUp(options.crashkernel.size)
  const early = kdump !== 0
  if (early) reserveKdump(xen, bootMap, kdump, kdumpBytes)
  const modulesLength = modules.end - modules.start
  let xenStart = 0
  let images: Range | undefined
  for (const { base, length, type } of [...bootMap].reverse()) {
    const start = Math.max(superUp(base), BOOTSTRAP_LOW)
    let end = Math.min(superDown(base + length), BOOTSTRAP_END)
    if (type !== E820_RAM || start >= end) continue
    if (xenStart === 0 && end - start >= heapMb * MIB) {
      end = superDown(end - heapMb * MIB)
      xenStart = end
    }
    if (!images && start < end && end - start >= modulesLength) {
      const to = Math.floor((end - modulesLength) / PAGE_SIZE) * PAGE_SIZE
      images = { start: to, end }
      move(xen, modules, to)
      end = to
    }
    if (kdump === 0 && start < end && end - start >= kdumpBytes)
      kdump = Math.floor((end - kdumpBytes) / PAGE_SIZE) * PAGE_SIZE
  }
  if (!images) return earlyFail(xen, 'Not enough memory to relocate the dom0 kernel image.\n')
  reserveE820(bootMap, images.start, images.end)
  if (xenStart === 0) return earlyFail(xen, 'Not enough memory to relocate Xen.\n')
  const text = imageText(xen)
  const textStart = xenStart + XEN_IMAGE_BASE
  if (text.bytes > 0) move(xen, { start: XEN_IMAGE_BASE, end: XEN_IMAGE_BASE + text.bytes }, textStart)
  // Init text last, in whole pages.
  const initEnd = pageUp(textStart + text.bytes)
  const init = { start: initEnd - Math.floor(text.initBytes / PAGE_SIZE) * PAGE_SIZE, end: initEnd }
  const percpuStart = initEnd + STACK_BYTES
  const percpu = { start: percpuStart, end: percpuStart + NR_CPUS * PERCPU_BYTES }
  reserveE820(bootMap, xenStart, xenStart + heapMb * MIB)
  if (!early) reserveKdump(xen, bootMap, kdump, kdumpBytes)
  xen.heap = new Heap(new FrameTable(maxPage), (mfn, count, owner) => tracePages(xen, mfn, count, owner))
  traceMemory(xen)
  const { heap } = xen
  // The allocation bitmap lies behind the image, in what would else be heap.
  const bitmapBytes = pageUp(Math.floor(maxPage / 8) + 8)
  const layout = {
    start: xenStart,
    end: xenStart + heapMb * MIB,
    init,
    percpu,
    imageEnd: percpu.end + bitmapBytes,
    images,
  }
  for (const { base, length, type } of bootMap) {
    if (type === E820_RAM) initBootPages(xen, Math.max(base, MIB), base + length)
  }
  xen.totalPages = ramPages(xen.e820)
  printk(xen, `System RAM: ${Math.floor(xen.totalPages / 256)}MB (${xen.totalPages * 4}kB)\n`)
  initFrameTable(xen, heap, maxPage)
  mem.fill(xenStart, XEN_IMAGE_BASE, 0x55)
  return layout
}

/** kexec_reserve_area */
function reserveKdump({ console, options }: Xen, map: E820Entry[], start: number, bytes: number): void {
  if (start === 0 || bytes === 0) return
  const size = `${Math.floor(bytes / MIB)}MB (${bytes / 1024}kB) at 0x${hex(start)}`
  const ok = reserveE820(map, start, start + bytes)
  options.crashkernel = ok ? { size: options.crashkernel.size, start } : { size: 0, start: 0 }
  console.printk(ok ? `Kdump: ${size}\n` : `Kdump: DISABLED (failed to reserve ${size})\n`)
}

function move(xen: Xen, from: Range, to: number): void {
  const { mem } = xen
  const length = from.end - from.start
  // Upwards and possibly onto itself: from the end.
  for (let done = 0; done < length; ) {
    const part = Math.min(COPY_BYTES, length - done)
    const at = length - done - part
    mem.copyIn(to + at, mem.copyOut(from.start + at, part))
    done += part
  }
}

/** init_boot_pages: less the frames of badpage=. */
function initBootPages(xen: Xen, start: number, end: number): void {
  const { heap, maxPage } = xen
  if (Math.floor(end / PAGE_SIZE) <= Math.ceil(start / PAGE_SIZE)) return
  heap.initBootPages(start, end)
  for (const [from, to] of badPages(xen.options.badpage)) {
    printk(
      xen,
      from === to ? `Marking page ${hex(from)} as bad\n` : `Marking pages ${hex(from)} through ${hex(to)} as bad\n`,
    )
    if (from >= maxPage) continue
    const bad = Math.min(to + 1, maxPage)
    heap.frames.allocated.fill(1, from, bad)
    if (bad > from) tracePages(xen, from, bad - from, TRACE_NO_RAM)
  }
}

/** init_frametable: RAM for it, in superpages. */
function initFrameTable(xen: Xen, heap: Heap, maxPage: number): void {
  const pages = Math.ceil((maxPage * PAGE_INFO_BYTES) / PAGE_SIZE)
  const step = SUPERPAGE / PAGE_SIZE
  for (let done = 0; done < pages; done += step) {
    if (heap.allocBootPages(Math.min(pages - done, step), step) === 0) panic(xen, 'Not enough memory for frame table\n')
  }
}

/** The Xen heap: what is left of Xen's area. */
export function setupXenHeap(xen: Xen, layout: XenLayout): void {
  const { heap } = xen
  heap.xenHeapStart = layout.start / PAGE_SIZE
  heap.xenHeapEnd = layout.end / PAGE_SIZE
  heap.initXenHeapPages(layout.imageEnd, layout.end)
  heap.initXenHeapPages(layout.start, layout.start + XEN_IMAGE_BASE)
  const pages = (layout.end - layout.imageEnd + XEN_IMAGE_BASE) / PAGE_SIZE
  printk(xen, `Xen heap: ${Math.floor(pages / 256)}MB (${pages * 4}kB)\n`)
}

/** percpu_init_areas: those of CPUs that cannot come go to the heap. */
export function freeUnusedPercpu(xen: Xen, layout: XenLayout, possibleCpus: number): void {
  xen.heap.initXenHeapPages(layout.percpu.start + possibleCpus * PERCPU_BYTES, layout.percpu.end)
}

/** init_done's share: the text that nobody will run again. Says how much. */
export function freeInit(xen: Xen, layout: XenLayout): void {
  xen.heap.initXenHeapPages(layout.init.start, layout.init.end)
  printk(xen, `Freed ${(layout.init.end - layout.init.start) / 1024}kB init memory.\n`)
}

/** paging_init: the machine-to-physical tables, 64-bit and compat, with their directories. The privileged may look at the first. */
export function allocM2p(xen: Xen): void {
  const { heap, mem, m2pFrames } = xen
  const { owner, countInfo, typeInfo, m2p } = heap.frames
  const take = (order: number): number =>
    heap.allocDomHeapPages(order) ?? panic(xen, 'Not enough memory for m2p table\n')
  const bytes = superUp(xen.maxPage * 8)
  const compatBytes = superDown(bytes / 2 + MIB)
  const l3 = take(0)
  for (let i = 0; i < bytes / SUPERPAGE; i++) {
    const block = take(9)
    m2pFrames.push(block)
    owner.fill(DOMID_XEN, block, block + 512)
    countInfo.fill(PGC_allocated + 1, block, block + 512)
    typeInfo.fill(PGT_validated + 1, block, block + 512)
  }
  m2p.place(mem, m2pFrames, l3, take(0))
  // The compat table, and its directory: no kernel of 32 bits ever looks at them.
  take(0)
  for (let i = 0; i < compatBytes / SUPERPAGE; i++) take(9)
}

/** scrub_heap_pages. A frame is marked, not cleared: whoever gets it clears it (assignPages). */
export function scrubHeapPages(xen: Xen): void {
  if (!xen.options.bootscrub) return
  const { heap } = xen
  const { scrubbed, maxPage } = heap.frames
  printk(xen, 'Scrubbing Free RAM: ')
  for (const [from, to] of heap.freeRuns(heap.firstValidMfn, maxPage)) {
    scrubbed.fill(1, from, to)
    // A dot for every 100 MB.
    for (let dot = Math.ceil(from / DOT_FRAMES) * DOT_FRAMES; dot < to; dot += DOT_FRAMES) printk(xen, '.')
  }
  printk(xen, 'done.\n')
}

const DOT_FRAMES = (100 * MIB) / PAGE_SIZE
