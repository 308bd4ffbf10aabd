import { beforeAll, describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { trap_info } from '#abi/xen/arch-x86.ts'
import * as callback from '#abi/xen/callback.ts'
import { EFAULT, EINVAL, ENOSYS, EPERM } from '#abi/xen/errno.ts'
import { XENNMI_register_callback, XENNMI_unregister_callback, xennmi_callback } from '#abi/xen/nmi.ts'
import { SHUTDOWN_crash } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { VCPUOP_send_nmi, vcpu_guest_context } from '#abi/xen/vcpu.ts'
import * as x from '#abi/xen/xen.ts'
import { addDomain, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK, pte } from '#testing/xen-script.ts'
import { getInfoGuest } from '../arch-x86/guest-context.ts'
import type { Domain } from '../common/domain.ts'
import { domainKill } from '../common/domain-destroy.ts'
import { PGC_count_mask, PGT_count_mask, PGT_seg_desc_page, PGT_type_mask } from '../common/page-alloc.ts'
import { hypercall } from './index.ts'

const PAGES = 8
/** Pages of the test domain. */
const ARGS = TEST_BASE
const LIST = TEST_BASE + 1024
const TABLE = TEST_BASE + 4 * PAGE_SIZE
const NOWHERE = 0x1000
const HIGH = x.HYPERVISOR_VIRT_END

let host: TestHost
let next = 1
beforeAll(() => {
  host = scriptHost(function* () {
    yield BLOCK
  })
})

const domainWith = (events: string[] = []): Domain =>
  addDomain(
    host,
    next++,
    () => ({
      run: () => BLOCK,
      upcall: () => {
        events.push('upcall')
      },
      nmi: () => {
        events.push('nmi')
      },
    }),
    { pages: PAGES },
  )

function call(domain: Domain, nr: number, ...args: number[]): number {
  let result = 0
  host.inXen((xen) => {
    result = hypercall(xen, domain.vcpus[0]!, nr, args)
  })
  return result
}

/** What the tools see of the vCPU. */
const context = (domain: Domain) => vcpu_guest_context.read(memOf(getInfoGuest(domain.vcpus[0]!)), 0)
const mfnOf = (domain: Domain, page: number): number => domain.pageMap.lookup(TEST_BASE / PAGE_SIZE + page) >>> 2
const typeOf = (mfn: number): readonly [number, number, number] => {
  const { typeInfo, countInfo } = host.xen.heap.frames
  const info = typeInfo[mfn]!
  return [(info & PGT_type_mask) >>> 0, info & PGT_count_mask, countInfo[mfn]! & PGC_count_mask]
}
const update = (domain: Domain, va: number, entry: number): number =>
  call(domain, x.__HYPERVISOR_update_va_mapping, va, entry, 0)

describe('the virtual IDT', () => {
  const trap = (domain: Domain, vector: number) =>
    trap_info.read(memOf(context(domain).trap_ctxt), vector * trap_info.size)

  test('takes entries up to one without an address, and is cleared by no list', () => {
    const domain = domainWith()
    const { mem } = domain
    mem.fill(LIST, 64, 0)
    trap_info.write(mem, LIST, { vector: 14, flags: 4, cs: 0xe030, address: -0x7fff0000 })
    trap_info.write(mem, LIST + 16, { vector: 0x80, flags: 3, cs: 0x10, address: 0x1234 })
    expect(call(domain, x.__HYPERVISOR_set_trap_table, LIST)).toBe(0)
    expect(trap(domain, 14)).toEqual({ vector: 14, flags: 4, cs: 0xe033, address: -0x7fff0000 })
    expect(trap(domain, 0x80)).toEqual({ vector: 0x80, flags: 3, cs: 0x13, address: 0x1234 })
    // What was taken before the list ended in nothing stays.
    trap_info.write(mem, TEST_BASE + PAGES * PAGE_SIZE - 16, { vector: 3, flags: 0, cs: 0xe033, address: 77 })
    expect(call(domain, x.__HYPERVISOR_set_trap_table, TEST_BASE + PAGES * PAGE_SIZE - 16)).toBe(-EFAULT)
    expect(trap(domain, 3).address).toBe(77)
    expect(call(domain, x.__HYPERVISOR_set_trap_table, 0)).toBe(0)
    expect(context(domain).trap_ctxt.every((byte) => byte === 0)).toBe(true)
  })
})

describe('callbacks', () => {
  const register = (domain: Domain, type: number, address: number, flags = 0): number => {
    callback.callback_register.write(domain.mem, ARGS, { type, flags, address })
    return call(domain, x.__HYPERVISOR_callback_op, callback.CALLBACKOP_register, ARGS)
  }

  test('are kept, with their masks', () => {
    const domain = domainWith()
    const [vcpu] = domain.vcpus
    expect(register(domain, callback.CALLBACKTYPE_event, -4096)).toBe(0)
    expect(register(domain, callback.CALLBACKTYPE_failsafe, -8192, callback.CALLBACKF_mask_events)).toBe(0)
    expect(register(domain, callback.CALLBACKTYPE_syscall, -12288, callback.CALLBACKF_mask_events)).toBe(0)
    expect(register(domain, callback.CALLBACKTYPE_syscall32, -100, callback.CALLBACKF_mask_events)).toBe(0)
    expect(register(domain, callback.CALLBACKTYPE_sysenter, -200)).toBe(0)
    expect(context(domain)).toMatchObject({
      event_callback_eip: -4096,
      failsafe_callback_eip: -8192,
      syscall_callback_eip: -12288,
    })
    expect(Number(context(domain).flags) & 0x18).toBe(0x18)
    expect(vcpu!.callbacks32).toMatchObject({ syscall: -100, syscallMasks: true, sysenter: -200, sysenterMasks: false })
    expect(call(domain, x.__HYPERVISOR_set_callbacks, -1, 2 ** 50, -3)).toBe(0)
    // What is no address is passed over, silently.
    expect(context(domain)).toMatchObject({
      event_callback_eip: -1,
      failsafe_callback_eip: -8192,
      syscall_callback_eip: -3,
    })
    expect(Number(context(domain).flags) & 0x18).toBe(0x08)
  })

  test.each<[string, (domain: Domain) => number, number]>([
    ['no address', (d) => register(d, callback.CALLBACKTYPE_event, 2 ** 47), -EINVAL],
    ['no address, of no type', (d) => register(d, 6, 2 ** 47), -EINVAL],
    ['of no type', (d) => register(d, 6, 0), -ENOSYS],
    ['sysenter as it was', (d) => register(d, callback.CALLBACKTYPE_sysenter_deprecated, 0), -ENOSYS],
    ['nowhere', (d) => call(d, x.__HYPERVISOR_callback_op, callback.CALLBACKOP_register, NOWHERE), -EFAULT],
    ['no command', (d) => call(d, x.__HYPERVISOR_callback_op, 2, ARGS), -ENOSYS],
    ...[0, 1, 2, 5, 7].map((type): [string, (domain: Domain) => number, number] => [
      `unregister ${type}`,
      (d) => {
        callback.callback_unregister.write(d.mem, ARGS, { type })
        return call(d, x.__HYPERVISOR_callback_op, callback.CALLBACKOP_unregister, ARGS)
      },
      -EINVAL,
    ]),
    ['nmi_op: nowhere', (d) => call(d, x.__HYPERVISOR_nmi_op, XENNMI_register_callback, NOWHERE), -EFAULT],
    ['nmi_op: no command', (d) => call(d, x.__HYPERVISOR_nmi_op, 2, ARGS), -ENOSYS],
    ['send_nmi with an argument', (d) => call(d, x.__HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 0, ARGS), -EINVAL],
  ])('%s', (_name, run, result) => {
    expect(run(domainWith())).toBe(result)
  })

  test('an NMI is delivered once to who has registered for it, even with events masked', () => {
    const events: string[] = []
    const domain = domainWith(events)
    const nmi = (): void => {
      expect(call(domain, x.__HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 0, 0)).toBe(0)
      host.runFor(1e6)
    }
    host.runFor(1e6)
    nmi()
    expect(events).toEqual([])
    xennmi_callback.write(domain.mem, ARGS, { handler_address: -4096 })
    expect(call(domain, x.__HYPERVISOR_nmi_op, XENNMI_register_callback, ARGS)).toBe(0)
    expect(trap_info.read(memOf(context(domain).trap_ctxt), 2 * trap_info.size)).toEqual({
      vector: 2,
      flags: 4,
      cs: 0xe033,
      address: -4096,
    })
    const mask = host.xen.mem.read8(domain.vcpus[0]!.infoAt + 1)
    nmi()
    nmi()
    expect(events).toEqual(['nmi', 'nmi'])
    expect(host.xen.mem.read8(domain.vcpus[0]!.infoAt + 1)).toBe(mask)
    expect(call(domain, x.__HYPERVISOR_nmi_op, XENNMI_unregister_callback, 0)).toBe(0)
    nmi()
    expect(events).toEqual(['nmi', 'nmi'])
  })
})

describe('registers', () => {
  test('the kernel’s stack, CR0.TS, segment bases', () => {
    const domain = domainWith()
    expect(call(domain, x.__HYPERVISOR_stack_switch, 0xe028, -16)).toBe(0)
    expect(call(domain, x.__HYPERVISOR_fpu_taskswitch, 1)).toBe(0)
    expect(call(domain, x.__HYPERVISOR_set_segment_base, 0, 4096)).toBe(0)
    expect(call(domain, x.__HYPERVISOR_set_segment_base, 1, -4096)).toBe(0)
    expect(call(domain, x.__HYPERVISOR_set_segment_base, 2, 2 ** 46)).toBe(0)
    expect(context(domain)).toMatchObject({
      kernel_ss: 0xe02bn,
      kernel_sp: -16,
      ctrlreg0: 0x8005003bn,
      fs_base: 4096,
      gs_base_user: -4096,
      gs_base_kernel: 2 ** 46,
    })
    expect(call(domain, x.__HYPERVISOR_fpu_taskswitch, 0)).toBe(0)
    expect(context(domain).ctrlreg0).toBe(0x80050033n)
    expect([
      call(domain, x.__HYPERVISOR_set_segment_base, 0, 2 ** 47),
      call(domain, x.__HYPERVISOR_set_segment_base, 4, 0),
    ]).toEqual([-EFAULT, -EINVAL])
  })

  test.each<[number, number]>([
    [0xe02b, 0xe02b],
    [0xe033, 0xe033],
    [0, 0],
    [3, 3],
    // A ring that is not allowed to, one of Xen's that is none, the guest's own GDT, which it has not, and its LDT.
    [0xe013, 0],
    [0xe018, 0],
    [0x13, 0],
    [0x17, 0],
  ])('user gs %s', (selector, taken) => {
    const domain = domainWith()
    expect(call(domain, x.__HYPERVISOR_set_segment_base, 3, selector)).toBe(0)
    expect([domain.vcpus[0]!.gsUserSelector, context(domain).gs]).toEqual([taken, taken])
  })

  test.each<[number, number, number, number]>([
    // Register, value, what setting says, what is read then.
    [0, 0x1000, 0, 0x1000],
    [3, -0x1000, 0, -0x1000],
    [1, x.HYPERVISOR_VIRT_START, -EPERM, 0],
    [2, HIGH, 0, HIGH],
    [4, 1, -EINVAL, 0],
    [5, 1, -EINVAL, 0],
    [6, 0x1001, 0, 0xffff0ff1],
    [7, 0x55 * 2 ** 16 + 0xf801, -EPERM, 0],
    [7, 0xd801, 0, 0x401],
    // A breakpoint at an I/O port, without CR4.DE.
    [7, 0x20001, -EPERM, 0],
    [8, 0, -EINVAL, -EINVAL],
    [-1, 0, -EINVAL, -EINVAL],
  ])('debug register %s := %s', (reg, value, result, read) => {
    const domain = domainWith()
    expect(call(domain, x.__HYPERVISOR_set_debugreg, reg, value)).toBe(result)
    expect(call(domain, x.__HYPERVISOR_get_debugreg, reg)).toBe(read)
  })

  test('iret: there is no stack to return by', () => {
    const domain = domainWith()
    expect(call(domain, x.__HYPERVISOR_iret)).toBe(-EFAULT)
    expect([domain.shuttingDown, domain.shutdownCode]).toEqual([true, SHUTDOWN_crash])
    host.runFor(1e9)
    expect(host.serial).toContain('Fault while reading IRET context from guest stack')
  })
})

describe('descriptor tables', () => {
  /** Page 4 mapped read-only, with `descriptors` in it. */
  function withTable(...descriptors: readonly (readonly [number, number])[]): { domain: Domain; mfn: number } {
    const domain = domainWith()
    const mfn = mfnOf(domain, 4)
    domain.mem.fill(TABLE, PAGE_SIZE, 0)
    for (const [i, [low, high]] of descriptors.entries()) {
      domain.mem.write32(TABLE + 8 * i, low)
      domain.mem.write32(TABLE + 8 * i + 4, high)
    }
    expect(update(domain, TABLE, pte(mfn, false))).toBe(0)
    domain.mem.write64(LIST, BigInt(mfn))
    return { domain, mfn }
  }
  const CODE = [0xffff, 0x00af9b00] as const

  test('a GDT’s frames have a type of their own as long as it is used', () => {
    const { domain, mfn } = withTable([0, 0], CODE)
    expect(call(domain, x.__HYPERVISOR_set_gdt, LIST, 512)).toBe(0)
    expect(typeOf(mfn)).toEqual([PGT_seg_desc_page, 1, 3])
    // The kernel's ring is 3.
    expect(domain.mem.read32(TABLE + 12)).toBe(0x00affb00)
    expect(memOf(context(domain).gdt_frames).read64(0)).toBe(BigInt(mfn))
    expect(context(domain).gdt_ents).toBe(512n)
    expect(update(domain, TABLE + PAGE_SIZE, pte(mfn))).toBe(-EINVAL)
    expect(call(domain, x.__HYPERVISOR_set_segment_base, 3, 0xb)).toBe(0)
    expect(domain.vcpus[0]!.gsUserSelector).toBe(0xb)
    // Another in its place, the same again, then none.
    domain.mem.write64(LIST + 8, BigInt(mfn))
    expect(call(domain, x.__HYPERVISOR_set_gdt, LIST, 513)).toBe(0)
    expect(typeOf(mfn)).toEqual([PGT_seg_desc_page, 2, 4])
    expect(call(domain, x.__HYPERVISOR_set_gdt, LIST, 0)).toBe(0)
    expect(typeOf(mfn)[1]).toBe(0)
    expect(typeOf(mfn)[2]).toBe(2)
    expect(update(domain, TABLE, pte(mfn))).toBe(0)
  })

  test('a domain gives its tables back when it dies', () => {
    const { domain } = withTable([0, 0], CODE)
    expect(call(domain, x.__HYPERVISOR_set_gdt, LIST, 512)).toBe(0)
    domain.mem.write32(ARGS, x.MMUEXT_SET_LDT)
    domain.mem.write64(ARGS + 8, BigInt.asUintN(64, BigInt(TABLE)))
    domain.mem.write64(ARGS + 16, 512n)
    expect(call(domain, x.__HYPERVISOR_mmuext_op, ARGS, 1, 0, x.DOMID_SELF)).toBe(0)
    host.inXen((xen) => domainKill(xen, xen.domains.get(0)!, domain))
    expect(host.xen.domains.has(domain.id)).toBe(false)
  })

  test.each<[string, (domain: Domain) => number, number]>([
    ['too many', (d) => call(d, x.__HYPERVISOR_set_gdt, LIST, 7169), -EINVAL],
    ['list nowhere', (d) => call(d, x.__HYPERVISOR_set_gdt, NOWHERE, 1), -EFAULT],
    ['a writable frame', (d) => gdtOf(d, mfnOf(d, 5)), -EINVAL],
    ['a frame of dom0’s', (d) => gdtOf(d, host.xen.domains.get(0)!.root), -EINVAL],
    ['no frame', (d) => gdtOf(d, 2 ** 40), -EINVAL],
  ])('set_gdt: %s', (_name, run, result) => {
    expect(run(domainWith())).toBe(result)
  })
  function gdtOf(domain: Domain, mfn: number): number {
    domain.mem.write64(LIST, BigInt(mfn))
    return call(domain, x.__HYPERVISOR_set_gdt, LIST, 1)
  }

  test('a second frame that will not do: the first is given back', () => {
    const { domain, mfn } = withTable()
    domain.mem.write64(LIST + 8, BigInt(mfnOf(domain, 5)))
    expect(call(domain, x.__HYPERVISOR_set_gdt, LIST, 1024)).toBe(-EINVAL)
    expect(typeOf(mfn).slice(1)).toEqual([0, 2])
    expect(domain.vcpus[0]!.gdtFrames).toEqual([])
  })

  /** By multicall, which hands all 64 bits over. */
  function setDescriptor(domain: Domain, maddr: number, low: number, high: number): number {
    const { mem } = domain
    mem.fill(ARGS, 64, 0)
    mem.write64(ARGS, BigInt(x.__HYPERVISOR_update_descriptor))
    mem.write64(ARGS + 16, BigInt(maddr))
    mem.write32(ARGS + 24, low)
    mem.write32(ARGS + 28, high)
    expect(call(domain, x.__HYPERVISOR_multicall, ARGS, 1)).toBe(0)
    return mem.read32(ARGS + 8) | 0
  }

  test.each<[string, number, number, number, number?, number?]>([
    // Name, halves, result, and what is there then if it is something else.
    ['64-bit code', 0xffff, 0x00af9b00, 0, 0xffff, 0x00affb00],
    ['data of ring 3', 0xffff, 0x00cff300, 0],
    ['not present, whatever it is', 0xdeadbeef, 0x00cf1234 & ~0x8000, 0],
    ['nothing', 0, 0, 0],
    ['the second half of a gate', 0x12345678, 0x8000, 0, 0x12345678, 0xe000],
    ['a call gate to the guest’s own code', 0x00080000, 0x12348c00, 0, 0x000b0000, 0x12348c00],
    ['a call gate to Xen’s code', 0xe0080000, 0x12348c00, -EINVAL],
    ['a call gate to the flat kernel segment', 0xe0330000, 0x12348c00, 0],
    ['a call gate with a count', 0x00080000, 0x12348c01, -EINVAL],
    ['a task', 0x67, 0x00008900, -EINVAL],
    ['an interrupt gate', 0x00080000, 0x00008e00, -EINVAL],
  ])('update_descriptor: %s', (_name, low, high, result, lowThen = low, highThen = high) => {
    const { domain, mfn } = withTable(CODE)
    expect(call(domain, x.__HYPERVISOR_set_gdt, LIST, 512)).toBe(0)
    expect(setDescriptor(domain, mfn * PAGE_SIZE + 8, low, high)).toBe(result)
    const there = [domain.mem.read32(TABLE + 8), domain.mem.read32(TABLE + 12)]
    expect(there).toEqual(result === 0 ? [lowThen >>> 0, highThen >>> 0] : [0, 0])
  })

  test('update_descriptor: only of frames of its own that can be written, at whole descriptors', () => {
    const { domain, mfn } = withTable()
    const at = (maddr: number): number => setDescriptor(domain, maddr, 0, 0)
    const dom0 = host.xen.domains.get(0)!.root * PAGE_SIZE
    const results = [at(mfn * PAGE_SIZE + 4), at(dom0), at(2 ** 50), at(mfnOf(domain, 5) * PAGE_SIZE)]
    expect(results).toEqual([-EINVAL, -EINVAL, -EINVAL, 0])
    // In one number, as far as it holds it.
    expect(call(domain, x.__HYPERVISOR_update_descriptor, mfnOf(domain, 5) * PAGE_SIZE + 8, 0x12345678)).toBe(0)
    expect(domain.mem.read32(TABLE + PAGE_SIZE + 8)).toBe(0x12345678)
  })

  test('an LDT holds its first frame until its page is mapped elsewhere', () => {
    const { domain, mfn } = withTable([0, 0], [0xffff, 0x00cff300])
    const setLdt = (base: number, entries: number): number => {
      domain.mem.write32(ARGS, x.MMUEXT_SET_LDT)
      domain.mem.write64(ARGS + 8, BigInt.asUintN(64, BigInt(base)))
      domain.mem.write64(ARGS + 16, BigInt(entries))
      return call(domain, x.__HYPERVISOR_mmuext_op, ARGS, 1, 0, x.DOMID_SELF)
    }
    expect(setLdt(TABLE, 2)).toBe(0)
    expect(typeOf(mfn)).toEqual([PGT_seg_desc_page, 1, 3])
    expect(context(domain)).toMatchObject({ ldt_base: TABLE, ldt_ents: 2n })
    expect(call(domain, x.__HYPERVISOR_set_segment_base, 3, 0xf)).toBe(0)
    expect(domain.vcpus[0]!.gsUserSelector).toBe(0xf)
    expect(update(domain, TABLE, 0)).toBe(0)
    expect(typeOf(mfn)).toEqual([PGT_seg_desc_page, 0, 1])
    // A selector of a table that is not there is none.
    expect(call(domain, x.__HYPERVISOR_set_segment_base, 3, 0xf)).toBe(0)
    expect(domain.vcpus[0]!.gsUserSelector).toBe(0)
    // A page that can be written holds none, but nobody asks before a selector is loaded.
    expect(setLdt(TABLE + PAGE_SIZE, 2)).toBe(0)
    expect(domain.vcpus[0]!.ldtFrames).toEqual([])
    expect([setLdt(TABLE + 8, 2), setLdt(TABLE, 8193), setLdt(x.HYPERVISOR_VIRT_START, 1), setLdt(0, 0)]).toEqual([
      -EINVAL,
      -EINVAL,
      -EINVAL,
      0,
    ])
  })
})
