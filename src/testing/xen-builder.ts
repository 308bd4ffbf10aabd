/**
 * For tests: a domain builder in dom0's script, as small as can be. It makes a domain by domctl, gives it frames, writes page tables and
 * start_info into them by foreign mappings, pins the root and sets the context: what libxc's builder does, without a kernel.
 */
import type { LoadedCode, LoadRefusal } from '#abi/pc/metal.ts'
import type { Struct, Values } from '#abi/struct.ts'
import {
  XEN_DOMCTL_createdomain,
  XEN_DOMCTL_getdomaininfo,
  XEN_DOMCTL_INTERFACE_VERSION,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_max_vcpus,
  XEN_DOMCTL_setvcpucontext,
  XEN_DOMCTL_U,
  xen_domctl,
  xen_domctl_createdomain,
  xen_domctl_getdomaininfo,
  xen_domctl_max_mem,
  xen_domctl_max_vcpus,
  xen_domctl_vcpucontext,
} from '#abi/xen/domctl.ts'
import type { VcpuExit } from '#abi/xen/guest.ts'
import { XENMEM_populate_physmap, xen_memory_reservation } from '#abi/xen/memory.ts'
import { XEN_SYSCTL_INTERFACE_VERSION, XEN_SYSCTL_U, xen_sysctl } from '#abi/xen/sysctl.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { VGCF_in_kernel, VGCF_online, vcpu_guest_context } from '#abi/xen/vcpu.ts'
import {
  __HYPERVISOR_domctl,
  __HYPERVISOR_memory_op,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_sysctl,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_update_va_mapping_otherdomain,
  MMUEXT_PIN_L4_TABLE,
  mmuext_op,
  start_info,
  start_info_domU,
} from '#abi/xen/xen.ts'
import { PGT_count_mask } from '#xen/common/page-alloc.ts'
import type { Xen } from '#xen/xen.ts'
import { scriptHost, TEST_BASE } from './xen-domain.ts'
import { kernel, loaded } from './xen-guest.ts'
import type { TestHost } from './xen-host.ts'
import { BLOCK, pte, RUN, type ScriptGuest } from './xen-script.ts'
import { untold } from './xen-xray.ts'

// biome-ignore lint/suspicious/noExplicitAny: each struct has its own fields
type AnyStruct = Struct<any>

/** A struct of no fields, for commands that have none of their own. */
export const nothing: Struct<Record<string, never>> = {
  name: 'nothing',
  size: 0,
  fields: {},
  read: () => ({}),
  write() {},
}

/** Result, the command's struct and xen_domctl.domain afterwards. */
export function domctl<S extends AnyStruct>(
  g: ScriptGuest,
  cmd: number,
  domain: number,
  layout: S,
  values: Partial<Values<S>>,
): { readonly result: number; readonly out: Values<S>; readonly domain: number } {
  const { mem } = g.vcpu
  const at = g.scratch
  mem.fill(at, xen_domctl.size, 0)
  xen_domctl.write(mem, at, { cmd, interface_version: XEN_DOMCTL_INTERFACE_VERSION, domain })
  layout.write(mem, at + XEN_DOMCTL_U, values as Parameters<S['write']>[2])
  const result = g.call(__HYPERVISOR_domctl, at)
  return {
    result,
    out: layout.read(mem, at + XEN_DOMCTL_U) as Values<S>,
    domain: xen_domctl.fields.domain.get(mem, at),
  }
}

export function sysctl<S extends AnyStruct>(
  g: ScriptGuest,
  cmd: number,
  layout: S,
  values: Partial<Values<S>>,
): { readonly result: number; readonly out: Values<S> } {
  const { mem } = g.vcpu
  const at = g.scratch
  mem.fill(at, xen_sysctl.size, 0)
  xen_sysctl.write(mem, at, { cmd, interface_version: XEN_SYSCTL_INTERFACE_VERSION })
  layout.write(mem, at + XEN_SYSCTL_U, values as Parameters<S['write']>[2])
  const result = g.call(__HYPERVISOR_sysctl, at)
  return { result, out: layout.read(mem, at + XEN_SYSCTL_U) as Values<S> }
}

export const domainInfo = (g: ScriptGuest, id: number): Values<typeof xen_domctl_getdomaininfo> | undefined => {
  const { result, out, domain } = domctl(g, XEN_DOMCTL_getdomaininfo, id, xen_domctl_getdomaininfo, {})
  return result === 0 && domain === id ? out : undefined
}

/** Mapped memory of dom0's behind the scratch page, of the boot region's padding: `n` counts pages. */
export const room = (g: ScriptGuest, n: number): number => g.scratch + (n + 1) * PAGE_SIZE

export const mapForeign = (g: ScriptGuest, va: number, mfn: number, domid: number, writable = true): number =>
  g.call(__HYPERVISOR_update_va_mapping_otherdomain, va, pte(mfn, writable), 0, domid)
export const unmap = (g: ScriptGuest, va: number): number => g.call(__HYPERVISOR_update_va_mapping, va, 0, 0)

/** populate_physmap of pfns 0 to `count` - 1: how many were got, and the frames. */
export function populate(g: ScriptGuest, domid: number, count: number): { readonly got: number; mfns: number[] } {
  const { mem } = g.vcpu
  const list = room(g, 0)
  for (let i = 0; i < count; i++) mem.write64(list + 8 * i, BigInt(i))
  const [got] = g.op(__HYPERVISOR_memory_op, XENMEM_populate_physmap, xen_memory_reservation, {
    extent_start: list,
    nr_extents: BigInt(count),
    domid,
  })
  return { got, mfns: Array.from({ length: Math.max(0, got) }, (_, i) => mem.read32(list + 8 * i)) }
}

export function pinL4(g: ScriptGuest, mfn: number, domid: number): number {
  const { mem } = g.vcpu
  mmuext_op.write(mem, g.scratch, { cmd: MMUEXT_PIN_L4_TABLE, arg1: BigInt(mfn) })
  return g.call(__HYPERVISOR_mmuext_op, g.scratch, 1, 0, domid)
}

/** Pfns of the tables of a built domain, and of its start_info. */
export const L4 = 0
export const L3 = 1
export const L2 = 2
export const L1 = 3
export const START_INFO = 4
/** Domains of so many pages or more also get these: a ring for the console, and the list of their frames. */
export const ROOMY_PAGES = 8
export const CONSOLE = 5
export const MFN_LIST = 6

/** The three upper tables and the L1 of `mfns`: pages in order from TEST_BASE on, tables read-only. `change` may spoil an entry. */
export function writeTables(
  g: ScriptGuest,
  domid: number,
  mfns: readonly number[],
  change: (level: number, slot: number, entry: bigint) => bigint = (_level, _slot, entry) => entry,
): void {
  const { mem } = g.vcpu
  const entryOf = (mfn: number, flags: number): bigint => (BigInt(mfn) << 12n) | BigInt(flags)
  const put = (pfn: number, level: number, slot: number, entry: bigint): void => {
    mapForeign(g, g.beyond, mfns[pfn]!, domid)
    mem.write64(g.beyond + 8 * slot, change(level, slot, entry))
    unmap(g, g.beyond)
  }
  put(L4, 4, 511, entryOf(mfns[L3]!, 0x67))
  put(L3, 3, 510, entryOf(mfns[L2]!, 0x67))
  put(L2, 2, 0, entryOf(mfns[L1]!, 0x67))
  for (const [i, mfn] of mfns.entries()) put(L1, 1, i, entryOf(mfn, i <= L1 ? 0x25 : 0x27))
}

export function setContext(
  g: ScriptGuest,
  domid: number,
  root: number,
  values: Partial<Values<typeof vcpu_guest_context>> = {},
  vcpu = 0,
): number {
  const ctxt = room(g, 0)
  g.vcpu.mem.fill(ctxt, vcpu_guest_context.size, 0)
  vcpu_guest_context.write(g.vcpu.mem, ctxt, {
    flags: BigInt(VGCF_in_kernel | VGCF_online),
    rip: TEST_BASE,
    rsi: TEST_BASE + START_INFO * PAGE_SIZE,
    rflags: 0x200n,
    ctrlreg3: BigInt(root) << 12n,
    ...values,
  })
  return domctl(g, XEN_DOMCTL_setvcpucontext, domid, xen_domctl_vcpucontext, { vcpu, ctxt }).result
}

/** Created, with vCPUs and frames, and nothing in them. */
export function createDomain(
  g: ScriptGuest,
  { pages = 16, vcpus = 1, id = 0 } = {},
): { readonly domid: number; readonly mfns: readonly number[] } {
  const handle = Uint8Array.from({ length: 16 }, (_, i) => i)
  const { result, domain } = domctl(g, XEN_DOMCTL_createdomain, id, xen_domctl_createdomain, { handle })
  if (result !== 0) throw new Error(`createdomain: ${result}`)
  domctl(g, XEN_DOMCTL_max_vcpus, domain, xen_domctl_max_vcpus, { max: vcpus })
  domctl(g, XEN_DOMCTL_max_mem, domain, xen_domctl_max_mem, { max_memkb: BigInt(pages * 4) })
  return { domid: domain, mfns: populate(g, domain, pages).mfns }
}

/** The same, ready to be unpaused: its kernel is what the host's `load` gives for TEST_BASE. */
export function buildDomain(
  g: ScriptGuest,
  options: { readonly pages?: number; readonly vcpus?: number; readonly id?: number; readonly cmdline?: string } = {},
): { readonly domid: number; readonly mfns: readonly number[] } {
  const built = createDomain(g, options)
  const { domid, mfns } = built
  const { mem } = g.vcpu
  const info = domainInfo(g, domid)!
  const roomy = mfns.length >= ROOMY_PAGES
  mapForeign(g, g.beyond, mfns[START_INFO]!, domid)
  start_info.write(mem, g.beyond, {
    nr_pages: mfns.length,
    shared_info: info.shared_info_frame * PAGE_SIZE,
    pt_base: TEST_BASE,
    nr_pt_frames: 4,
    mfn_list: roomy ? TEST_BASE + MFN_LIST * PAGE_SIZE : 0,
    cmd_line: Uint8Array.from(`${options.cmdline ?? ''}\0`, (letter) => letter.charCodeAt(0)),
  })
  if (roomy) {
    start_info_domU.fields.console_mfn.set(mem, g.beyond, mfns[CONSOLE]!)
    unmap(g, g.beyond)
    mapForeign(g, g.beyond, mfns[MFN_LIST]!, domid)
    for (const [pfn, mfn] of mfns.entries()) mem.write64(g.beyond + 8 * pfn, BigInt(mfn))
  }
  unmap(g, g.beyond)
  writeTables(g, domid, mfns)
  const pinned = pinL4(g, mfns[L4]!, domid)
  if (pinned !== 0) throw new Error(`pin: ${pinned}`)
  const set = setContext(g, domid, mfns[L4]!)
  if (set !== 0) throw new Error(`setvcpucontext: ${set}`)
  return built
}

/** Run dom0's script to its end beside guests that are `guest`. */
export function play(
  body: (g: ScriptGuest, host: TestHost) => Generator<VcpuExit, void, number>,
  guest: LoadedCode | LoadRefusal = loaded(kernel(() => BLOCK)),
): TestHost {
  let done = false
  let thrown: unknown
  let host: TestHost | undefined
  host = scriptHost(
    function* (g) {
      while (!host) yield RUN
      try {
        yield* body(g, host)
      } catch (error) {
        thrown = error
      }
      done = true
    },
    '',
    guest,
  )
  host.runUntil(() => done, 5e9)
  if (thrown !== undefined) throw thrown
  // What was said is still on the line.
  host.runFor(5e8)
  if (!done) throw new Error(`dom0 did not finish:\n${host.serial.slice(-3000)}`)
  // Whatever has happened, the tracer has told all of it.
  const missing = untold(host)
  if (missing.length > 0) throw new Error(missing.join('\n'))
  return host
}

/** All that a domain can take: free frames by zone, and the frame table. A type that nobody uses any more may stay behind. */
export function books({ heap }: Xen): Readonly<Record<string, Uint8Array | Uint16Array | Uint32Array>> {
  const { owner, countInfo, typeInfo, m2p } = heap.frames
  return {
    avail: Uint32Array.from(heap.avail),
    owner: owner.slice(),
    countInfo: countInfo.slice(),
    typeInfo: typeInfo.map((info) => (info & PGT_count_mask ? info : 0)),
    m2p: Uint32Array.from(owner, (_, mfn) => m2p.get(mfn)),
  }
}

/** Where two of them differ, the first few. */
export function changes(before: ReturnType<typeof books>, after: ReturnType<typeof books>): string[] {
  const found: string[] = []
  for (const [name, column] of Object.entries(before))
    for (let i = 0; i < column.length && found.length < 10; i++)
      if (column[i] !== after[name]![i])
        found.push(`${name}[0x${i.toString(16)}]: ${column[i]!.toString(16)} -> ${after[name]![i]!.toString(16)}`)
  return found
}

export const turns = function* (count: number): Generator<typeof RUN, void, number> {
  for (let i = 0; i < count; i++) yield RUN
}
