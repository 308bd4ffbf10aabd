/** For tests of a guest kernel: as much of a hypervisor as one needs to boot, with the memory layout of the domain builder and the numbers of the public headers. */

import { image_header } from '#abi/image.ts'
import type { Mem } from '#abi/mem.ts'
import type { LoadedCode, LoadRefusal, Outcome, PortIo } from '#abi/pc/metal.ts'
import { EFAULT, EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_pirq,
  EVTCHNOP_bind_virq,
  EVTCHNOP_close,
  EVTCHNOP_send,
  EVTCHNOP_unmask,
  evtchn_alloc_unbound,
  evtchn_bind_pirq,
  evtchn_bind_virq,
  evtchn_close,
  evtchn_send,
  evtchn_unmask,
} from '#abi/xen/event_channel.ts'
import type { VcpuCode, VcpuExit, VirtualCpu } from '#abi/xen/guest.ts'
import {
  e820entry,
  XENMEM_current_reservation,
  XENMEM_decrease_reservation,
  XENMEM_maximum_reservation,
  XENMEM_memory_map,
  XENMEM_populate_physmap,
  xen_memory_map,
  xen_memory_reservation,
} from '#abi/xen/memory.ts'
import { SCHEDOP_block, SCHEDOP_shutdown, sched_shutdown } from '#abi/xen/sched.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import { vcpu_time_info } from '#abi/xen/vcpu.ts'
import {
  __HYPERVISOR_console_io,
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_memory_op,
  __HYPERVISOR_multicall,
  __HYPERVISOR_physdev_op,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_set_timer_op,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_vcpu_op,
  __HYPERVISOR_xen_version,
  CONSOLEIO_read,
  CONSOLEIO_write,
  MULTICALL_ARGS,
  SHARED_INFO_EVTCHN_MASK,
  SHARED_INFO_EVTCHN_PENDING,
  SIF_INITDOMAIN,
  SIF_PRIVILEGED,
  shared_info,
  start_info,
  start_info_domU,
  VIRQ_CONSOLE,
  VIRQ_TIMER,
  vcpu_info,
} from '#abi/xen/xen.ts'

const VIRT_BASE: Vaddr = -0x80000000
const IMAGE_PAGES = 512
/** Machine frames begin here, so that nobody takes a pfn for an mfn and gets away with it. */
const FIRST_MFN = 0x1000
const GHZ = 2.4
const RUN_NS = 100_000
const RDTSC_NS = 50
const CALL_NS = 500
/** The fixed start of the world: 2009-05-12T06:32:52Z. */
const WALL_SECONDS = 1242109972

export interface FakeXenOptions {
  readonly cmdline: string
  readonly pages: number
  readonly io: PortIo | undefined
  readonly load: (mem: Mem, va: Vaddr) => LoadedCode | LoadRefusal
  /** Not the first domain: no privileges, and the rings that its builder gives it. */
  readonly domU?: boolean
  /** What XENMEM_memory_map says; without it that fails, as for dom0. In pages. */
  readonly memoryMap?: number
}

export interface FakeXen {
  readonly vcpu: VirtualCpu
  readonly nowNs: number
  /** What console_io was given. */
  readonly output: string
  /** The reason of SCHEDOP_shutdown. */
  readonly shutdown: number | undefined
  /** Hypercalls so far, by number; a multicall counts with what is in it. */
  readonly calls: ReadonlyMap<number, number>
  /** Times that the domain was woken from block. */
  readonly wakeUps: number
  feed(text: string): void
  raisePirq(irq: number): void
  /** An event on a port that the test itself has given out. */
  raise(port: number): void
  /** Call `act` whenever the guest notifies `port`. */
  onSend(port: number, act: () => void): void
  /** Ports that the guest has made for another domain to bind to. */
  readonly unbound: readonly number[]
  /** Of a domU, as start_info has them: where the rings lie in `memory`, and their ports. */
  readonly store: { readonly at: number; readonly port: number }
  readonly console: { readonly at: number; readonly port: number }
  /** All of the domain's frames, one behind the other; memory as another domain that has mapped it sees it. */
  readonly memory: Mem
  /** Frames that the domain has, and may have. */
  readonly pages: number
  maxPages: number
  /** What a test brings: looked at before the fake's own, by number. */
  readonly hypercalls: Map<number, (...args: readonly number[]) => number | undefined>
  /** Call `act` at that time, from outside of the guest: a device. */
  at(ns: number, act: () => void): void
  /** Run it though it has blocked: the test itself has given its scheduler something to do. */
  kick(): void
  /** Let time pass in the middle of things. */
  spend(ns: number): void
  /** One run, or a jump of time to what wakes the domain, no further than `untilNs`. False: nothing comes (until then), or the domain has shut down. */
  step(code: VcpuCode, untilNs?: number): boolean
  passTo(ns: number): void
}

/** A LoadedCode whose exports are there already. Throws are faults. */
export function fakeCode(xen: FakeXen, kind: number, exports: Readonly<Record<string, unknown>>): LoadedCode {
  const call = <T>(body: () => T): Outcome<T> => {
    xen.spend(CALL_NS)
    try {
      return { ok: true, value: body() }
    } catch (error) {
      const message = error instanceof Error ? `${error.name}: ${error.message}` : `threw ${String(error)}`
      return { ok: false, fault: { message, file: 'rig.ts', line: 1 } }
    }
  }
  return {
    ok: true,
    kind,
    name: 'rig',
    bytes: image_header.size,
    instantiate: () => ({ ok: true, value: exports }),
    call,
    serve: (body) => body(),
  }
}

const NO_IO: PortIo = {
  in8: () => 0xff,
  in16: () => 0xffff,
  in32: () => 0xffffffff,
  out8() {},
  out16() {},
  out32() {},
}

export function fakeXen({ cmdline, pages, io = NO_IO, load, domU = false, memoryMap }: FakeXenOptions): FakeXen {
  const frames = Math.max(pages, memoryMap ?? 0)
  const ram = new Uint8Array((frames + 1) * PAGE_SIZE)
  const view = new DataView(ram.buffer)
  const sharedMfn = FIRST_MFN + frames
  /** Frames that nobody has. */
  const free = new Set<number>()
  for (let frame = frames - 1; frame >= pages; frame--) free.add(frame)
  let owned = pages
  let maxPages = frames
  /** va page -> frame * 2 + writable. */
  const pageMap = new Map<number, number>()
  /** How often each frame is mapped. */
  const mappings = new Int32Array(frames + 1)
  let cached = -1
  let cachedAt = 0
  const at = (va: Vaddr, write: boolean): number => {
    const page = Math.floor(va / PAGE_SIZE)
    if (page !== cached || write) {
      const entry = pageMap.get(page)
      if (entry === undefined || (write && (entry & 1) === 0))
        throw new Error(`page fault: ${write ? 'write' : 'read'} at 0x${BigInt.asUintN(64, BigInt(va)).toString(16)}`)
      cached = page
      cachedAt = Math.floor(entry / 2) * PAGE_SIZE
    }
    return cachedAt + (va - page * PAGE_SIZE)
  }
  const crosses = (va: Vaddr, bytes: number): boolean => va - Math.floor(va / PAGE_SIZE) * PAGE_SIZE + bytes > PAGE_SIZE
  const copyOut = (va: Vaddr, length: number): Uint8Array => {
    const bytes = new Uint8Array(length)
    for (let done = 0; done < length; ) {
      const from = at(va + done, false)
      const part = Math.min(length - done, PAGE_SIZE - (from % PAGE_SIZE))
      bytes.set(ram.subarray(from, from + part), done)
      done += part
    }
    return bytes
  }
  const copyIn = (va: Vaddr, bytes: Uint8Array): void => {
    for (let done = 0; done < bytes.length; ) {
      const to = at(va + done, true)
      const part = Math.min(bytes.length - done, PAGE_SIZE - (to % PAGE_SIZE))
      ram.set(bytes.subarray(done, done + part), to)
      done += part
    }
  }
  const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer)
  const mem: Mem = {
    read8: (va) => ram[at(va, false)]!,
    read16: (va) => (crosses(va, 2) ? viewOf(copyOut(va, 2)).getUint16(0, true) : view.getUint16(at(va, false), true)),
    read32: (va) => (crosses(va, 4) ? viewOf(copyOut(va, 4)).getUint32(0, true) : view.getUint32(at(va, false), true)),
    read64: (va) =>
      crosses(va, 8) ? viewOf(copyOut(va, 8)).getBigUint64(0, true) : view.getBigUint64(at(va, false), true),
    write8(va, value) {
      ram[at(va, true)] = value
    },
    write16(va, value) {
      copyIn(va, Uint8Array.of(value & 255, (value >> 8) & 255))
    },
    write32(va, value) {
      const bytes = new Uint8Array(4)
      viewOf(bytes).setUint32(0, value, true)
      copyIn(va, bytes)
    },
    write64(va, value) {
      const bytes = new Uint8Array(8)
      viewOf(bytes).setBigUint64(0, value, true)
      copyIn(va, bytes)
    },
    copyOut,
    copyIn,
    fill: (va, length, byte) => copyIn(va, new Uint8Array(length).fill(byte)),
  }

  // --- The domain builder ---
  const p2mPages = Math.ceil((pages * 8) / PAGE_SIZE)
  const p2mPage = IMAGE_PAGES
  const infoPage = p2mPage + p2mPages
  const storePage = infoPage + 1
  const consolePage = infoPage + 2
  const tablesPage = infoPage + (domU ? 3 : 1)
  const bootPages = (tables: number): number => Math.ceil((tablesPage + tables + 1 + 128) / 1024) * 1024
  let tables = 4
  while (tables < 3 + bootPages(tables) / 512) tables++
  const end = bootPages(tables)
  for (let pfn = 0; pfn < Math.min(end, pages); pfn++) {
    const readOnly = pfn >= tablesPage && pfn < tablesPage + tables
    pageMap.set(VIRT_BASE / PAGE_SIZE + pfn, pfn * 2 + (readOnly ? 0 : 1))
    mappings[pfn]!++
  }
  const va = (page: number): Vaddr => VIRT_BASE + page * PAGE_SIZE
  for (let pfn = 0; pfn < pages; pfn++) view.setUint32(p2mPage * PAGE_SIZE + pfn * 8, FIRST_MFN + pfn, true)
  const text = (string: string): Uint8Array => Uint8Array.from(string, (letter) => letter.charCodeAt(0))
  start_info.write(mem, va(infoPage), {
    magic: text('xen-3.0-x86_64'),
    nr_pages: pages,
    shared_info: sharedMfn * PAGE_SIZE,
    flags: domU ? 0 : SIF_PRIVILEGED | SIF_INITDOMAIN,
    pt_base: va(tablesPage),
    nr_pt_frames: tables,
    mfn_list: va(p2mPage),
    cmd_line: text(cmdline),
  })

  const storePort = 1
  const consolePort = 2
  if (domU) {
    start_info.write(mem, va(infoPage), { store_mfn: FIRST_MFN + storePage, store_evtchn: storePort })
    start_info_domU.write(mem, va(infoPage), { console_mfn: FIRST_MFN + consolePage, console_evtchn: consolePort })
  }

  // --- Time, shared_info ---
  const shared = frames * PAGE_SIZE
  const raw: Mem = {
    ...mem,
    read8: (a) => ram[a]!,
    read32: (a) => view.getUint32(a, true),
    read64: (a) => view.getBigUint64(a, true),
    read16: (a) => view.getUint16(a, true),
    write8: (a, v) => view.setUint8(a, v),
    write16: (a, v) => view.setUint16(a, v, true),
    copyOut: (a, length) => ram.slice(a, a + length),
    copyIn: (a, bytes) => ram.set(bytes, a),
    fill: (a, length, byte) => {
      ram.fill(byte, a, a + length)
    },
    write32: (a, v) => view.setUint32(a, v, true),
    write64: (a, v) => view.setBigUint64(a, v, true),
  }
  let nowNs = 1_000_000_000
  vcpu_time_info.write(raw, shared + 32, {
    version: 2,
    tsc_timestamp: 0n,
    system_time: 0n,
    tsc_to_system_mul: Math.floor(2 ** 32 / GHZ),
    tsc_shift: 0,
  })
  shared_info.fields.wc_version.set(raw, shared, 2)
  shared_info.fields.wc_sec.set(raw, shared, WALL_SECONDS)
  vcpu_info.fields.evtchn_upcall_mask.set(raw, shared, 1)

  // --- Events ---
  const virqs = new Map<number, number>()
  const pirqs = new Map<number, number>()
  let ports = domU ? 2 : 0
  const unbound: number[] = []
  const onSend = new Map<number, () => void>()
  const bitAt = (table: number, port: number): [number, number] => [shared + table + (port >> 3), 1 << (port & 7)]
  const test = (table: number, port: number): boolean => {
    const [byte, bit] = bitAt(table, port)
    return (ram[byte]! & bit) !== 0
  }
  const select = (port: number): void => {
    const word = port >> 6
    const { evtchn_pending_sel, evtchn_upcall_pending } = vcpu_info.fields
    evtchn_pending_sel.set(raw, shared, evtchn_pending_sel.get(raw, shared) | (1n << BigInt(word)))
    evtchn_upcall_pending.set(raw, shared, 1)
  }
  const setPending = (port: number | undefined): void => {
    if (port === undefined || test(SHARED_INFO_EVTCHN_PENDING, port)) return
    const [byte, bit] = bitAt(SHARED_INFO_EVTCHN_PENDING, port)
    ram[byte]! |= bit
    if (!test(SHARED_INFO_EVTCHN_MASK, port)) select(port)
  }

  // --- Hypercalls ---
  const calls = new Map<number, number>()
  const hypercalls: FakeXen['hypercalls'] = new Map()
  let output = ''
  let input = ''
  let timerNs = 0
  let shutdown: number | undefined
  let wakeUps = 0
  const eventChannelOp = (op: number, arg: Vaddr): number => {
    switch (op) {
      case EVTCHNOP_bind_virq:
        virqs.set(evtchn_bind_virq.fields.virq.get(mem, arg), ++ports)
        evtchn_bind_virq.fields.port.set(mem, arg, ports)
        return 0
      case EVTCHNOP_bind_pirq:
        pirqs.set(evtchn_bind_pirq.fields.pirq.get(mem, arg), ++ports)
        evtchn_bind_pirq.fields.port.set(mem, arg, ports)
        return 0
      case EVTCHNOP_close: {
        const port = evtchn_close.fields.port.get(mem, arg)
        for (const table of [virqs, pirqs]) for (const [nr, bound] of table) if (bound === port) table.delete(nr)
        return 0
      }
      case EVTCHNOP_alloc_unbound:
        unbound.push(++ports)
        evtchn_alloc_unbound.fields.port.set(mem, arg, ports)
        return 0
      case EVTCHNOP_send:
        onSend.get(evtchn_send.fields.port.get(mem, arg))?.()
        return 0
      case EVTCHNOP_unmask: {
        const port = evtchn_unmask.fields.port.get(mem, arg)
        const [byte, bit] = bitAt(SHARED_INFO_EVTCHN_MASK, port)
        ram[byte]! &= ~bit
        if (test(SHARED_INFO_EVTCHN_PENDING, port)) select(port)
        return 0
      }
      default:
        return -ENOSYS
    }
  }
  const memoryOp = (op: number, arg: Vaddr): number => {
    if (op === XENMEM_memory_map) {
      if (memoryMap === undefined) return -ENOSYS
      const entry = { addr: 0n, size: BigInt(memoryMap * PAGE_SIZE), type: 1 }
      e820entry.write(mem, xen_memory_map.fields.buffer.get(mem, arg), entry)
      xen_memory_map.fields.nr_entries.set(mem, arg, 1)
      return 0
    }
    if (op === XENMEM_maximum_reservation) return maxPages
    if (op === XENMEM_current_reservation) return owned
    if (op !== XENMEM_decrease_reservation && op !== XENMEM_populate_physmap) return -ENOSYS
    const { extent_start, nr_extents } = xen_memory_reservation.fields
    const list = extent_start.get(mem, arg)
    const count = Number(nr_extents.get(mem, arg))
    for (let i = 0; i < count; i++) {
      if (op === XENMEM_populate_physmap) {
        const [frame] = owned < maxPages ? free : []
        if (frame === undefined) return i
        free.delete(frame)
        ram.fill(0xa5, frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE)
        mem.write64(list + i * 8, BigInt(FIRST_MFN + frame))
        owned++
        continue
      }
      const frame = Number(mem.read64(list + i * 8)) - FIRST_MFN
      if (!(frame >= 0 && frame < frames) || free.has(frame)) return i
      if (mappings[frame] !== 0) throw new Error('a frame is given up that is mapped')
      free.add(frame)
      owned--
    }
    return count
  }
  const hypercall = (nr: number, ...args: readonly number[]): number => {
    calls.set(nr, (calls.get(nr) ?? 0) + 1)
    const [a = 0, b = 0, c = 0] = args
    const own = hypercalls.get(nr)?.(...args)
    if (own !== undefined) return own
    try {
      switch (nr) {
        case __HYPERVISOR_multicall:
          for (let i = 0; i < b; i++) {
            const entry = a + i * 64
            const inner = [0, 1, 2, 3].map((k) => Number(BigInt.asIntN(64, mem.read64(entry + MULTICALL_ARGS + k * 8))))
            mem.write64(entry + 8, BigInt.asUintN(64, BigInt(hypercall(mem.read32(entry), ...inner))))
          }
          return 0
        case __HYPERVISOR_update_va_mapping: {
          cached = -1
          const page = Math.floor(a / PAGE_SIZE)
          const before = pageMap.get(page)
          if (before !== undefined && (b & 1) === 0) mappings[Math.floor(before / 2)]!--
          if ((b & 1) === 0) pageMap.delete(page)
          else {
            const frame = Math.floor(b / PAGE_SIZE) - FIRST_MFN
            if (
              frame < 0 ||
              frame > frames ||
              free.has(frame) ||
              (frame >= tablesPage && frame < tablesPage + tables && (b & 2) !== 0)
            )
              return -EINVAL
            if (before !== undefined) mappings[Math.floor(before / 2)]!--
            mappings[frame]!++
            pageMap.set(page, frame * 2 + ((b & 2) >> 1))
          }
          return 0
        }
        case __HYPERVISOR_set_timer_op:
          timerNs = a
          return 0
        case __HYPERVISOR_xen_version:
          return 0x30003
        case __HYPERVISOR_console_io:
          if (a === CONSOLEIO_write) {
            output += String.fromCharCode(...copyOut(c, b))
            return 0
          }
          if (a === CONSOLEIO_read) {
            const part = input.slice(0, b)
            input = input.slice(part.length)
            copyIn(c, text(part))
            return part.length
          }
          return -ENOSYS
        case __HYPERVISOR_vcpu_op:
        case __HYPERVISOR_physdev_op:
          return 0
        case __HYPERVISOR_event_channel_op:
          return eventChannelOp(a, b)
        case __HYPERVISOR_memory_op:
          return memoryOp(a, b)
        default:
          return nr === __HYPERVISOR_sched_op ? -EINVAL : -ENOSYS
      }
    } catch {
      return -EFAULT
    }
  }

  const vcpu: VirtualCpu = {
    vcpuId: 0,
    mem,
    startInfo: va(infoPage),
    hypercall,
    rdtsc() {
      nowNs += RDTSC_NS
      return Math.floor(nowNs * GHZ)
    },
    cpuid: () => ({ eax: 0, ebx: 0, ecx: 0, edx: 0 }),
    io,
    load: (address) => load(mem, address),
  }

  // --- Running ---
  let blocked = false
  let deviceOrder = 0
  let devices: { readonly ns: number; readonly order: number; readonly act: () => void }[] = []
  const happen = (): void => {
    for (;;) {
      const due = devices.find(({ ns }) => ns <= nowNs)
      if (!due) break
      devices = devices.filter((other) => other !== due)
      due.act()
    }
    if (timerNs > 0 && timerNs <= nowNs) {
      timerNs = 0
      setPending(virqs.get(VIRQ_TIMER))
    }
  }
  const deliverable = (): boolean => vcpu_info.fields.evtchn_upcall_pending.get(raw, shared) !== 0
  const leave = (exit: VcpuExit): void => {
    if (exit.kind === 'run') return
    calls.set(exit.nr, (calls.get(exit.nr) ?? 0) + 1)
    const [op, arg = 0] = exit.args
    if (op === SCHEDOP_block) {
      vcpu_info.fields.evtchn_upcall_mask.set(raw, shared, 0)
      blocked = true
    } else if (op === SCHEDOP_shutdown) shutdown = sched_shutdown.fields.reason.get(mem, arg)
  }
  return {
    vcpu,
    get nowNs() {
      return nowNs
    },
    get output() {
      return output
    },
    get shutdown() {
      return shutdown
    },
    get wakeUps() {
      return wakeUps
    },
    calls,
    feed(more) {
      input += more
      setPending(virqs.get(VIRQ_CONSOLE))
    },
    hypercalls,
    raise: (port) => setPending(port),
    onSend: (port, act) => {
      onSend.set(port, act)
    },
    unbound,
    store: { at: storePage * PAGE_SIZE, port: storePort },
    console: { at: consolePage * PAGE_SIZE, port: consolePort },
    memory: raw,
    get pages() {
      return owned
    },
    get maxPages() {
      return maxPages
    },
    set maxPages(most) {
      maxPages = most
    },
    raisePirq: (irq) => setPending(pirqs.get(irq)),
    at(ns, act) {
      devices.push({ ns, order: deviceOrder++, act })
      devices.sort((x, y) => x.ns - y.ns || x.order - y.order)
    },
    kick() {
      blocked = false
    },
    spend(ns) {
      nowNs += ns
    },
    step(code, untilNs = Number.POSITIVE_INFINITY) {
      if (shutdown !== undefined) return false
      happen()
      if (blocked && !deliverable()) {
        const next = Math.min(
          timerNs > 0 ? timerNs : Number.POSITIVE_INFINITY,
          devices[0]?.ns ?? Number.POSITIVE_INFINITY,
        )
        if (next === Number.POSITIVE_INFINITY || next > untilNs) return false
        nowNs = Math.max(nowNs, next)
        happen()
        if (!deliverable()) return true
      }
      if (blocked) wakeUps++
      blocked = false
      if (deliverable() && vcpu_info.fields.evtchn_upcall_mask.get(raw, shared) === 0) code.upcall()
      leave(code.run(nowNs + RUN_NS, 0))
      return shutdown === undefined
    },
    passTo(ns) {
      nowNs = Math.max(nowNs, ns)
    },
  }
}
