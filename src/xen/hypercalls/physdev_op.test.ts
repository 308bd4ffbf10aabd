import { describe, expect, test } from 'vitest'
import { SLP_TYP_S5 } from '#abi/pc/acpi.ts'
import { EACCES, EBUSY, EEXIST, EFAULT, EINVAL, ENODEV, ENOSYS, EPERM } from '#abi/xen/errno.ts'
import { EVTCHNOP_bind_pirq, EVTCHNOP_close, evtchn_bind_pirq, evtchn_close } from '#abi/xen/event_channel.ts'
import {
  PHYSDEVOP_alloc_irq_vector,
  PHYSDEVOP_apic_read,
  PHYSDEVOP_apic_write,
  PHYSDEVOP_eoi,
  PHYSDEVOP_irq_status_query,
  PHYSDEVOP_manage_pci_add,
  PHYSDEVOP_manage_pci_remove,
  PHYSDEVOP_set_iopl,
  physdev_apic,
  physdev_eoi,
  physdev_irq,
  physdev_irq_status_query,
  physdev_manage_pci,
  physdev_set_iopl,
} from '#abi/xen/physdev.ts'
import {
  XEN_PLATFORM_OP_U,
  XENPF_enter_acpi_sleep,
  XENPF_INTERFACE_VERSION,
  XENPF_settime,
  xen_platform_op,
  xenpf_enter_acpi_sleep,
  xenpf_settime,
} from '#abi/xen/platform.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_physdev_op,
  __HYPERVISOR_platform_op,
  __HYPERVISOR_update_va_mapping,
  shared_info,
  start_info,
} from '#abi/xen/xen.ts'
import { addDomain, ask, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import { BLOCK, pte, RUN, type ScriptGuest } from '#testing/xen-script.ts'

const IOAPIC = 0xfec00000n

const iopl = (g: ScriptGuest, level: number): number =>
  g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, physdev_set_iopl, { iopl: level })[0]
const vectorOf = (g: ScriptGuest, irq: number): [number, number] => {
  const [result, { vector }] = g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_alloc_irq_vector, physdev_irq, { irq })
  return [result, vector]
}
const apicWrite = (g: ScriptGuest, reg: number, value: number, apic_physbase = IOAPIC): number =>
  g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_apic_write, physdev_apic, { apic_physbase, reg, value })[0]
const apicRead = (g: ScriptGuest, reg: number): number =>
  g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_apic_read, physdev_apic, { apic_physbase: IOAPIC, reg })[1].value
const bindPirq = (g: ScriptGuest, pirq: number, flags = 0): [number, number] => {
  const [result, { port }] = g.evtchn(EVTCHNOP_bind_pirq, evtchn_bind_pirq, { pirq, flags })
  return [result, port]
}
const mapShared = (g: ScriptGuest): void => {
  const { mem, startInfo } = g.vcpu
  const shared = start_info.fields.shared_info.get(mem, startInfo) / PAGE_SIZE
  g.call(__HYPERVISOR_update_va_mapping, g.beyond, pte(shared), 0)
  g.shared = g.beyond
  mem.write8(g.shared + 1, 0)
}

describe('ports', () => {
  test('IOPL first, then what the host allows', () => {
    const seen = ask(function* (g) {
      const { io } = g.vcpu
      const before = [io.in8(0x64), io.in16(0x60), io.in32(0xcf8)]
      const set = [iopl(g, 4), iopl(g, 0xffffffff), iopl(g, 1)]
      io.out8(0x71, 0)
      const allowed = [io.in8(0x64) !== 0xff, io.in8(0x1f7) !== 0xff]
      // The 8259s, the PIT, the speaker, Xen's UART; ports that are none.
      const denied = [0x20, 0x21, 0xa1, 0x40, 0x43, 0x61, 0x3f8, 0x3fd, 0x3ff, -1, 65536, 0.5, Number.NaN].map((port) =>
        io.in8(port),
      )
      // A word that sticks out of what is allowed.
      denied.push(io.in16(0x1f) === 0xffff ? 255 : 0, io.in32(0x3f5) === 0xffffffff ? 255 : 0)
      io.out8(0x21, 0)
      io.out8(0x3f8, 0x58)
      yield RUN
      return { before, set, allowed, denied }
    })
    expect(seen.before).toEqual([0xff, 0xffff, 0xffffffff])
    expect(seen.set).toEqual([-EINVAL, -EINVAL, 0])
    expect(seen.allowed).toEqual([true, true])
    expect(new Set(seen.denied)).toEqual(new Set([255]))
  })

  test('PCI configuration space goes through Xen', () => {
    const seen = ask(function* (g) {
      const { io } = g.vcpu
      iopl(g, 1)
      const read = (address: number): number => {
        io.out32(0xcf8, (0x80000000 | address) >>> 0)
        return io.in32(0xcfc)
      }
      const found = [read(0), read(0xf800), read(0xf900), read(0x1800)].map((id) => id.toString(16))
      io.out32(0xcf8, 0x80000000)
      const halves = [
        io.in16(0xcfe).toString(16),
        io.in8(0xcfc).toString(16),
        io.in32(0xcf8).toString(16),
        io.in8(0xcf8),
      ]
      yield RUN
      return { found, halves }
    })
    expect(seen.found).toEqual(['29a08086', '28108086', '28508086', 'ffffffff'])
    expect(seen.halves.slice(0, 3)).toEqual(['29a0', '86', '80000000'])
  })

  test('a domain without rights gets nothing, whatever it asks for', () => {
    const seen: unknown[] = []
    const host = scriptHost(function* () {
      yield BLOCK
    })
    addDomain(host, 1, (vcpu) => ({
      run() {
        const op = (command: number, words: readonly number[]): number => {
          for (const [i, word] of words.entries()) vcpu.mem.write32(TEST_BASE + 4 * i, word)
          return vcpu.hypercall(__HYPERVISOR_physdev_op, command, TEST_BASE)
        }
        seen.push(op(PHYSDEVOP_set_iopl, [3]))
        vcpu.io.out32(0xcf8, 0x80000000)
        seen.push(vcpu.io.in32(0xcfc), vcpu.io.in8(0x64), vcpu.io.in8(0x1f7))
        seen.push(op(PHYSDEVOP_alloc_irq_vector, [1, 0]), op(PHYSDEVOP_apic_read, [0xfec00000, 0, 1, 0]))
        seen.push(op(PHYSDEVOP_apic_write, [0xfec00000, 0, 0x12, 0]), op(PHYSDEVOP_manage_pci_add, [0]))
        seen.push(vcpu.hypercall(32, EVTCHNOP_bind_pirq, TEST_BASE))
        seen.push(vcpu.hypercall(__HYPERVISOR_platform_op, TEST_BASE))
        seen.push(vcpu.hypercall(18, 0, 5, TEST_BASE))
        return BLOCK
      },
      upcall() {},
    }))
    host.runFor(1e8)
    expect(seen).toEqual([0, 0xffffffff, 0xff, 0xff, -EPERM, -EPERM, -EPERM, -EPERM, -EPERM, -EPERM, -EPERM])
  })
})

describe('interrupts', () => {
  test('the keyboard’s, from its pin to the guest and back to nobody', () => {
    const events: number[][] = []
    const results: unknown[] = []
    const host = scriptHost(function* (g) {
      mapShared(g)
      iopl(g, 1)
      const [got, vector] = vectorOf(g, 1)
      results.push(got, vector, vectorOf(g, 1)[1], apicWrite(g, 0x12, vector), bindPirq(g, 1), bindPirq(g, 1))
      results.push(apicRead(g, 0x12).toString(16), apicRead(g, 0x13) >>> 24)
      for (let i = 0; i < 2; i++) {
        yield BLOCK
        events.push(g.events.splice(0))
        results.push(g.vcpu.io.in8(0x60))
      }
      results.push(g.evtchn(EVTCHNOP_close, evtchn_close, { port: 1 })[0], (apicRead(g, 0x12) >>> 16) & 1)
    })
    host.machine.keyboardIn([0x1e])
    host.runFor(1e8)
    host.machine.keyboardIn([0x9e])
    host.runFor(1e8)
    host.machine.keyboardIn([0x30])
    host.runFor(1e8)
    expect(events).toEqual([[1], [1]])
    expect(results).toEqual([0, 0x28, 0x28, 0, [0, 1], [-EEXIST, 0], '928', 1, 0x1e, 0x9e, 0, 1])
  })

  test('one that comes before the last was taken is held back a while, not lost', () => {
    let seen = 0
    const host = scriptHost(function* (g) {
      mapShared(g)
      iopl(g, 1)
      apicWrite(g, 0x12, vectorOf(g, 1)[1])
      bindPirq(g, 1)
      // Events stay masked: the port is pending all the time.
      g.vcpu.mem.write8(g.shared + 1, 1)
      yield g.poll([], Number.MAX_SAFE_INTEGER)
    })
    for (let i = 0; i < 5; i++) {
      host.machine.keyboardIn([0x1e, 0x9e])
      host.runFor(1e7)
      seen++
    }
    expect(seen).toBe(5)
    expect(host.serial).not.toContain('unexpected IRQ')
    expect(host.xen.guestIrqs.guest.get(1)!.guests.length).toBe(1)
  })

  test('refusals', () => {
    const seen = ask(function* (g) {
      yield RUN
      const ask1 = (irq: number): [number, number] => {
        const [result, { flags }] = g.op(
          __HYPERVISOR_physdev_op,
          PHYSDEVOP_irq_status_query,
          physdev_irq_status_query,
          { irq },
        )
        return [result, flags]
      }
      const vector = vectorOf(g, 9)[1]
      return {
        noPin: bindPirq(g, 14)[0],
        xens: bindPirq(g, 4)[0],
        beyond: bindPirq(g, 256)[0],
        huge: bindPirq(g, 0xffffffff)[0],
        vectorBeyond: vectorOf(g, 256)[0],
        vectorAuto: vectorOf(g, 0xffffffff)[0],
        nmiPin: apicWrite(g, 0x12, 0x428),
        noSuchApic: apicWrite(g, 0x12, 0x28, 0xfec01000n),
        idRegister: apicWrite(g, 0, 0),
        pinBeyond: apicWrite(g, 0x10 + 2 * 100, vector),
        xensPin: [apicWrite(g, 0x18, vector), apicRead(g, 0x18).toString(16)],
        nobodysVector: [apicWrite(g, 0x1a, 0x99), apicRead(g, 0x1a).toString(16)],
        level: [apicWrite(g, 0x22, vector | 0x8000), apicRead(g, 0x22).toString(16), ask1(9)],
        bound: bindPirq(g, 9),
        eoi: g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_eoi, physdev_eoi, { irq: 9 })[0],
        eoiBeyond: g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_eoi, physdev_eoi, { irq: 300 })[0],
        edge: ask1(1),
        status: ask1(999)[0],
        unknown: g.call(__HYPERVISOR_physdev_op, 18, g.scratch),
        nowhere: g.call(__HYPERVISOR_physdev_op, PHYSDEVOP_eoi, 0x1000),
      }
    })
    expect(seen).toEqual({
      noPin: -EINVAL,
      xens: -EBUSY,
      beyond: -EINVAL,
      huge: -EINVAL,
      vectorBeyond: -EINVAL,
      vectorAuto: 0,
      nmiPin: -EINVAL,
      noSuchApic: -EINVAL,
      idRegister: 0,
      pinBeyond: 0,
      xensPin: [0, '9f1'],
      nobodysVector: [0, '10999'],
      level: [0, '18928', [0, 1]],
      bound: [0, 1],
      eoi: 0,
      eoiBeyond: -EINVAL,
      edge: [0, 0],
      status: -EINVAL,
      unknown: -ENOSYS,
      nowhere: -EFAULT,
    })
  })

  test('PCI devices that dom0 tells of are listed by key Q', () => {
    const host = scriptHost(function* (g) {
      const pci = (command: number, bus: number, devfn: number): number =>
        g.op(__HYPERVISOR_physdev_op, command, physdev_manage_pci, { bus, devfn })[0]
      expect([
        pci(PHYSDEVOP_manage_pci_add, 0, 0xf9),
        pci(PHYSDEVOP_manage_pci_add, 0, 0xf9),
        pci(PHYSDEVOP_manage_pci_add, 2, 0x08),
        pci(PHYSDEVOP_manage_pci_remove, 2, 0x08),
        pci(PHYSDEVOP_manage_pci_remove, 2, 0x08),
      ]).toEqual([0, 0, 0, 0, -ENODEV])
      yield RUN
    })
    host.runFor(1e8)
    host.type('\x01\x01\x01Q')
    host.expect('MSIs')
    host.runFor(1e8)
    expect(host.serial.replaceAll('\r', '')).toMatch(/==== PCI devices ====\n\(XEN\) 00:1f\.1 - dom 0 {3}- MSIs < >\n$/)
    expect(host.serial).toContain('(XEN) PCI add device 00:1f.1')
  })
})

describe('platform_op', () => {
  const platform = (
    g: ScriptGuest,
    cmd: number,
    write: (at: number) => void,
    interface_version = XENPF_INTERFACE_VERSION,
  ): number => {
    xen_platform_op.write(g.vcpu.mem, g.scratch, { cmd, interface_version })
    write(g.scratch + XEN_PLATFORM_OP_U)
    return g.call(__HYPERVISOR_platform_op, g.scratch)
  }

  test('the wall clock is set for all', () => {
    const seen = ask(function* (g) {
      mapShared(g)
      const version = shared_info.fields.wc_version.get(g.vcpu.mem, g.shared)
      const result = platform(g, XENPF_settime, (at) =>
        xenpf_settime.write(g.vcpu.mem, at, { secs: 1_300_000_000, nsecs: 500, system_time: 2_000_000_000n }),
      )
      yield RUN
      const info = shared_info.read(g.vcpu.mem, g.shared)
      return [result, info.wc_sec, info.wc_nsec, info.wc_version - version]
    })
    expect(seen).toEqual([0, 1_299_999_998, 500, 2])
  })

  test('refusals', () => {
    const seen = ask(function* (g) {
      const sleep = (values: Parameters<typeof xenpf_enter_acpi_sleep.write>[2]): number =>
        platform(g, XENPF_enter_acpi_sleep, (at) =>
          xenpf_enter_acpi_sleep.write(g.vcpu.mem, at, { pm1a_cnt_val: 0x2000, pm1b_cnt_val: 0, flags: 0, ...values }),
        )
      yield RUN
      return {
        version: platform(g, XENPF_settime, () => {}, 0x03000000),
        unknown: platform(g, 99, () => {}),
        nowhere: g.call(__HYPERVISOR_platform_op, 0x1000),
        flags: sleep({ sleep_state: 5, flags: 1 }),
        s0: sleep({ sleep_state: 0 }),
        s3: sleep({ sleep_state: 3 }),
        s4: sleep({ sleep_state: 4 }),
        s99: sleep({ sleep_state: 99 }),
      }
    })
    expect(seen).toEqual({
      version: -EACCES,
      unknown: -ENOSYS,
      nowhere: -EFAULT,
      flags: -EINVAL,
      s0: -EINVAL,
      s3: -ENOSYS,
      s4: -EINVAL,
      s99: -EINVAL,
    })
  })

  test('S5: the power goes off once all has been said', () => {
    const host = scriptHost(function* (g) {
      platform(g, XENPF_enter_acpi_sleep, (at) =>
        xenpf_enter_acpi_sleep.write(g.vcpu.mem, at, {
          pm1a_cnt_val: (SLP_TYP_S5 << 10) | 0x2001,
          pm1b_cnt_val: 0,
          sleep_state: 5,
          flags: 0,
        }),
      )
      yield RUN
    })
    host.runFor(1e9)
    expect(host.serial.replaceAll('\r', '').slice(-200)).toContain(
      '(XEN) Preparing system for ACPI S5 state.Freezing cpus ...\n(XEN) Prepare to bring CPU1 down...\n' +
        '(XEN) CPU 1 is now offline\n(XEN) CPU1 is down\n(XEN) Entering ACPI S5 state.\n',
    )
    expect(host.powerOffs).toBe(1)
  })
})
