/** xen/arch/x86/domain_build.c: domain 0, built from the multiboot modules. */
import { EM_386, EM_X86_64 } from '#abi/elf.ts'
import { LAPIC_BASE } from '#abi/pc/apic.ts'
import { E820_RAM } from '#abi/pc/e820.ts'
import { PIT_CH0, PIT_MODE, PORT_B } from '#abi/pc/i8254.ts'
import { PIC1_CMD, PIC1_DATA, PIC2_CMD, PIC2_DATA } from '#abi/pc/i8259.ts'
import type { Exit } from '#abi/pc/metal.ts'
import { PCI_CONFIG_DATA } from '#abi/pc/pci.ts'
import { type Mfn, PAGE_SIZE, signedVaddr, unsignedVaddr, type Vaddr } from '#abi/xen/types.ts'
import { FLAT_KERNEL_CS, FLAT_KERNEL_SS, VGCF_in_kernel, vcpu_guest_context } from '#abi/xen/vcpu.ts'
import {
  DOMID_IO,
  dom0_vga_console_info,
  HYPERVISOR_VIRT_END,
  HYPERVISOR_VIRT_START,
  MAX_GUEST_CMDLINE,
  MAX_VIRT_CPUS,
  SIF_INITDOMAIN,
  SIF_PRIVILEGED,
  start_info,
  vcpu_info,
  XEN_VGATYPE_TEXT_MODE_3,
} from '#abi/xen/xen.ts'
import { bug } from '../common/bug.ts'
import { type Domain, NR_IRQS, type Vcpu, VPF_down } from '../common/domain.ts'
import { allocVcpu } from '../common/domain-create.ts'
import { allocDomainPages } from '../common/domain-pages.ts'
import { hex, strtoul } from '../common/lib.ts'
import { type DomainImage, parseDomainImage } from '../common/libelf.ts'
import { NO_OWNER } from '../common/page-alloc.ts'
import { RANGE_MAX, type Rangeset } from '../common/rangeset.ts'
import { RUN_AGAIN } from '../steps.ts'
import { printk, type Xen } from '../xen.ts'
import { computeDom0Pages } from './dom0-mem.ts'
import { contextOf } from './guest-context.ts'
import { convertToPageMap, getRoot, pinTable } from './page-tables.ts'
import { panic } from './shutdown.ts'
import { updateWallclock } from './time.ts'
import { enterImage, virtualCpu } from './virtual-cpu.ts'

const MIB = 1024 * 1024
const FIRST_MEGABYTE = MIB / PAGE_SIZE
/** Of the boot region: its end is a multiple, with padding of at least 512 KiB. */
const REGION_ALIGN = 4 * MIB
const PADDING_MIN = 512 * 1024
/** alloc_chunk: dom0's remaining memory comes in blocks of up to 2 MiB. */
const CHUNK_PAGES = (2 * MIB) / PAGE_SIZE
const COPY_BYTES = 1 * MIB

/** Present, writable, accessed, user; tables also dirty. */
const L1_PROT = 0x27n
const TABLE_PROT = 0x67n
const PTE_RW = 0x02n

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit
const p = (va: Vaddr): string => hex(unsignedVaddr(va), 16)

/** The 8259s, the PIT, its channel 2 and the speaker, PCI configuration space (0xcf8 is special, guest-io.ts). */
const DENIED_PORTS: readonly (readonly [number, number])[] = [
  [PIC1_CMD, PIC1_DATA],
  [PIC2_CMD, PIC2_DATA],
  [PIT_CH0, PIT_MODE],
  [PORT_B, PORT_B],
  [PCI_CONFIG_DATA, PCI_CONFIG_DATA + 3],
]

/** Bytes in physical memory. */
export interface Span {
  readonly start: number
  readonly length: number
}

export interface Dom0Modules {
  /** Where all modules lie together: theirs until they have been copied. */
  readonly images: { readonly start: number; readonly end: number }
  readonly kernel: Span
  readonly ramdisk: Span | undefined
  readonly cmdline: string | undefined
}

/** Everything in the order in which it lies from VIRT_BASE on (hypercall-abi.md, 4.2). Ends are exclusive. */
interface Layout {
  readonly start: Vaddr
  readonly kernel: readonly [Vaddr, Vaddr]
  readonly ramdisk: readonly [Vaddr, Vaddr]
  readonly physmap: readonly [Vaddr, Vaddr]
  readonly startInfo: readonly [Vaddr, Vaddr]
  readonly tables: readonly [Vaddr, Vaddr]
  readonly stack: readonly [Vaddr, Vaddr]
  readonly end: Vaddr
}

/** Tables of one level, each covering `bytes`, that [from, to) needs. */
const tablesFor = (from: Vaddr, to: Vaddr, bytes: number): number => Math.ceil(to / bytes) - Math.floor(from / bytes)

function layOut(image: DomainImage, ramdiskBytes: number, pages: number): Layout {
  const start = signedVaddr(image.virtBase)
  const kernel = [signedVaddr(image.virtKstart), signedVaddr(image.virtKend)] as const
  const ramdiskStart = roundUp(kernel[1], PAGE_SIZE)
  const ramdisk = [ramdiskStart, ramdiskStart + ramdiskBytes] as const
  const physmapStart = roundUp(ramdisk[1], PAGE_SIZE)
  const physmap = [physmapStart, physmapStart + pages * 8] as const
  const startInfoStart = roundUp(physmap[1], PAGE_SIZE)
  const startInfo = [startInfoStart, startInfoStart + start_info.size + dom0_vga_console_info.size] as const
  const tablesStart = roundUp(startInfo[1], PAGE_SIZE)
  // How many tables there are depends on where they end, and the other way round: try.
  for (let count = 2; ; count++) {
    const tablesEnd = tablesStart + count * PAGE_SIZE
    const stackEnd = tablesEnd + PAGE_SIZE
    let end = roundUp(stackEnd, REGION_ALIGN)
    if (end - stackEnd < PADDING_MIN) end += REGION_ALIGN
    const needed = 1 + tablesFor(start, end, 2 ** 39) + tablesFor(start, end, 2 ** 30) + tablesFor(start, end, 2 ** 21)
    if (needed <= count)
      return {
        start,
        kernel,
        ramdisk,
        physmap,
        startInfo,
        tables: [tablesStart, tablesEnd],
        stack: [tablesEnd, stackEnd],
        end,
      }
  }
}

/** construct_dom0. False: refused, and said why; panics where the real one does. In steps, since it takes an engine a tenth of a second. */
export function* constructDom0(xen: Xen, domain: Domain, modules: Dom0Modules): Generator<Exit, boolean, void> {
  const { heap, mem, options } = xen
  const vcpu = domain.vcpus[0] ?? bug('arch-x86/domain-build.ts: dom0 without vcpu0')
  const say = (text: string): void => printk(xen, text)
  say('*** LOADING DOMAIN 0 ***\n')
  domain.maxPages = 0xffffffff
  markIoFrames(xen)
  const imagePages = (modules.images.end - modules.images.start) / PAGE_SIZE
  const pages = computeDom0Pages(options, heap.availDomHeapPages() + imagePages)
  const image = parseDomainImage(mem.copyOut(modules.kernel.start, modules.kernel.length), say)
  if (!image) return false
  if (!compatible(image, say)) return false
  const layout = layOut(image, modules.ramdisk?.length ?? 0, pages)
  const region = layout.end - layout.start
  let order = 0
  while (PAGE_SIZE * 2 ** order < region) order++
  if (2 ** order > pages) panic(xen, 'Domain 0 allocation is too small for kernel image.\n')
  const first = allocDomainPages(xen, domain, order)
  if (first === undefined) return panic(xen, 'Not enough RAM for domain 0 allocation.\n')
  sayArrangement(xen, layout, first, domain.totPages, pages, image.virtEntry)
  if (region / PAGE_SIZE > pages) {
    say(
      `Initial guest OS requires too much space\n(${Math.floor(region / MIB)}MB is greater than ${Math.floor((pages * PAGE_SIZE) / MIB)}MB limit)\n`,
    )
    return false
  }
  if (layout.start < HYPERVISOR_VIRT_END && layout.end > HYPERVISOR_VIRT_START) {
    say('DOM0 image overlaps with Xen private area.\n')
    return false
  }
  yield RUN_AGAIN
  buildTables(xen, vcpu, layout, first)
  for (let i = 0; i < MAX_VIRT_CPUS; i++)
    vcpu_info.fields.evtchn_upcall_mask.set(mem, domain.sharedInfo * PAGE_SIZE + i * vcpu_info.size, 1)
  const online = xen.pcpus.filter((pcpu) => pcpu.online).length
  domain.maxVcpus = Math.min(options.dom0MaxVcpus === 0 ? online : options.dom0MaxVcpus, MAX_VIRT_CPUS)
  say(`Dom0 has maximum ${domain.maxVcpus} VCPUs\n`)
  for (let id = 1; id < domain.maxVcpus; id++) allocVcpu(xen, domain, id, id % online)
  /** Where a virtual address of the boot region lies. */
  const machine = (va: Vaddr): number => first * PAGE_SIZE + (va - layout.start)
  yield RUN_AGAIN
  loadSegments(xen, image, modules.kernel, machine(layout.kernel[0]))
  if (image.virtHypercall !== undefined) {
    const at = signedVaddr(image.virtHypercall)
    if (at < layout.start || at >= layout.end) {
      say('Invalid HYPERCALL_PAGE field in ELF notes.\n')
      return false
    }
  }
  if (modules.ramdisk) copy(xen, modules.ramdisk, machine(layout.ramdisk[0]))
  yield RUN_AGAIN
  heap.initDomHeapPages(modules.images.start, modules.images.end)
  allocateRest(xen, domain, first, pages, machine(layout.physmap[0]))
  yield RUN_AGAIN
  writeStartInfo(xen, domain, layout, pages, image, modules, machine(layout.startInfo[0]))
  if (image.supervisorModeRequired) panic(xen, 'Dom0 requires supervisor-mode execution\n')
  updateWallclock(xen, domain)
  permitIo(xen, domain)
  yield RUN_AGAIN
  return enterKernel(xen, vcpu, signedVaddr(image.virtEntry), layout)
}

/** arch_init_memory: what is no RAM, and the first megabyte, belongs to DOMID_IO. */
function markIoFrames({ heap, e820 }: Xen): void {
  const { owner, allocated, maxPage } = heap.frames
  let from = 0
  const ram = e820.filter(({ type }) => type === E820_RAM).sort((a, b) => a.base - b.base)
  for (const { base, length } of ram) {
    const first = Math.max(Math.ceil(base / PAGE_SIZE), FIRST_MEGABYTE)
    if (first > from) owner.fill(DOMID_IO, from, Math.min(first, maxPage))
    from = Math.max(from, Math.floor((base + length) / PAGE_SIZE))
  }
  if (from < maxPage) owner.fill(DOMID_IO, from, maxPage)
  for (let mfn = 0; mfn < FIRST_MEGABYTE; mfn++) if (!allocated[mfn]) owner[mfn] = NO_OWNER
}

/** The two lines on who is what, and whether they fit. */
function compatible(image: DomainImage, say: (text: string) => void): boolean {
  say(' Xen  kernel: 64-bit, lsb, compat32\n')
  const bits = image.is64bit ? '64-bit' : '32-bit'
  say(
    ` Dom0 kernel: ${bits}${image.pae ? ', PAE' : ''}, ${image.lsb ? 'lsb' : 'msb'}, ` +
      `paddr 0x${hex(image.pstart)} -> 0x${hex(image.pend)}\n`,
  )
  if (image.is64bit ? image.machine === EM_X86_64 : image.pae !== 0 && image.machine === EM_386) return true
  say('Mismatch between Xen and DOM0 kernel\n')
  return false
}

function sayArrangement(xen: Xen, layout: Layout, first: Mfn, got: number, pages: number, entry: bigint): void {
  const span = ([from, to]: readonly [Vaddr, Vaddr]): string => `${p(from)}->${p(to)}`
  const rest = got < pages ? ` (${pages - got} pages to be allocated)` : ''
  printk(
    xen,
    'PHYSICAL MEMORY ARRANGEMENT:\n' +
      ` Dom0 alloc.:   ${hex(first * PAGE_SIZE, 16)}->${hex((first + got) * PAGE_SIZE, 16)}${rest}`,
  )
  printk(
    xen,
    '\nVIRTUAL MEMORY ARRANGEMENT:\n' +
      ` Loaded kernel: ${span(layout.kernel)}\n` +
      ` Init. ramdisk: ${span(layout.ramdisk)}\n` +
      ` Phys-Mach map: ${span(layout.physmap)}\n` +
      ` Start info:    ${span(layout.startInfo)}\n` +
      ` Page tables:   ${span(layout.tables)}\n` +
      ` Boot stack:    ${span(layout.stack)}\n` +
      ` TOTAL:         ${span([layout.start, layout.end])}\n`,
  )
  printk(xen, ` ENTRY ADDRESS: ${hex(entry, 16)}\n`)
}

/**
 * The boot page tables, in the frames and in the order in which construct_dom0 makes them (L4, L1, L2, L3, L1, L1, ...): pinned, and the
 * first vCPU's. The page map that a module vCPU runs on says the same (page-tables.ts).
 */
function buildTables(xen: Xen, vcpu: Vcpu, layout: Layout, first: Mfn): void {
  const { mem } = xen
  const { domain } = vcpu
  const tablesFirst = first + (layout.tables[0] - layout.start) / PAGE_SIZE
  const tablesEnd = first + (layout.tables[1] - layout.start) / PAGE_SIZE
  for (let mfn = tablesFirst; mfn < tablesEnd; mfn++) mem.fill(mfn * PAGE_SIZE, PAGE_SIZE, 0)
  let nextTable = tablesFirst
  const newTable = (): number => nextTable++
  const slot = (va: Vaddr, shift: number): number => Number((unsignedVaddr(va) >> BigInt(shift)) & 511n)
  const enter = (table: number, index: number, mfn: number, prot: bigint): void =>
    mem.write64(table * PAGE_SIZE + index * 8, (BigInt(mfn) << 12n) | prot)
  const l4 = newTable()
  let l1 = 0
  let l2 = 0
  let l3 = 0
  for (let va = layout.start, mfn: number = first; va < layout.end; va += PAGE_SIZE, mfn++) {
    const startOfL1 = va === layout.start || slot(va, 12) === 0
    if (startOfL1) {
      const startOfL2 = va === layout.start || slot(va, 21) === 0
      const startOfL3 = va === layout.start || (startOfL2 && slot(va, 30) === 0)
      l1 = newTable()
      if (startOfL2) {
        l2 = newTable()
        if (startOfL3) {
          l3 = newTable()
          enter(l4, slot(va, 39), l3, TABLE_PROT)
        }
        enter(l3, slot(va, 30), l2, TABLE_PROT)
      }
      enter(l2, slot(va, 21), l1, TABLE_PROT)
    }
    const isTable = mfn >= tablesFirst && mfn < tablesEnd
    enter(l1, slot(va, 12), mfn, isTable ? L1_PROT & ~PTE_RW : L1_PROT)
  }
  if (!pinTable(xen, domain, l4, 4) || !getRoot(xen, domain, l4)) bug("arch-x86/domain-build.ts: dom0's page tables")
  vcpu.root = l4
  if (!convertToPageMap(xen, domain)) bug("arch-x86/domain-build.ts: dom0's page map")
}

function copy(xen: Xen, from: Span, to: number): void {
  for (let done = 0; done < from.length; done += COPY_BYTES)
    xen.mem.copyIn(to + done, xen.mem.copyOut(from.start + done, Math.min(COPY_BYTES, from.length - done)))
}

/** elf_load_binary: `at` is where pstart goes. */
function loadSegments(xen: Xen, image: DomainImage, file: Span, at: number): void {
  for (const { offset, fileBytes, memBytes, paddr } of image.segments) {
    const to = at + Number(paddr - image.pstart)
    const bytes = Math.max(0, Math.min(fileBytes, memBytes, file.length - offset))
    copy(xen, { start: file.start + offset, length: bytes }, to)
    xen.mem.fill(to + bytes, memBytes - bytes, 0)
  }
}

/** The rest of dom0's memory, and p2m and m2p of all of it. */
function allocateRest(xen: Xen, domain: Domain, first: Mfn, pages: number, physmapAt: number): void {
  const { heap } = xen
  const physmap = new DataView(new ArrayBuffer(pages * 8))
  const record = (pfn: number, mfn: number): void => {
    physmap.setUint32(pfn * 8, mfn, true)
    heap.frames.m2p.set(mfn, pfn)
  }
  let pfn = 0
  // More frames than asked for when the boot region's power of two is larger: the list ends with nr_pages.
  for (; pfn < Math.min(domain.totPages, pages); pfn++) record(pfn, first + pfn)
  while (pfn < pages) {
    const mfn = allocChunk(xen, domain, pages - domain.totPages)
    if (mfn === undefined) panic(xen, 'Not enough RAM for DOM0 reservation.\n')
    for (let i = 0; pfn < domain.totPages; i++, pfn++) record(pfn, mfn + i)
  }
  xen.mem.copyIn(physmapAt, new Uint8Array(physmap.buffer))
}

function allocChunk(xen: Xen, domain: Domain, maxPages: number): Mfn | undefined {
  // The largest power of two that is not too much.
  let order = 31 - Math.clz32(Math.min(maxPages, CHUNK_PAGES))
  for (; order >= 0; order--) {
    const mfn = allocDomainPages(xen, domain, order)
    if (mfn !== undefined) return mfn
  }
  return undefined
}

function writeStartInfo(
  xen: Xen,
  domain: Domain,
  layout: Layout,
  pages: number,
  image: DomainImage,
  modules: Dom0Modules,
  at: number,
): void {
  const { mem } = xen
  mem.fill(at, PAGE_SIZE, 0)
  const bytes = (text: string, max: number): Uint8Array =>
    Uint8Array.from(text.slice(0, max - 1), (letter) => letter.charCodeAt(0) & 0xff)
  start_info.write(mem, at, {
    magic: bytes(`xen-3.0-x86_${image.is64bit ? 64 : 32}${image.pae ? 'p' : ''}`, 32),
    nr_pages: pages,
    shared_info: domain.sharedInfo * PAGE_SIZE,
    flags: SIF_PRIVILEGED | SIF_INITDOMAIN | (xen.options.processorPm << 8),
    pt_base: layout.tables[0],
    nr_pt_frames: (layout.tables[1] - layout.tables[0]) / PAGE_SIZE,
    mfn_list: layout.physmap[0],
    mod_start: modules.ramdisk ? layout.ramdisk[0] : 0,
    mod_len: modules.ramdisk?.length ?? 0,
    cmd_line: bytes(modules.cmdline ?? '', MAX_GUEST_CMDLINE),
    console_info_off: start_info.size,
    console_info_size: dom0_vga_console_info.size,
  })
  const { mode } = xen.vga
  if (!mode) return
  dom0_vga_console_info.write(mem, at + start_info.size, {
    video_type: XEN_VGATYPE_TEXT_MODE_3,
    font_height: mode.fontHeight,
    cursor_x: mode.cursorX,
    cursor_y: mode.cursorY,
    rows: mode.rows,
    columns: mode.columns,
  })
}

/** DOM0 is permitted full I/O capabilities, but for what Xen itself drives. */
function permitIo(xen: Xen, { ioportCaps, iomemCaps, irqCaps }: Domain): void {
  ioportCaps.add(0, 0xffff)
  iomemCaps.add(0, RANGE_MAX)
  irqCaps.add(0, NR_IRQS - 1)
  for (const [from, to] of DENIED_PORTS) ioportCaps.remove(from, to)
  const frame = (address: number): number => Math.floor(address / PAGE_SIZE)
  iomemCaps.remove(frame(LAPIC_BASE), frame(LAPIC_BASE))
  for (const { address } of xen.ioApics) iomemCaps.remove(frame(address), frame(address))
  for (const range of xen.options.dom0IoportsDisable.split(',')) if (range !== '') disablePorts(xen, ioportCaps, range)
}

/** process_dom0_ioports_disable: `3f8` or `3f8-3ff`. */
function disablePorts(xen: Xen, ports: Rangeset, range: string): void {
  const from = strtoul(range, 16)
  const to = from.rest[0] === '-' ? strtoul(from.rest.slice(1), 16) : from
  if (from.rest === range || to.rest !== '' || to.value < from.value || to.value > 0xffff) {
    printk(xen, `Invalid ioport range <${range}> in dom0_ioports_disable, skipping\n`)
    return
  }
  printk(xen, `Disabling dom0 access to ioport range ${hex(from.value, 4)}-${hex(to.value, 4)}\n`)
  ports.remove(from.value, to.value)
}

/** Where life sets RIP, the machine turns the kernel's bytes in dom0's frames into code. False: there is no code that runs here. */
function enterKernel(xen: Xen, vcpu: Vcpu, entry: Vaddr, layout: Layout): boolean {
  const startInfo = layout.startInfo[0]
  const entered = enterImage(xen, vcpu, entry)
  if (!('loaded' in entered)) {
    printk(xen, `Dom0 kernel: ${entered.why}\n`)
    return false
  }
  const { loaded, start } = entered
  vcpu.domain.entered = entered
  vcpu.start = { entry, startInfo }
  vcpu_guest_context.write(contextOf(vcpu), 0, {
    flags: BigInt(VGCF_in_kernel),
    cs: FLAT_KERNEL_CS,
    ss: FLAT_KERNEL_SS,
    rsp: layout.stack[1],
    // IF, and the bit that is always set.
    rflags: 0x202n,
  })
  // The entry's first instructions run when the vCPU is first scheduled: by then its time is right, and a fault there is the domain's own.
  vcpu.code = { loaded, run: () => start(virtualCpu(xen, vcpu, startInfo)) }
  vcpu.initialised = true
  vcpu.pauseFlags &= ~VPF_down
  return true
}
