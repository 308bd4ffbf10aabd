/** How an x86 guest enters Xen and is entered by it: hypercalls, bounce frames, iret, user mode, events (hypercall-abi.md 6 and 7; entry.S of 3.3). */
import { describe, expect, test } from 'vitest'
import { R8, R11, RAX, RCX, RDI, RDX, RSI, RSP } from '#abi/pc/ring3.ts'
import { XEN_DOMCTL_hypercall_init, xen_domctl_hypercall_init } from '#abi/xen/domctl.ts'
import { ENOSYS } from '#abi/xen/errno.ts'
import { EVTCHNOP_bind_ipi, EVTCHNOP_send } from '#abi/xen/event_channel.ts'
import { PHYSDEVOP_set_iopl } from '#abi/xen/physdev.ts'
import { SHUTDOWN_crash, SHUTDOWN_poweroff } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_fpu_taskswitch,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_physdev_op,
  __HYPERVISOR_set_callbacks,
  __HYPERVISOR_set_segment_base,
  __HYPERVISOR_stack_switch,
  __HYPERVISOR_xen_version,
  DOMID_SELF,
  MMUEXT_NEW_USER_BASEPTR,
} from '#abi/xen/xen.ts'
import { domctl } from '../xen-builder.ts'
import { type Assembler, CC, R12, R13, R14 } from './assembler.ts'
import { X86Host } from './dom0.ts'
import { FLAT_USER_CS64, FLAT_USER_SS, type Kernel } from './kernel.ts'
import { PFN, userVa, va } from './layout.ts'
import { SmallGuest, type SmallGuestOptions } from './small-guest.ts'

const x86 = new X86Host()
const run = (
  write: (kernel: Kernel, mfns: readonly number[]) => unknown,
  options: SmallGuestOptions = {},
): SmallGuest => new SmallGuest(x86, write, options).run()

const KERNEL_CS = 0xe030n
const KERNEL_SS = 0xe02bn
const MASKS = 4
const IF = 0x200n
/** Faults push it. */
const RF = 0x10000n
const ZERO_FLAGS = 0x46n
const SCRATCH = va(PFN.data)
const PENDING = va(PFN.sharedInfo)
const MASK = va(PFN.sharedInfo, 1)
const CR2 = va(PFN.sharedInfo, 16)

/** Its user mode is what runs next, with a root of its own. */
const withUserRoot = (k: Kernel, mfns: readonly number[]): Kernel =>
  k
    .poke(SCRATCH, MMUEXT_NEW_USER_BASEPTR)
    .poke(SCRATCH + 8n, mfns[PFN.userL4]!)
    .hypercall(__HYPERVISOR_mmuext_op, SCRATCH, 1, 0, DOMID_SELF)
    .save('baseptr')

/** Flags as xor leaves them. */
const zero = (k: Assembler, reg: number): Assembler => k.alu('xor', reg, reg)

describe('hypercalls', () => {
  test('by syscall: result in RAX, arguments and the others as they were, RCX and R11 gone', () => {
    const g = run((k) =>
      k
        .set(R8, 0x1234)
        .set(R14, 0x55)
        .hypercall(__HYPERVISOR_xen_version, 0)
        .save('version')
        .save('r8', R8)
        .save('r14', R14)
        .save('rdi', RDI)
        .hypercall(60)
        .save('none')
        .hypercall(__HYPERVISOR_mmuext_op, 0x1000, 1, 0, DOMID_SELF)
        .save('fault')
        .powerOff(),
    )
    expect(g.ending).toBe(SHUTDOWN_poweroff)
    expect(g.results('version', 'r8', 'r14', 'rdi')).toEqual([0x30003n, 0x1234n, 0x55n, 0n])
    expect(BigInt.asIntN(64, g.result('none'))).toBe(BigInt(-ENOSYS))
    expect(BigInt.asIntN(64, g.result('fault'))).toBeLessThan(0n)
  })

  test('by the hypercall page that its builder asked for', () => {
    const page = va(PFN.spare)
    const guest = new SmallGuest(x86, (k) =>
      k
        .set(RDI, 0)
        .set(R12, page + BigInt(__HYPERVISOR_xen_version * 32))
        .set(RCX, 0xc1)
        .set(R11, 0x11)
        .callReg(R12)
        .mov(R13, RCX)
        .mov(R14, R11)
        .save('version')
        .save('rcx', R13)
        .save('r11', R14)
        .powerOff(),
    )
    x86.ask((dom0) =>
      domctl(dom0, XEN_DOMCTL_hypercall_init, guest.domid, xen_domctl_hypercall_init, {
        gmfn: BigInt(guest.mfns[PFN.spare]!),
      }),
    )
    guest.run()
    expect(guest.results('version', 'rcx', 'r11')).toEqual([0x30003n, 0xc1n, 0x11n])
  })
})

describe('bounce frames', () => {
  test('of a fault without an error code, in kernel mode, to the byte', () => {
    const sp = va(PFN.stack + 1) - 0x28n
    const g = run((k) => {
      k.traps([6, 0, 'ud']).set(RSP, sp).set(RCX, 0xcccc).set(R11, 0x1111)
      zero(k, RAX)
      k.label('fault').ud2().save('rsp', RSP).powerOff()
      k.label('ud').mov(R13, RSP).saveStack('frame', 7).save('sp', R13).pop(RCX).pop(R11).addTop(2).iret()
    })
    const top = (sp & ~15n) - 56n
    expect(g.ending).toBe(SHUTDOWN_poweroff)
    expect(g.stack('frame', 7)).toEqual([
      0xccccn,
      0x1111n,
      g.kernel.addressOf('fault'),
      KERNEL_CS,
      ZERO_FLAGS | IF | RF,
      sp,
      KERNEL_SS,
    ])
    expect(g.results('sp', 'rsp')).toEqual([top, sp])
  })

  test('with an error code, events masked before, and masked by the entry', () => {
    const g = run((k) => {
      k.traps([13, MASKS, 'gp'])
        .set(RDX, MASK)
        .set(RAX, 1)
        .store8(RDX, 0, RAX)
        .set(R12, 1n << 62n)
      zero(k, RAX)
      // No canonical address.
      k.label('fault').load(RAX, R12, 0)
      k.powerOff().label('gp').saveStack('frame', 8).powerOff()
    })
    const [, , code, rip, cs, flags] = g.stack('frame', 8)
    expect([code, cs, flags]).toEqual([0n, KERNEL_CS | (1n << 32n), ZERO_FLAGS | RF])
    expect(rip).toBe(g.kernel.addressOf('fault'))
  })

  test('a page fault tells its address in vcpu_info and a code without the user bit', () => {
    const g = run((k) => {
      k.traps([14, MASKS, 'pf']).set(R12, 0x7f0012345678n).label('fault').load(RAX, R12, 0).powerOff()
      k.label('pf').saveStack('frame', 8).peek(CR2).save('cr2').peek(PENDING).save('mask').powerOff()
    })
    const [, , code, rip, cs] = g.stack('frame', 8)
    expect([code, cs]).toEqual([0n, KERNEL_CS])
    expect(rip).toBe(g.kernel.addressOf('fault'))
    expect(g.result('cr2')).toBe(0x7f0012345678n)
    expect((g.result('mask') >> 8n) & 0xffn).toBe(1n)
  })

  test('int n: by its DPL, or #GP with the vector', () => {
    const g = run((k) => {
      k.traps([0x80, 3, 'soft'], [0x81, 0, 'never'], [3, 1, 'soft'], [13, 0, 'gp'])
      k.set(R12, 0).int(0x80).label('after80').int(0x81).label('after81').bytes(0xcc).label('afterBreak')
      k.save('count', R12).powerOff()
      k.label('soft').aluImm('add', R12, 1).load(R13, RSP, 16).pop(RCX).pop(R11).iret()
      k.label('never').ud2()
      k.label('gp').saveStack('gp', 4).pop(RCX).pop(R11).pop(RAX).addTop(2).iret()
    })
    expect(g.ending).toBe(SHUTDOWN_poweroff)
    expect(g.result('count')).toBe(2n)
    expect(g.stack('gp', 4).slice(2)).toEqual([0x81n * 8n + 2n, g.kernel.addressOf('after80')])
  })

  test('#NM only while CR0.TS is set, and its delivery clears it', () => {
    const g = run((k) => {
      k.traps([7, 0, 'nm']).set(R12, 0)
      const fpu = (): Kernel => k.bytes(0xd9, 0xee, 0xdd, 0xd8)
      fpu()
      k.save('fresh', R12).hypercall(__HYPERVISOR_fpu_taskswitch, 1)
      fpu()
      k.save('set', R12)
      fpu()
      k.save('again', R12).hypercall(__HYPERVISOR_fpu_taskswitch, 1).hypercall(__HYPERVISOR_fpu_taskswitch, 0)
      fpu()
      k.save('cleared', R12).powerOff()
      k.label('nm').aluImm('add', R12, 1).pop(RCX).pop(R11).iret()
    })
    expect(g.results('fresh', 'set', 'again', 'cleared')).toEqual([0n, 1n, 1n, 1n])
  })
})

describe('user mode', () => {
  test('is entered by iret, has its own root, and comes back by syscall on the kernel stack', () => {
    const g = run(
      (k, mfns) => {
        withUserRoot(k, mfns)
        k.hypercall(__HYPERVISOR_set_callbacks, 0, 0, 'syscall').save('callbacks')
        k.hypercall(__HYPERVISOR_stack_switch, 0, va(PFN.kernelStack + 1)).enterUser(0x246)
        k.label('syscall').mov(R13, RSP).saveStack('frame', 7).save('sp', R13).save('nr', RAX)
        k.peek(va(PFN.userData)).save('said').powerOff()
      },
      {
        user: (u) =>
          zero(u.set(R12, userVa(PFN.userData)).set(RAX, 0x600d).store(R12, 0, RAX).set(RAX, 77), RDI)
            .syscall()
            .label('after'),
      },
    )
    expect(g.results('baseptr', 'callbacks')).toEqual([0n, 0n])
    const after = g.user!.addressOf('after')
    expect(g.stack('frame', 7)).toEqual([
      after,
      ZERO_FLAGS | IF,
      after,
      BigInt(FLAT_USER_CS64),
      ZERO_FLAGS | IF,
      userVa(PFN.userStack, PAGE_SIZE),
      BigInt(FLAT_USER_SS),
    ])
    expect(g.results('sp', 'nr', 'said')).toEqual([va(PFN.kernelStack + 1) - 56n, 77n, 0x600dn])
  })

  test('does not see the kernel: a page fault with the user bit', () => {
    const g = run(
      (k, mfns) => {
        withUserRoot(k, mfns)
        k.traps([14, 0, 'pf'])
          .hypercall(__HYPERVISOR_stack_switch, 0, va(PFN.kernelStack + 1))
          .enterUser()
        k.label('pf').saveStack('frame', 8).peek(CR2).save('cr2').powerOff()
      },
      { user: (u) => u.set(R12, va(PFN.data)).label('touch').store(R12, 0, RAX) },
    )
    const [, , code, rip, cs] = g.stack('frame', 8)
    expect([code, rip, cs]).toEqual([6n, g.user!.addressOf('touch'), BigInt(FLAT_USER_CS64)])
    expect(g.result('cr2')).toBe(va(PFN.data))
  })

  test('without a root of its own the domain crashes', () => {
    const g = run((k) => k.enterUser())
    expect(g.ending).toBe(SHUTDOWN_crash)
    expect(x86.host.xen.domains.get(0)!.shuttingDown).toBe(false)
  })

  test("hypercalls are the kernel's: its syscall is the kernel's business, what needs CPL 0 is #GP", () => {
    const g = run(
      (k, mfns) => {
        withUserRoot(k, mfns)
        k.traps([13, 0, 'gp'])
          .hypercall(__HYPERVISOR_stack_switch, 0, va(PFN.kernelStack + 1))
          .enterUser()
        k.label('gp').saveStack('frame', 8).powerOff()
      },
      { user: (u) => u.label('hlt').bytes(0xf4) },
    )
    const [, , code, rip, cs] = g.stack('frame', 8)
    expect([code, rip, cs]).toEqual([0n, g.user!.addressOf('hlt'), BigInt(FLAT_USER_CS64)])
  })
})

describe('events', () => {
  const send = (k: Kernel): Kernel => k.hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, SCRATCH)

  test('the callback comes when unmasked, with events masked, and again when the handler unmasks', () => {
    const g = run((k) => {
      k.hypercall(__HYPERVISOR_set_callbacks, 'event', 0, 0).set(R12, 0).set(R13, 0)
      k.poke(SCRATCH, 0).hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, SCRATCH).save('bound')
      k.peek(SCRATCH).shr(RAX, 32).save('port').set(RCX, SCRATCH).store(RCX, 0, RAX)
      // Masked: it waits.
      k.set(RDX, MASK).set(RAX, 1).store8(RDX, 0, RAX)
      send(k).save('masked', R12)
      // Unmasked in memory: the next entry to Xen brings it.
      k.set(RDX, MASK).set(RAX, 0).store8(RDX, 0, RAX).save('still', R12)
      k.hypercall(__HYPERVISOR_xen_version, 0).save('came', R12).save('depth', R13).powerOff()
      k.label('event').aluImm('add', R12, 1).aluImm('cmp', R12, 1).jcc(CC.ne, 'nested')
      k.mov(R14, RSP).saveStack('frame', 7).peek(PENDING).save('inside')
      // Taken, cleared, and another one sent: it comes at once when this one unmasks.
      k.poke(PENDING, 0x100).poke(va(PFN.sharedInfo, 8), 0).poke(va(PFN.sharedInfo, 2048), 0)
      send(k).save('before', R12).set(RDX, MASK).set(RAX, 0).store8(RDX, 0, RAX)
      k.hypercall(__HYPERVISOR_xen_version, 0).mov(R13, R12).jmp('back')
      k.label('nested').poke(PENDING, 0x100).poke(va(PFN.sharedInfo, 8), 0).poke(va(PFN.sharedInfo, 2048), 0)
      k.label('back').pop(RCX).pop(R11).iret()
    })
    expect(g.ending).toBe(SHUTDOWN_poweroff)
    expect(g.results('bound', 'masked', 'still', 'before', 'depth', 'came')).toEqual([0n, 0n, 0n, 1n, 2n, 2n])
    const [, , , cs, flags] = g.stack('frame', 7)
    expect([cs, flags! & IF]).toEqual([KERNEL_CS, IF])
    expect(g.result('inside') & 0xffffn).toBe(0x101n)
  })

  test('iret says by IF whether they are masked', () => {
    const g = run((k) => {
      const leave = (flags: number, to: string): Kernel => {
        for (const word of [0xe02b, va(PFN.stack + 1), flags, 0xe030, to]) k.set(RAX, word).push(RAX)
        return k.iret().label(to).peek(PENDING).save(to)
      }
      leave(2, 'off')
      leave(0x202, 'on').powerOff()
    })
    expect(g.results('off', 'on').map((word) => (word >> 8n) & 0xffn)).toEqual([1n, 0n])
  })
})

describe('what Xen does for its kernel', () => {
  test("CPUID with the forced-emulation prefix is filtered and has Xen's leaves; without it is the processor's own", () => {
    const g = run((k) => {
      const leaf = (number: number, forced: boolean, name: string): void => {
        k.set(RAX, number).set(RCX, 0)
        if (forced) k.bytes(0x0f, 0x0b, 0x78, 0x65, 0x6e)
        k.cpuid().mov(R12, RAX).mov(R13, 3).mov(R14, RCX).mov(R8, RDX)
        k.save(`${name}.a`, R12).save(`${name}.b`, R13).save(`${name}.c`, R14).save(`${name}.d`, R8)
      }
      leaf(0x40000000, true, 'xen')
      leaf(1, true, 'forced')
      leaf(1, false, 'real')
      k.powerOff()
    })
    expect(g.results('xen.b', 'xen.c', 'xen.d')).toEqual([0x566e6558n, 0x65584d4dn, 0x4d4d566en])
    const MCE = 1n << 7n
    expect([g.result('forced.d') & MCE, g.result('real.d') & MCE]).toEqual([0n, MCE])
    expect(g.result('forced.a')).toBe(g.result('real.a'))
  })

  test('wrmsr and set_segment_base set FS and GS; rdmsr reads them', () => {
    const FS_BASE = 0xc0000100
    const GS_BASE = 0xc0000101
    const g = run((k) => {
      const at = va(PFN.data, 256)
      k.poke(at, 0xf5f5).poke(at + 8n, 0x6565)
      k.set(RCX, FS_BASE)
        .set(RAX, at & 0xffffffffn)
        .set(RDX, at >> 32n)
        .bytes(0x0f, 0x30)
      // mov rax, fs:[0]
      k.bytes(0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0).save('fs')
      k.hypercall(__HYPERVISOR_set_segment_base, 2, at + 8n).save('set')
      k.bytes(0x65, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0).save('gs')
      k.set(RCX, GS_BASE).bytes(0x0f, 0x32).mov(R12, RAX).mov(R13, RDX).save('low', R12).save('high', R13).powerOff()
    })
    const base = va(PFN.data, 264)
    expect(g.results('fs', 'set', 'gs', 'low', 'high')).toEqual([0xf5f5n, 0n, 0x6565n, base & 0xffffffffn, base >> 32n])
  })

  test('control registers; CLI and STI only with IOPL', () => {
    const g = run((k) => {
      k.traps([13, 0, 'gp']).set(R12, 0)
      // mov rax, cr3; mov rax, cr0; cli; sti.
      k.bytes(0x0f, 0x20, 0xd8).save('cr3').bytes(0x0f, 0x20, 0xc0).save('cr0').bytes(0xfa, 0xfb).save('faults', R12)
      k.poke(SCRATCH, 1).hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, SCRATCH).save('iopl')
      k.bytes(0xfa, 0xfb).save('more', R12).powerOff()
      k.label('gp').aluImm('add', R12, 1).pop(RCX).pop(R11).pop(RCX).addTop(1).iret()
    })
    expect(g.ending).toBe(SHUTDOWN_poweroff)
    expect(g.result('cr3')).toBe(BigInt(g.mfns[PFN.l4]! * PAGE_SIZE))
    expect(g.result('cr0') & 0x80000001n).toBe(0x80000001n)
    expect(g.results('faults', 'iopl', 'more')).toEqual([2n, 0n, 2n])
  })
})

describe('the end', () => {
  /** What Xen says meanwhile, once the line has carried it. */
  const report = (body: () => unknown): string => {
    // What was said before is still on the line.
    x86.host.runFor(1e9)
    const from = x86.host.serial.length
    body()
    x86.host.runFor(1e9)
    return x86.host.serial.slice(from).replaceAll('\r', '')
  }

  test("a trap without a handler crashes the domain, in Xen's words and with its registers", () => {
    let g: SmallGuest | undefined
    const said = report(() => {
      g = run((k) => k.set(RAX, 0x0123456789abcdefn).set(RSI, -1n).ud2())
    })
    expect(g!.ending).toBe(SHUTDOWN_crash)
    const constant = said.slice(said.indexOf('(XEN) traps.c')).replaceAll(`d${g!.domid}`, 'dN')
    expect(
      constant
        .replace(`Domain ${g!.domid}`, 'Domain N')
        .replace(/on cpu#\d/, 'on cpu#N')
        .replace(/CPU: {4}\d/, 'CPU:    N')
        .replace(/cr3: \w+/, 'cr3: FRAME'),
    ).toMatchSnapshot()
  })

  test('so does a page fault without one', () => {
    let g: SmallGuest | undefined
    const said = report(() => {
      g = run((k) => k.set(R12, 0x1000).load(RAX, R12, 0))
    })
    expect(g!.ending).toBe(SHUTDOWN_crash)
    expect(said).toContain(`d${g!.domid}:v0: unhandled page fault (ec=0000)`)
    expect(said).toContain('Pagetable walk from 0000000000001000:')
  })
})
