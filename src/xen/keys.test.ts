/** The debug keys that show domains, scheduler, timers and interrupts: what they print is what is. */
import { describe, expect, test } from 'vitest'
import { EVTCHNOP_bind_pirq, EVTCHNOP_bind_virq, evtchn_bind_pirq, evtchn_bind_virq } from '#abi/xen/event_channel.ts'
import { PHYSDEVOP_alloc_irq_vector, PHYSDEVOP_apic_write, physdev_apic, physdev_irq } from '#abi/xen/physdev.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_physdev_op,
  __HYPERVISOR_set_timer_op,
  __HYPERVISOR_update_va_mapping,
  start_info,
  VIRQ_DEBUG,
} from '#abi/xen/xen.ts'
import { addDomain, scriptHost } from '#testing/xen-domain.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK, pte, RUN } from '#testing/xen-script.ts'
import { cpulist } from './common/cpulist.ts'
import { Rangeset } from './common/rangeset.ts'

/** dom0 asleep, with the keyboard's interrupt and VIRQ_DEBUG bound, its timer set far ahead; input is Xen's. */
function host(): TestHost {
  const one = scriptHost(function* (g) {
    const { mem, startInfo } = g.vcpu
    g.call(
      __HYPERVISOR_update_va_mapping,
      g.beyond,
      pte(start_info.fields.shared_info.get(mem, startInfo) / PAGE_SIZE),
      0,
    )
    g.shared = g.beyond
    const [, { vector }] = g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_alloc_irq_vector, physdev_irq, { irq: 1 })
    g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_apic_write, physdev_apic, {
      apic_physbase: 0xfec00000n,
      reg: 0x12,
      value: vector,
    })
    g.evtchn(EVTCHNOP_bind_pirq, evtchn_bind_pirq, { pirq: 1 })
    g.evtchn(EVTCHNOP_bind_virq, evtchn_bind_virq, { virq: VIRQ_DEBUG, vcpu: 0 })
    g.call(__HYPERVISOR_set_timer_op, 3_600_000_000_000)
    for (;;) yield BLOCK
  })
  one.runFor(1e8)
  one.type('\x01\x01\x01')
  one.expect('switch input to DOM0)\r\n')
  return one
}

function press(one: TestHost, key: string): string {
  const from = one.serial.length
  one.type(key)
  one.runFor(5e8)
  return one.serial.slice(from).replaceAll('\r', '')
}

describe('debug keys', () => {
  test.each(['0', 'Q', 'c', 'd', 'h', 'i', 'u', 'z', '%'])('%s', (key) => {
    expect(press(host(), key).replace(/now-0x[0-9A-F:]+/, 'now-...')).toMatchSnapshot()
  })

  test('q: dom0, then with its debug event on the way', () => {
    const one = host()
    const stamp = /now=0x[0-9A-F:]+/
    expect(press(one, 'q').replace(stamp, 'now=...')).toMatchSnapshot()
    // It was told, and has taken it by the time of the second look.
    expect(one.xen.domains.get(0)!.vcpus[0]!.virqPorts[VIRQ_DEBUG]).toBe(2)
    addDomain(one, 5, () => ({ run: () => BLOCK, upcall() {} }), { pages: 3 })
    one.runFor(1e7)
    const both = press(one, 'q')
    expect(both).toContain(
      'General information for domain 5:\n(XEN)     refcnt=3 nr_pages=3 xenheap_pages=5 dirty_cpus={0}',
    )
    expect(both).toContain('(XEN)     I/O Ports  { }')
    expect(both.match(/DomPage 0{12}[0-9a-f]{4}: caf=80000002, taf=0{8}e8000001/g)?.length).toBe(3)
  })

  test('a: the timer that dom0 has set, at the time that it said', () => {
    const one = host()
    const text = press(one, 'a').replace(/NOW=0x[0-9A-F]{16}/, 'NOW=...')
    expect(text).toBe(
      '(XEN) Dumping timer queues: NOW=...\n(XEN) CPU[00]   1 : d0v0 singleshot ex=0x0000034630B8A000\n(XEN) \n(XEN) CPU[01] \n',
    )
  })

  test('r: who runs, who waits, and with how much credit', () => {
    const one = host()
    expect(press(one, 'r')).toContain('(XEN) active vcpus:\n(XEN) NOW=')
    const { cpu } = one.xen.pcpus[0]!.metal
    const busy = (): { run: () => typeof RUN; upcall: () => void } => ({
      run: () => {
        cpu.charge(19_000)
        return RUN
      },
      upcall() {},
    })
    for (const id of [1, 2, 3]) addDomain(one, id, busy, { processor: 0 })
    one.runFor(2e8)
    const text = press(one, 'r')
    expect(text).toMatch(/idlers: 0x0\n/)
    expect(text).toMatch(/\tweight {13}= 768\n/)
    expect(
      text.match(
        /\t {2}\d: \[[123]\.0\] pri=-?\d flags=0 cpu=[01] credit=-?\d+ \[w=256\] \(-?\d+\+200\) \{a\/i=\d+\/\d+ m=\d+\+0\}/g,
      )?.length,
    ).toBeGreaterThanOrEqual(3)
    expect(text.match(/\trun: \[[123]\.0\]/g)?.length).toBe(2)
    expect(text.match(/\[32767\.[01]\] pri=-64 flags=0 cpu=[01]/g)?.length).toBe(2)
  })
})

test('without an I/O APIC there is no key z', () => {
  const one = scriptHost(function* () {
    yield BLOCK
  }, 'noapic')
  one.type('\x01\x01\x01')
  one.expect('switch input to DOM0)\r\n')
  expect(press(one, 'z')).toBe('')
  expect(press(one, 'h')).not.toContain("key 'z'")
})

test('sets of processors', () => {
  expect([cpulist([]), cpulist([0]), cpulist([3, 0, 1, 2, 7]), cpulist([1, 2])]).toEqual([
    '{}',
    '{0}',
    '{0-3,7}',
    '{1-2}',
  ])
})

test('range sets grow, join, split and answer', () => {
  const set = new Rangeset('I/O Ports', true)
  expect(set.text()).toBe('{ }')
  set.add(0, 0xffff)
  for (const [from, to] of [
    [0x20, 0x21],
    [0xa0, 0xa1],
    [0x61, 0x61],
    [0xffff, 0xffff],
  ] as const)
    set.remove(from, to)
  expect(set.text()).toBe('{ 0-1f, 22-60, 62-9f, a2-fffe }')
  expect([
    set.contains(0x1f, 0x1f),
    set.contains(0x1f, 0x20),
    set.contains(0x22, 0x60),
    set.contains(0xfffe, 0x10000),
  ]).toEqual([true, false, true, false])
  set.add(0x20, 0x21)
  expect(set.text()).toBe('{ 0-60, 62-9f, a2-fffe }')
  expect(set.contains(0x1f, 0x20)).toBe(true)
  set.remove(0, 0x60)
  expect(set.contains(0x30, 0x30)).toBe(false)
})
