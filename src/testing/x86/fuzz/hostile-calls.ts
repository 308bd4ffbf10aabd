/** A domain whose machine code makes the hypercalls that the fuzz of the other guests makes (testing/fuzz): what it is told from outside, a call at a time. */
import type { Mem } from '#abi/mem.ts'
import { R8, R10, R11, RAX, RCX, RDI, RDX, RSI, RSP } from '#abi/pc/ring3.ts'
import type { VirtualCpu } from '#abi/xen/guest.ts'
import { SCHEDOP_yield } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { FLAT_KERNEL_CS, FLAT_KERNEL_SS } from '#abi/xen/vcpu.ts'
import { __HYPERVISOR_sched_op, __HYPERVISOR_set_callbacks, start_info } from '#abi/xen/xen.ts'
import type { Rng } from '#lib/prng.ts'
import { type Domain, VPF_down } from '#xen/common/domain.ts'
import { vcpuUnblock } from '#xen/common/schedule.ts'
import { HOSTILE_PAGES, pageOf, WINDOWS } from '../../fuzz/values.ts'
import { createDomain, domainInfo, L4, pinL4, START_INFO, setContext, writeTables } from '../../xen-builder.ts'
import { CC, R12, R13 } from '../assembler.ts'
import type { X86Host } from '../dom0.ts'
import { Kernel } from '../kernel.ts'

/** Behind what the fuzz knows of: code, the letterbox, a stack. */
const CODE = HOSTILE_PAGES
const BOX = HOSTILE_PAGES + 1
const STACK = HOSTILE_PAGES + 2
const PAGES = HOSTILE_PAGES + 3
/** In the letterbox: how many calls are wanted and done, number, arguments, result. */
const WANTED = 0
const DONE = 8
const NR = 16
const ARGS = 24
const RESULT = 80
/** What its code writes to before the call, so that the processor remembers the page. */
const TOUCH = 88
const ARGUMENT_REGISTERS = [RDI, RSI, RDX, R10, R8]
const PATIENCE_NS = 300_000

/** The domain does not answer any more. */
export class Gone extends Error {}

const address = (pfn: number): bigint => BigInt.asUintN(64, BigInt(pageOf(pfn)))

export class HostileCalls {
  readonly domid: number
  readonly mfns: readonly number[]
  readonly vcpu: VirtualCpu
  readonly #host: X86Host
  readonly #rng: Rng
  #calls = 0n

  constructor(host: X86Host, rng: Rng) {
    this.#host = host
    this.#rng = rng.fork('touches')
    const { machine } = host.host
    const built = host.ask((dom0) => {
      const { domid, mfns } = createDomain(dom0, { pages: PAGES, vcpus: 2 })
      writeTables(dom0, domid, mfns)
      const info = domainInfo(dom0, domid)!
      start_info.write(machine.mem, mfns[START_INFO]! * PAGE_SIZE, {
        nr_pages: PAGES,
        shared_info: Number(info.shared_info_frame) * PAGE_SIZE,
        pt_base: pageOf(0),
        nr_pt_frames: 4,
      })
      machine.mem.copyIn(mfns[CODE]! * PAGE_SIZE, HostileCalls.#code())
      pinL4(dom0, mfns[L4]!, domid)
      setContext(dom0, domid, mfns[L4]!, {
        rip: pageOf(CODE),
        rsp: pageOf(STACK + 1),
        cs: FLAT_KERNEL_CS,
        ss: FLAT_KERNEL_SS,
      })
      return { domid, mfns }
    })
    this.domid = built.domid
    this.mfns = built.mfns
    this.vcpu = this.#facade()
  }

  static #code(): Uint8Array {
    const k = new Kernel(address(CODE))
    k.hypercall(__HYPERVISOR_set_callbacks, 'event', 0, 0).traps([14, 0, 'pf']).set(R12, address(BOX))
    k.label('again').load(RAX, R12, WANTED).load(RDX, R12, DONE).alu('cmp', RAX, RDX).jcc(CC.ne, 'call')
    k.hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0).jmp('again').label('call')
    // or qword [r13], 0: a write that changes nothing.
    k.load(R13, R12, TOUCH).bytes(0x49, 0x83, 0x4d, 0, 0).label('touched')
    for (const [i, register] of ARGUMENT_REGISTERS.entries()) k.load(register, R12, ARGS + 8 * i)
    k.load(RAX, R12, NR).syscall().set(R12, address(BOX)).store(R12, RESULT, RAX)
    k.load(R13, R12, WANTED).store(R12, DONE, R13).jmp('again')
    // and qword [rsp + 16], ~IF: events stay masked, and pending.
    k.label('event').pop(RCX).pop(R11).bytes(0x48, 0x81, 0x64, 0x24, 16, 0xff, 0xfd, 0xff, 0xff).iret()
    k.label('pf').pop(RCX).pop(R11).pop(RCX).set(RCX, 'touched').store(RSP, 0, RCX).iret()
    return k.assembled()
  }

  get domain(): Domain {
    return this.#host.host.xen.domains.get(this.domid)!
  }

  #facade(): VirtualCpu {
    const domain = (): Domain => this.domain
    return {
      vcpuId: 0,
      get mem(): Mem {
        return domain().vcpus[0]!.mem
      },
      startInfo: pageOf(START_INFO),
      hypercall: (nr, ...args) => this.#call(nr, args),
      rdtsc: () => 0,
      cpuid: () => ({ eax: 0, ebx: 0, ecx: 0, edx: 0 }),
      io: { in8: () => 0xff, in16: () => 0xffff, in32: () => 0xffffffff, out8() {}, out16() {}, out32() {} },
      load: () => ({ ok: false, isImage: false, why: 'nothing' }),
    }
  }

  #call(nr: number, args: readonly number[]): number {
    const { host } = this.#host
    const { mem } = host.machine
    const box = this.mfns[BOX]! * PAGE_SIZE
    const word = (value: number): bigint => BigInt.asUintN(64, BigInt(Number.isFinite(value) ? Math.trunc(value) : 0))
    const put = (): void => {
      mem.write64(box + NR, word(nr))
      for (let i = 0; i < 5; i++) mem.write64(box + ARGS + 8 * i, word(args[i] ?? 0))
      const page =
        this.#rng.below(2) === 0 ? pageOf(this.#rng.below(HOSTILE_PAGES)) : WINDOWS + this.#rng.below(48) * PAGE_SIZE
      mem.write64(box + TOUCH, word(page))
      mem.write64(box + WANTED, ++this.#calls)
    }
    const over = (): boolean => this.domain.shuttingDown || mem.read64(box + DONE) === this.#calls
    // It may have given its letterbox away.
    if (host.xen.heap.frames.owner[this.mfns[BOX]!] !== this.domid) throw new Gone()
    put()
    if (!host.runUntil(over, PATIENCE_NS)) {
      const vcpu = this.domain.vcpus[0]!
      if (vcpu.pauseFlags & VPF_down) throw new Gone()
      // It sleeps: that was the call.
      host.inXen((xen) => vcpuUnblock(xen, vcpu))
      if (!host.runUntil(over, PATIENCE_NS)) throw new Gone()
    }
    if (this.domain.shuttingDown) throw new Gone()
    return Number(BigInt.asIntN(64, mem.read64(box + RESULT)))
  }
}
