/** What Xen does for and to a guest of machine code, beyond entries and page tables (testing/x86/): NMIs, failsafe, port I/O, MSRs, its context from outside. */
import { expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { R11, RAX, RBX, RCX, RDI, RDX, RSI, RSP } from '#abi/pc/ring3.ts'
import { CALLBACKOP_register, CALLBACKTYPE_sysenter } from '#abi/xen/callback.ts'
import {
  XEN_DOMCTL_getvcpucontext,
  XEN_DOMCTL_pausedomain,
  XEN_DOMCTL_setvcpucontext,
  XEN_DOMCTL_unpausedomain,
  xen_domctl_vcpucontext,
} from '#abi/xen/domctl.ts'
import { SHUTDOWN_poweroff } from '#abi/xen/sched.ts'
import { FLAT_KERNEL_CS, FLAT_USER_CS32, VCPUOP_send_nmi, vcpu_guest_context } from '#abi/xen/vcpu.ts'
import {
  __HYPERVISOR_callback_op,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_set_callbacks,
  __HYPERVISOR_stack_switch,
  __HYPERVISOR_vcpu_op,
  DOMID_SELF,
  MMUEXT_NEW_USER_BASEPTR,
} from '#abi/xen/xen.ts'
import { R12, R13, R14 } from '#testing/x86/assembler.ts'
import { X86Host } from '#testing/x86/dom0.ts'
import type { Kernel } from '#testing/x86/kernel.ts'
import { PFN, userVa, va } from '#testing/x86/layout.ts'
import { SmallGuest, type SmallGuestOptions } from '#testing/x86/small-guest.ts'
import { domctl, nothing, room } from '#testing/xen-builder.ts'

const x86 = new X86Host()
const run = (
  write: (kernel: Kernel, mfns: readonly number[]) => unknown,
  options: SmallGuestOptions = {},
): SmallGuest => new SmallGuest(x86, write, options).run()

const MASKS = 4
const SCRATCH = va(PFN.data)
const IN_AL_DX = 0xec
const IOPL_1 = 0x1202n
/** After a handler that was given an error code. */
const back = (k: Kernel): Kernel => k.pop(RCX).pop(R11).pop(RAX)

test('an NMI comes with events masked, and the next one after its iret', () => {
  const g = run((k) => {
    k.traps([2, MASKS, 'nmi']).set(R13, 0).set(R14, 0)
    k.hypercall(__HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 0, 0).save('sent', R13).powerOff()
    // The second is sent from within: it waits.
    k.label('nmi').aluImm('add', R13, 1).aluImm('cmp', R13, 2).jcc(4, 'second')
    k.load(RBX, RSP, 24).save('cs', RBX)
    k.hypercall(__HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 0, 0).mov(R14, R13).save('within', R14).pop(RCX).pop(R11).iret()
    k.label('second').pop(RCX).pop(R11).iret()
  })
  expect(g.ending).toBe(SHUTDOWN_poweroff)
  expect(g.results('sent', 'within', 'cs')).toEqual([2n, 1n, 0xe030n])
})

test('iret to a segment that is none ends in the failsafe callback, with the selectors', () => {
  const g = run((k) => {
    k.hypercall(__HYPERVISOR_set_callbacks, 0, 'failsafe', 0)
    // SS, RSP, RFLAGS, CS, RIP: a code segment beyond the end of its GDT.
    for (const word of [0xe02bn, SCRATCH + 0x800n, 0x202n, 0x30n, 0x1234n]) k.set(RAX, word).push(RAX)
    k.iret().label('failsafe').saveStack('frame', 11).powerOff()
  })
  const frame = g.stack('frame', 11)
  expect(g.ending).toBe(SHUTDOWN_poweroff)
  // RCX, R11, DS, ES, FS, GS, RIP, CS, RFLAGS, RSP, SS.
  expect(frame.slice(2)).toEqual([0n, 0n, 0n, 0n, 0x1234n, 0x30n, 0x202n, SCRATCH + 0x800n, 0xe02bn])
})

test('a port is #GP without IOPL; with it, and nothing behind it, all ones', () => {
  const write = (k: Kernel): void => {
    k.traps([13, 0, 'gp']).set(R13, 0).set(RDX, 0x80).set(RAX, 0x1100).label('in').bytes(IN_AL_DX)
    k.save('read').label('done').save('faults', R13).powerOff()
    back(k.label('gp').aluImm('add', R13, 1))
      .set(RAX, 'done')
      .store(RSP, 0, RAX)
      .iret()
  }
  const denied = run(write)
  expect(denied.result('faults')).toBe(1n)
  const allowed = run(write, { context: { rflags: IOPL_1 } })
  expect(allowed.results('faults', 'read')).toEqual([0n, 0x11ffn])
})

test('insb and outsw with rep: as many as RCX says, to where nothing is', () => {
  const g = run(
    (k) => {
      k.set(RDX, 0x80)
        .set(RCX, 5)
        .set(RDI, SCRATCH + 1n)
        .bytes(0xf3, 0x6c)
        .save('rcx', RCX)
        .save('rdi', RDI)
      k.set(RDX, 0x80)
        .set(RCX, 3)
        .set(RSI, SCRATCH + 64n)
        .bytes(0xfd, 0xf3, 0x66, 0x6f, 0xfc)
        .save('rsi', RSI)
      k.peek(SCRATCH).save('read').powerOff()
    },
    { context: { rflags: IOPL_1 } },
  )
  expect(g.results('rcx', 'rdi', 'rsi', 'read')).toEqual([0n, SCRATCH + 6n, SCRATCH + 58n, 0xffffffffff00n])
})

test('a 32-bit program is entered by iret; its int 0x80 comes by a gate of its own, which masks nothing', () => {
  const g = run(
    (k, mfns) => {
      k.poke(SCRATCH, MMUEXT_NEW_USER_BASEPTR).poke(SCRATCH + 8n, mfns[PFN.userL4]!)
      k.hypercall(__HYPERVISOR_mmuext_op, SCRATCH, 1, 0, DOMID_SELF).traps([0x80, MASKS, 'int80'])
      k.hypercall(__HYPERVISOR_stack_switch, 0, va(PFN.kernelStack + 1))
      for (const word of [0xe02b, userVa(PFN.userStack, 4096), 0x202, FLAT_USER_CS32, userVa(PFN.userCode)])
        k.set(RAX, word).push(RAX)
      k.iret().label('int80').mov(R12, RAX).saveStack('frame', 7).save('rax', R12)
      k.peek(va(PFN.sharedInfo)).save('masked').powerOff()
    },
    // mov $-1,%eax; inc %eax, which is REX in 64-bit mode; int $0x80.
    { user: (u) => u.bytes(0xb8, 0xff, 0xff, 0xff, 0xff, 0x40, 0xcd, 0x80) },
  )
  const [, , rip, cs, , sp, ss] = g.stack('frame', 7)
  expect([rip, cs, sp, ss]).toEqual([
    userVa(PFN.userCode) + 8n,
    BigInt(FLAT_USER_CS32),
    userVa(PFN.userStack, 4096),
    0xe02bn,
  ])
  expect([g.result('rax'), (g.result('masked') >> 8n) & 0xffn]).toEqual([0n, 0n])
})

test('cli and sti are ignored with IOPL, and #GP without', () => {
  const write = (k: Kernel): void => {
    k.traps([13, 0, 'gp']).set(R13, 0).bytes(0xfa).bytes(0xfb).label('done').save('faults', R13).powerOff()
    back(k.label('gp').aluImm('add', R13, 1))
      .set(RAX, 'done')
      .store(RSP, 0, RAX)
      .iret()
  }
  expect(run(write).result('faults')).toBe(1n)
  expect(run(write, { context: { rflags: IOPL_1 } }).result('faults')).toBe(0n)
})

test('wrmsr of 0x40000000 makes a hypercall page; an MSR that there is not is #GP', () => {
  const g = run((k, mfns) => {
    const address = BigInt(mfns[PFN.spare]! * 4096)
    k.traps([13, 0, 'gp'])
      .set(RCX, 0x40000000)
      .set(RAX, address & 0xffffffffn)
      .set(RDX, address >> 32n)
      .bytes(0x0f, 0x30)
    k.peek(va(PFN.spare, 17 * 32))
      .save('slot')
      .peek(va(PFN.spare, 23 * 32))
      .save('iret')
    k.set(RCX, 0xc0000080).bytes(0x0f, 0x32).save('efer').set(RCX, 0x123).bytes(0x0f, 0x32).powerOff()
    k.label('gp').load(R12, RSP, 16).save('code', R12).powerOff()
  })
  // push %rcx; push %r11; mov $17,%eax; and push %rax before the mov for iret.
  expect(g.results('slot', 'iret', 'efer')).toEqual(
    [(0x0f00000011b85341n << 8n) | 0x51n, (0x00000017b8505341n << 8n) | 0x51n, 0xd01n].map((word) =>
      BigInt.asUintN(64, word),
    ),
  )
  expect(g.result('code')).toBe(0n)
})

test('sysenter of its user mode comes by its own callback, without a way back', () => {
  const g = run(
    (k, mfns) => {
      k.poke(SCRATCH, MMUEXT_NEW_USER_BASEPTR).poke(SCRATCH + 8n, mfns[PFN.userL4]!)
      k.hypercall(__HYPERVISOR_mmuext_op, SCRATCH, 1, 0, DOMID_SELF)
      k.poke(SCRATCH, CALLBACKTYPE_sysenter).poke(SCRATCH + 8n, 'sysenter')
      k.hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, SCRATCH).save('registered')
      k.hypercall(__HYPERVISOR_stack_switch, 0, va(PFN.kernelStack + 1)).enterUser()
      k.label('sysenter').saveStack('frame', 7).powerOff()
    },
    { user: (u) => u.bytes(0x0f, 0x34) },
  )
  expect(g.result('registered')).toBe(0n)
  const [, , rip, cs, flags, sp, ss] = g.stack('frame', 7)
  expect([rip, cs, flags! & 0x200n, sp, ss]).toEqual([0n, 3n, 0x200n, 0n, 0xe02bn])
})

test('its context is what it is doing now, and can be set while it does not run', () => {
  const guest = new SmallGuest(x86, (k) => {
    k.set(R12, 0x1212).set(RSI, 0x5151).label('loop').aluImm('add', RSI, 0).jmp('loop')
    k.label('other').save('rbx', RBX).save('r13', R13).powerOff()
  })
  guest.start()
  x86.host.runFor(5e6)
  x86.ask((dom0) => {
    const at = room(dom0, 0)
    const say = { vcpu: 0, ctxt: at }
    expect(domctl(dom0, XEN_DOMCTL_pausedomain, guest.domid, nothing, {}).result).toBe(0)
    expect(domctl(dom0, XEN_DOMCTL_getvcpucontext, guest.domid, xen_domctl_vcpucontext, say).result).toBe(0)
    const context = vcpu_guest_context.read(dom0.vcpu.mem, at)
    const loop = Number(BigInt.asIntN(64, guest.kernel.addressOf('loop')))
    expect([context.r12, context.rsi, context.cs]).toEqual([0x1212n, 0x5151, FLAT_KERNEL_CS])
    expect(context.rip).toBeGreaterThanOrEqual(loop)
    expect(context.rip).toBeLessThan(loop + 16)
    expect(memOf(context.fpu_ctxt).read32(24)).toBe(0x1f80)
    const rip = Number(BigInt.asIntN(64, guest.kernel.addressOf('other')))
    vcpu_guest_context.write(dom0.vcpu.mem, at, { rip, rbx: 0x600dn, r13: 13n })
    expect(domctl(dom0, XEN_DOMCTL_setvcpucontext, guest.domid, xen_domctl_vcpucontext, say).result).toBe(0)
    domctl(dom0, XEN_DOMCTL_unpausedomain, guest.domid, nothing, {})
  })
  x86.host.runUntil(() => guest.domain.shuttingDown, 1e9)
  expect(guest.results('rbx', 'r13')).toEqual([0x600dn, 13n])
})
