/**
 * For tests: a guest of a few pages whose kernel is a handful of instructions. Its pages are mapped one after the other from BASE on, the page tables read-only;
 * a second root has what its user mode sees, at USER_BASE. What it finds out it saves in a page of results.
 */
import type { Values } from '#abi/struct.ts'
import { XEN_DOMCTL_max_mem, XEN_DOMCTL_unpausedomain, xen_domctl_max_mem } from '#abi/xen/domctl.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { FLAT_KERNEL_CS, FLAT_KERNEL_SS, type vcpu_guest_context } from '#abi/xen/vcpu.ts'
import { start_info } from '#abi/xen/xen.ts'
import type { Domain } from '#xen/common/domain.ts'
import { createDomain, domainInfo, domctl, nothing, pinL4, setContext } from '../xen-builder.ts'
import { Assembler } from './assembler.ts'
import type { X86Host } from './dom0.ts'
import { Kernel } from './kernel.ts'
import {
  ACCESSED,
  BASE,
  CODE_BYTES,
  DIRTY,
  entryOf,
  PAGES,
  PFN,
  PRESENT,
  RW,
  slot,
  TABLE,
  TABLES,
  USER,
  USER_BASE,
  USER_PAGES,
  userVa,
  va,
} from './layout.ts'

export interface SmallGuestOptions {
  readonly vcpus?: number
  /** How its page tables differ: by table's pfn and slot. */
  readonly entries?: (mfns: readonly number[]) => readonly (readonly [table: number, slot: number, entry: bigint])[]
  readonly context?: Partial<Values<typeof vcpu_guest_context>>
  /** Its user mode's code. */
  readonly user?: (code: Assembler) => unknown
}

export class SmallGuest {
  readonly #host: X86Host
  readonly domid: number
  readonly mfns: readonly number[]
  readonly kernel = new Kernel(va(PFN.code))
  /** Its user mode's code, if it has any. */
  readonly user: Assembler | undefined

  /** Built, not yet running: `write` says what its kernel does, knowing its frames. */
  constructor(
    host: X86Host,
    write: (kernel: Kernel, mfns: readonly number[]) => unknown,
    options: SmallGuestOptions = {},
  ) {
    const { vcpus = 1, entries, context = {}, user } = options
    this.#host = host
    const { domid, mfns } = host.ask((dom0) => {
      const built = createDomain(dom0, { pages: PAGES, vcpus })
      // More may come.
      domctl(dom0, XEN_DOMCTL_max_mem, built.domid, xen_domctl_max_mem, { max_memkb: BigInt((PAGES + 8) * 4) })
      return built
    })
    this.domid = domid
    this.mfns = mfns
    const sharedInfo = host.ask((dom0) => Number(domainInfo(dom0, domid)!.shared_info_frame))
    this.#tables(sharedInfo)
    for (const [table, index, entry] of entries?.(mfns) ?? []) this.poke(table, index * 8, entry)
    start_info.write(host.host.machine.mem, mfns[PFN.startInfo]! * PAGE_SIZE, {
      nr_pages: PAGES,
      shared_info: sharedInfo * PAGE_SIZE,
      pt_base: Number(BigInt.asIntN(64, va(PFN.l4))),
      nr_pt_frames: TABLES.length,
    })
    write(this.kernel, mfns)
    this.#code(PFN.code, this.kernel, CODE_BYTES)
    if (user) {
      this.user = new Assembler(userVa(PFN.userCode))
      user(this.user)
      this.#code(PFN.userCode, this.user, PAGE_SIZE)
    }
    host.ask((dom0) => {
      const pinned = pinL4(dom0, mfns[PFN.l4]!, domid)
      if (pinned !== 0) throw new Error(`pin: ${pinned}`)
      const signed = (address: bigint): number => Number(BigInt.asIntN(64, address))
      const set = setContext(dom0, domid, mfns[PFN.l4]!, {
        rip: signed(va(PFN.code)),
        rsi: signed(va(PFN.startInfo)),
        rsp: signed(va(PFN.stack + 1)),
        cs: FLAT_KERNEL_CS,
        ss: FLAT_KERNEL_SS,
        kernel_ss: BigInt(FLAT_KERNEL_SS),
        kernel_sp: signed(va(PFN.kernelStack + 1)),
        ...context,
      })
      if (set !== 0) throw new Error(`setvcpucontext: ${set}`)
    })
  }

  #tables(sharedInfo: number): void {
    const { mfns } = this
    const link = (table: number, address: bigint, level: 2 | 3 | 4, to: number): void =>
      this.poke(table, slot(address, level) * 8, entryOf(mfns[to]!, TABLE))
    link(PFN.l4, BASE, 4, PFN.l3)
    link(PFN.l3, BASE, 3, PFN.l2)
    link(PFN.l2, BASE, 2, PFN.l1)
    link(PFN.l4, USER_BASE, 4, PFN.userL3)
    link(PFN.userL4, USER_BASE, 4, PFN.userL3)
    link(PFN.userL3, USER_BASE, 3, PFN.userL2)
    link(PFN.userL2, USER_BASE, 2, PFN.userL1)
    for (let pfn = 0; pfn < PAGES; pfn++) {
      const rights = TABLES.includes(pfn) ? 0n : RW
      const mfn = pfn === PFN.sharedInfo ? sharedInfo : mfns[pfn]!
      this.poke(PFN.l1, slot(va(pfn), 1) * 8, entryOf(mfn, PRESENT | ACCESSED | DIRTY | rights))
    }
    for (const pfn of USER_PAGES)
      this.poke(PFN.userL1, slot(userVa(pfn), 1) * 8, entryOf(mfns[pfn]!, PRESENT | USER | RW | ACCESSED | DIRTY))
  }

  #code(pfn: number, code: Assembler, max: number): void {
    const bytes = code.assembled()
    if (bytes.length > max) throw new Error(`${bytes.length} bytes of code`)
    this.write(pfn, bytes)
  }

  /** Bytes from the beginning of a page on. */
  write(pfn: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PAGE_SIZE)
      this.#host.host.machine.mem.copyIn(
        this.mfns[pfn + at / PAGE_SIZE]! * PAGE_SIZE,
        bytes.subarray(at, at + PAGE_SIZE),
      )
  }

  /** Words of its memory, from outside. */
  peek(pfn: number, offset: number): bigint {
    return this.#host.host.machine.mem.read64(this.mfns[pfn]! * PAGE_SIZE + offset)
  }
  poke(pfn: number, offset: number, value: bigint): void {
    this.#host.host.machine.mem.write64(this.mfns[pfn]! * PAGE_SIZE + offset, value)
  }

  get domain(): Domain {
    return this.#host.host.xen.domains.get(this.domid)!
  }

  start(): void {
    this.#host.ask((dom0) => domctl(dom0, XEN_DOMCTL_unpausedomain, this.domid, nothing, {}))
  }

  /** Until it has shut down. */
  run(ns = 20_000_000): this {
    this.start()
    const { host } = this.#host
    const ended = (): boolean => this.domain.shuttingDown
    if (!ended() && !host.runUntil(ended, ns)) throw new Error(`it does not end:\n${host.serial.slice(-2000)}`)
    return this
  }

  /** SHUTDOWN_*. */
  get ending(): number {
    return this.domain.shutdownCode
  }

  result(name: string): bigint {
    const at = this.kernel.names.get(name)
    if (at === undefined) throw new Error(`no result ${name}`)
    return this.peek(PFN.results, at * 8)
  }
  results(...names: readonly string[]): bigint[] {
    return names.map((name) => this.result(name))
  }
  stack(name: string, words: number): bigint[] {
    return Array.from({ length: words }, (_, i) => this.result(`${name}.${i}`))
  }
}
