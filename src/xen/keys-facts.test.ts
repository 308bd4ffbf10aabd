/** Each debug key's figures, one by one, against the state that they are of: frames, heaps, credits, timers, interrupts, clocks. */
import { describe, expect, test } from 'vitest'
import { IOAPIC_REG_ID, IOAPIC_REG_REDTBL, IOAPIC_REG_VERSION } from '#abi/pc/apic.ts'
import { EVTCHNOP_bind_pirq, evtchn_bind_pirq } from '#abi/xen/event_channel.ts'
import {
  PHYSDEVOP_alloc_irq_vector,
  PHYSDEVOP_apic_write,
  PHYSDEVOP_manage_pci_add,
  physdev_apic,
  physdev_irq,
  physdev_manage_pci,
} from '#abi/xen/physdev.ts'
import { __HYPERVISOR_physdev_op, __HYPERVISOR_set_timer_op } from '#abi/xen/xen.ts'
import { addDomain, scriptHost } from '#testing/xen-domain.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK, RUN } from '#testing/xen-script.ts'
import { MEMZONE_XEN, NR_ZONES } from './common/page-alloc.ts'
import { STATS } from './common/sched-credit.ts'

const KEYBOARD = 1
const MS = 1e6

/** dom0 asleep with the keyboard's interrupt bound and a PCI device told of; domains 1 and 2 compute on CPU 1, 3 sleeps with 5 frames. */
function host(): TestHost {
  const one = scriptHost(function* (g) {
    const [, { vector }] = g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_alloc_irq_vector, physdev_irq, { irq: KEYBOARD })
    g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_apic_write, physdev_apic, {
      apic_physbase: 0xfec00000n,
      reg: IOAPIC_REG_REDTBL + 2 * KEYBOARD,
      value: vector,
    })
    g.evtchn(EVTCHNOP_bind_pirq, evtchn_bind_pirq, { pirq: KEYBOARD })
    g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_manage_pci_add, physdev_manage_pci, { bus: 0, devfn: 0x0a })
    g.call(__HYPERVISOR_set_timer_op, 3_600_000_000_000)
    for (;;) yield BLOCK
  })
  const busy = (): { run: () => typeof RUN; upcall: () => void } => ({
    run: () => {
      one.xen.current.metal.cpu.charge(50_000)
      return RUN
    },
    upcall() {},
  })
  for (const id of [1, 2]) {
    const domain = addDomain(one, id, busy, { processor: 1, weight: 256 * id, pages: 12 })
    domain.vcpus[0]!.affinity.fill(0).fill(2, 0, 1)
  }
  addDomain(one, 3, () => ({ run: () => BLOCK, upcall() {} }), { pages: 5 })
  one.machine.nmiButton()
  one.runFor(130 * MS)
  return one
}

const one = host()

/** What `key` prints now, and nothing moves meanwhile. */
function said(key: string): string {
  const { xen } = one
  const from = xen.console.ringProducer
  one.inXen(() => {
    const steps = xen.keyTable.get(key.charCodeAt(0))!.run(xen, key)
    expect(steps).toBeUndefined()
  })
  const text = xen.console.ringText()
  return text.slice(text.length - (xen.console.ringProducer - from)).replaceAll('(XEN) ', '')
}

/** All matches' numbers. */
const numbers = (text: string, pattern: RegExp): number[][] =>
  [...text.matchAll(pattern)].map(([, ...found]) => found.map(Number))

describe('q', () => {
  const text = said('q')
  const sections = text.split('General information for domain ').slice(1)

  test('has every domain in order of its id', () => {
    expect(sections.map((section) => Number.parseInt(section, 10))).toEqual([0, 1, 2, 3])
  })

  test.each([0, 1, 2, 3])('domain %i: its frames as the frame table has them', (id) => {
    const { xen } = one
    const { owner, countInfo, maxPage } = xen.heap.frames
    const mine: number[] = []
    for (let mfn = 0; mfn < maxPage; mfn++) if (owner[mfn] === id) mine.push(mfn)
    const xenPages = mine.filter((mfn) => xen.heap.isXenHeap(mfn))
    const section = sections[id]!
    expect(numbers(section, /nr_pages=(\d+) xenheap_pages=(\d+)/g)).toEqual([
      [mine.length - xenPages.length, xenPages.length],
    ])
    const listed = [...section.matchAll(/(Dom|Xen)Page ([0-9a-f]{16}): caf=([0-9a-f]{8})/g)]
    const short = mine.length - xenPages.length < 10
    expect(listed.filter(([, kind]) => kind === 'Xen').map(([, , mfn]) => Number.parseInt(mfn!, 16))).toEqual(xenPages)
    expect(listed.filter(([, kind]) => kind === 'Dom')).toHaveLength(short ? mine.length - xenPages.length : 0)
    expect(section.includes('DomPage list too long to display')).toBe(!short)
    for (const [, , mfn, caf] of listed)
      expect(Number.parseInt(caf!, 16)).toBe(countInfo[Number.parseInt(mfn!, 16)]! >>> 0)
  })

  test('its vCPUs: where, running or not, why not', () => {
    const seen = [...text.matchAll(/ {4}VCPU(\d): CPU(\d) \[has=([TF])\] flags=(\w+) .* cpu_affinity=(\S+)\n/g)]
    expect(seen.map(([, ...fields]) => fields)).toEqual(
      [...one.xen.domains.values()].flatMap(({ id, vcpus }) =>
        vcpus.map((vcpu) => [
          `${vcpu.id}`,
          `${vcpu.processor}`,
          vcpu.running ? 'T' : 'F',
          vcpu.pauseFlags.toString(16),
          id === 1 || id === 2 ? '{1}' : '{0-31}',
        ]),
      ),
    )
  })
})

test('m and H: the heaps, by zone', () => {
  const { heap } = one.xen
  const free = (zone: number): number => heap.availHeapPages(zone, zone)
  const zones = Array.from({ length: NR_ZONES }, (_, zone) => zone)
  expect(numbers(said('H'), /heap\[node=0\]\[zone=(\d+)\] -> (\d+) pages\n/g)).toEqual(
    zones.map((zone) => [zone, free(zone)]),
  )
  const m = said('m')
  expect(numbers(m, /Xen heap: (\d+)kB free/g)).toEqual([[free(MEMZONE_XEN) * 4]])
  expect(numbers(m, /Dom heap: (\d+)kB free/g)).toEqual([[heap.availDomHeapPages() * 4]])
  expect(numbers(m, /heap\[(\d+)\]: (\d+)kB free/g)).toEqual(
    zones.filter((zone) => zone > MEMZONE_XEN && free(zone) > 0).map((zone) => [zone, free(zone) * 4]),
  )
  // And the frame table's own count.
  const { allocated, maxPage } = heap.frames
  let all = 0
  for (let mfn = 0; mfn < maxPage; mfn++) if (!allocated[mfn]) all++
  expect(zones.reduce((sum, zone) => sum + free(zone), 0)).toBe(all)
})

test('r: the credit scheduler', () => {
  const text = said('r')
  const { credit, pcpus, domains } = one.xen
  const value = (name: string): number => Number(new RegExp(`\\t${name} += (-?\\d+)`).exec(text)?.[1])
  expect([value('ncpus'), value('credit'), value('weight'), value('runq_sort'), value('credit balance')]).toEqual([
    2,
    600,
    credit.weight,
    credit.runqSort,
    credit.creditBalance,
  ])
  expect(credit.weight).toBe(768)
  for (const name of STATS) expect(value(name), name).toBe(credit.stats[name])
  expect(text).toContain('idlers: 0x1\n')
  const line = (id: number): string => {
    const { sched, processor } = domains.get(id)!.vcpus[0]!
    return (
      `[${id}.0] pri=${sched.pri} flags=${sched.flags} cpu=${processor} credit=${sched.credit} [w=${id * 256}] ` +
      `(${sched.creditLast}+${sched.creditIncr}) {a/i=${sched.stateActive}/${sched.stateIdle} m=0+0}\n`
    )
  }
  const active = credit.activeDomains.map(({ id }) => id)
  expect([...active].sort()).toEqual([1, 2])
  expect(text).toContain(`active vcpus:\n\t  1: ${line(active[0]!)}\t  2: ${line(active[1]!)}NOW=0x`)
  const [first, second] = pcpus
  const running = second!.curr!.domain.id
  expect(text).toContain(
    `CPU[00]  sort=${first!.sched.runqSortLast}, sibling=0x1, core=0x3\n\trun: [32767.0] pri=-64 flags=0 cpu=0\n`,
  )
  expect(text).toContain(
    `CPU[01]  sort=${second!.sched.runqSortLast}, sibling=0x2, core=0x3\n\trun: ${line(running)}` +
      `\t  1: ${line(3 - running)}\t  2: [32767.1] pri=-64 flags=0 cpu=1\n`,
  )
})

test('a: every timer of every processor, soonest first', () => {
  const text = said('a')
  const wanted = one.xen.pcpus.map(({ id, timers }) => {
    const entries = timers
      .all()
      .map(
        ({ name, expiresNs }, i) =>
          `  ${i + 1} : ${name} ex=0x${Math.floor(expiresNs).toString(16).toUpperCase().padStart(16, '0')}\n`,
      )
    return `CPU[0${id}] ${entries.join('')}\n`
  })
  expect(text.slice(text.indexOf('\n') + 1)).toBe(wanted.join(''))
  expect(text).toContain('d0v0 singleshot ex=0x0000034630B8A000\n')
  expect(text).toContain('time slice')
})

test('i and z: the interrupt controller', () => {
  const [ioApic] = one.xen.ioApics
  const low = (pin: number): number => ioApic!.read(IOAPIC_REG_REDTBL + 2 * pin)
  const high = (pin: number): number => ioApic!.read(IOAPIC_REG_REDTBL + 2 * pin + 1)
  const i = said('i')
  const { vector } = one.xen.guestIrqs.guest.get(KEYBOARD)!
  expect(i).toContain(
    `    IRQ  1 Vec${String(vector).padStart(3)}: type=IO-APIC-edge    status=00000010 in-flight=0 domain-list=0(----),\n`,
  )
  for (const [pin, seen, mode, mask] of numbers(
    i,
    /Pin +(\d+): vector=(\d+), delivery_mode=(\d).* trigger=edge, mask=(\d)/g,
  )) {
    expect([seen, mode, mask]).toEqual([low(pin!) & 0xff, (low(pin!) >> 8) & 7, (low(pin!) >> 16) & 1])
  }
  const z = said('z')
  expect(z).toContain(`.... register #00: ${ioApic!.read(IOAPIC_REG_ID).toString(16).toUpperCase().padStart(8, '0')}\n`)
  expect(z).toContain(
    `.... register #01: ${ioApic!.read(IOAPIC_REG_VERSION).toString(16).toUpperCase().padStart(8, '0')}\n`,
  )
  const rows = [...z.matchAll(/^ ([0-9a-f]{2}) (\w{3}) (\w{2}) {2}(\d) .* (\d) {4}(\w{2})$/gm)]
  expect(rows).toHaveLength(ioApic!.lastPin + 1)
  for (const [, pin, logical, , mask, mode, vec] of rows) {
    const n = Number.parseInt(pin!, 16)
    expect([Number.parseInt(logical!, 16), Number(mask), Number(mode), Number.parseInt(vec!, 16)]).toEqual([
      high(n) >>> 24,
      (low(n) >> 16) & 1,
      (low(n) >> 8) & 7,
      low(n) & 0xff,
    ])
  }
})

test('u: frames by node', () => {
  const text = said('u')
  expect(numbers(text, /idx0 -> NODE0 start->(\d+) size->(\d+)/g)).toEqual([[0, one.xen.maxPage]])
  expect(numbers(text, /Domain (\d+) \(total: (\d+)\):\n {4}Node 0: (\d+)\n/g)).toEqual(
    [...one.xen.domains.values()].map(({ id, totPages }) => [id, totPages, totPages]),
  )
})

test('d and 0: who is where', () => {
  const { curr } = one.xen.pcpus[1]!
  const text = said('d')
  expect(text).toContain('*** Dumping CPU0 guest state: ***\nNo guest context (CPU is idle).\n')
  expect(text).toMatch(
    new RegExp(
      `\\*\\*\\* Dumping CPU1 guest state: \\*\\*\\*\n----\\[ .*\nCPU: {4}1\nCONTEXT: pv guest {3}d${curr!.domain.id}:v0 `,
    ),
  )
  expect(said('0')).toMatch(
    /^'0' pressed -> dumping Dom0's registers\n\*\*\* Dumping Dom0 vcpu#0 state: \*\*\*\nCONTEXT: pv guest {3}d0:v0 .*\n\*\*\* Dumping Dom0 vcpu#1 state: \*\*\*\nCONTEXT: pv guest {3}d0:v1 {3}not initialised\n$/,
  )
})

test('Q, c, N', () => {
  expect(said('Q')).toBe('==== PCI devices ====\n00:01.2 - dom 0   - MSIs < >\n')
  expect(said('c').match(/==cpu\d==\nactive state:\t\tC-1\nmax_cstate:\t\tC2\n/g)).toHaveLength(2)
  const [first, second] = one.xen.pcpus
  expect(said('N')).toBe(
    `CPU\tNMI\n  0\t  ${first!.nmis}\n  1\t  ${second!.nmis}\ndom0 vcpu0: NMI neither pending nor masked\n`,
  )
})

test('v, V, e, g and the rest are not there', () => {
  const keys = [...one.xen.keyTable.values()].filter(({ present }) => present?.(one.xen) !== false)
  expect(keys.map(({ key }) => key).join('')).toBe('%0CHNQRacdhimnqrtuz')
})
