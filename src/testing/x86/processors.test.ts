/** Two virtual processors of an x86 guest, and the same run whoever executes it: interpreted, translated at once, or when hot. */
import { describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { R11, RAX, RCX, RDX } from '#abi/pc/ring3.ts'
import { EVTCHNOP_bind_ipi, EVTCHNOP_send } from '#abi/xen/event_channel.ts'
import { SCHEDOP_yield, SHUTDOWN_poweroff } from '#abi/xen/sched.ts'
import { VCPUOP_down, VCPUOP_initialise, VCPUOP_up, VGCF_in_kernel, vcpu_guest_context } from '#abi/xen/vcpu.ts'
import {
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_set_callbacks,
  __HYPERVISOR_vcpu_op,
  __HYPERVISOR_xen_version,
} from '#abi/xen/xen.ts'
import { Library } from '#cpu/translate/library.ts'
import { readTranslations, writeTranslations } from '#cpu/translate/translations.ts'
import { vcpuContext } from '#toolstack/libxc/dom/pages.ts'
import type { Ring3Options } from '#world/ring3.ts'
import { CC, R12, R13, R14 } from './assembler.ts'
import { X86Host } from './dom0.ts'
import type { Kernel } from './kernel.ts'
import { PFN, va } from './layout.ts'
import { SmallGuest } from './small-guest.ts'

const COUNTER = va(PFN.data, 512)
const FLAG = va(PFN.data, 520)
const TURNS = 5000

/** So many times lock inc. */
const count = (k: Kernel): Kernel => {
  const again = k.name()
  return k
    .set(R12, COUNTER)
    .set(RCX, TURNS)
    .label(again)
    .bytes(0xf0, 0x49, 0xff, 0x04, 0x24)
    .aluImm('sub', RCX, 1)
    .jcc(CC.ne, again)
}

describe('two processors', () => {
  test('run at the same time in the same memory, and one sends the other an event', () => {
    const x86 = new X86Host()
    const guest = new SmallGuest(
      x86,
      (k) => {
        k.hypercall(__HYPERVISOR_set_callbacks, 'event', 0, 0).set(R14, 0)
        // An IPI to itself, which the other sends.
        k.poke(va(PFN.data), 0).hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, va(PFN.data))
        k.peek(va(PFN.data)).shr(RAX, 32).set(RCX, va(PFN.data)).store(RCX, 0, RAX)
        k.hypercall(__HYPERVISOR_vcpu_op, VCPUOP_initialise, 1, va(PFN.spare)).save('initialise')
        k.hypercall(__HYPERVISOR_vcpu_op, VCPUOP_up, 1).save('up')
        count(k)
        k.label('wait').hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0).aluImm('cmp', R14, 1).jcc(CC.ne, 'wait')
        k.peek(COUNTER).save('counter').peek(FLAG).save('flag').powerOff()
        k.label('event').set(R14, 1).poke(va(PFN.sharedInfo), 0x100).pop(RCX).pop(R11).iret()
        k.label('second')
        count(k).poke(FLAG, 0x2222)
        k.hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, va(PFN.data))
        k.hypercall(__HYPERVISOR_vcpu_op, VCPUOP_down, 1).ud2()
      },
      { vcpus: 2 },
    )
    const start = {
      entry: guest.kernel.addressOf('second'),
      stackEnd: va(PFN.kernelStack + 1),
      startInfo: va(PFN.startInfo),
      cr3Mfn: guest.mfns[PFN.l4]!,
    }
    const context = vcpuContext(start)
    // Online is what VCPUOP_up makes it.
    vcpu_guest_context.fields.flags.set(memOf(context), 0, BigInt(VGCF_in_kernel))
    guest.write(PFN.spare, context)
    guest.run()
    expect(guest.ending).toBe(SHUTDOWN_poweroff)
    expect(guest.results('initialise', 'up', 'counter', 'flag')).toEqual([0n, 0n, 2n * BigInt(TURNS), 0x2222n])
    expect(guest.domain.vcpus.length).toBe(2)
  })
})

/** Arithmetic, memory, faults, hypercalls and the clock, many times: all that it has come to. */
function story(ring3: Ring3Options): unknown {
  const x86 = new X86Host({ ring3 })
  const guest = new SmallGuest(x86, (k) => {
    k.traps([6, 0, 'ud']).set(R12, TURNS).set(R13, 1).set(R14, va(PFN.data)).label('again')
    // A mixture of what went before, stored somewhere in a page.
    k.bytes(0x49, 0xc1, 0xc5, 7).alu('xor', R13, R12).bytes(0x4d, 0x0f, 0xaf, 0xed).alu('add', R13, R12)
    k.mov(RAX, R13).aluImm('and', RAX, 0x7f8).alu('add', RAX, R14).store(RAX, 0, R13)
    k.mov(RAX, R12).aluImm('and', RAX, 1023).jcc(CC.ne, 'on')
    // rdtsc, a fault, a hypercall.
    k.bytes(0x0f, 0x31).alu('add', R13, RAX).ud2().hypercall(__HYPERVISOR_xen_version, 0).alu('add', R13, RAX)
    k.label('on').aluImm('sub', R12, 1).jcc(CC.ne, 'again')
    k.save('sum', R13).bytes(0x0f, 0x31).save('low', RAX).save('high', RDX).powerOff()
    k.label('ud').aluImm('add', R13, 0x55).pop(RCX).pop(R11).addTop(2).iret()
  }).run()
  expect(guest.ending).toBe(SHUTDOWN_poweroff)
  const memory = Array.from({ length: 256 }, (_, i) => guest.peek(PFN.data, 8 * i))
  return { sums: guest.results('sum', 'low', 'high'), memory, nowNs: x86.host.nowNs, serial: x86.host.serial }
}

test('the same, to the nanosecond, interpreted and translated at once or when hot', () => {
  const interpreted = story({ threshold: Number.POSITIVE_INFINITY })
  expect(story({ threshold: 1 })).toEqual(interpreted)
  expect(story({ threshold: 64 })).toEqual(interpreted)
})

test('the same with what another process has translated', () => {
  const recording = new Library([], true)
  const first = story({ threshold: 1, library: recording })
  const library = new Library(readTranslations(writeTranslations(recording)))
  const given = library.all.length
  expect(given).toBeGreaterThan(1)
  expect(story({ threshold: 1, library })).toEqual(first)
  // Nothing had to be translated again.
  expect(library.all.length).toBe(given)
})
