/** Xen's keys on the serial console of the whole host: what they print is what the tools in domain 0 know too. */
import { beforeAll, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'
import { info, rows } from './host-facts.ts'

let host: Dom0Host
beforeAll(async () => {
  host = new Dom0Host({ base: await buildDiskAndKnown() })
  host.boot()
  expect(host.run('xm create minimal').status).toBe(0)
  host.runFor(5)
}, 120_000)

const SWITCH = '\x01\x01\x01'

/** On the serial console: input to Xen, one key, input back to domain 0; what the key has printed. */
function press(key: string): string {
  host.type(SWITCH)
  host.waitFor("input -> Xen (type 'CTRL-a' three times to switch input to DOM0)\n")
  const from = host.text.length
  host.type(key)
  host.runFor(2)
  const text = host.text.slice(from)
  host.type(SWITCH)
  host.waitFor("input -> DOM0 (type 'CTRL-a' three times to switch input to Xen)\n")
  host.type('\r')
  host.waitFor(/\[root@xenhost [^\]]*\]# $/)
  return text.replaceAll('(XEN) ', '')
}

const numbers = (text: string, pattern: RegExp): number[][] =>
  [...text.matchAll(pattern)].map(([, ...found]) => found.map(Number))

test('h, and that each key answers', () => {
  const keys = [...press('h').matchAll(/^ key '(.)' \(ascii '(\w\w)'\) => .+$/gm)]
  expect(keys.map(([, key]) => key).join('')).toBe('%0CHNQRacdhimnqrtuz')
  for (const [, key, code] of keys) {
    expect(key!.charCodeAt(0).toString(16)).toBe(code)
    if (key !== 'R') expect(press(key!), key).not.toBe('')
  }
  for (const other of 'eVvgMs\r\n ') expect(press(other), other).toBe('')
})

test('q and u: the domains of xm list, with their memory, state and names', () => {
  const list = rows(host)
  const q = press('q')
  expect(numbers(q, /General information for domain (\d+):\n.*nr_pages=(\d+) /g)).toEqual(
    list.map(({ id, mem }) => [id, mem * 256]),
  )
  expect(numbers(press('u'), /Domain (\d+) \(total: (\d+)\):\n {4}Node 0: (\d+)\n/g)).toEqual(
    list.map(({ id, mem }) => [id, mem * 256, mem * 256]),
  )
  const { id } = list.find(({ name }) => name === 'minimal')!
  const uuid = host.run(`xenstore-read /local/domain/${id}/vm`).output.replace('/vm/', '')
  expect(q).toContain(`    handle=${uuid} vm_assist=`)
  // Those that are down have bit 1 of their flags set.
  const vcpus = [...q.matchAll(/callbacks for domain (\d+):\n((?: {4}VCPU.*\n(?: {4}[^V].*\n)*)+)/g)]
  expect(vcpus.map(([, domain, text]) => [Number(domain), text!.match(/VCPU\d+: .* flags=[01] /g)!.length])).toEqual(
    list.map((row) => [row.id, row.vcpus]),
  )
  // It waits for its console: blocked, on no processor.
  expect(list.find((row) => row.id === id)?.state).toBe('-b----')
  expect(vcpus.find(([, domain]) => Number(domain) === id)?.[2]).toMatch(/\[has=F\] flags=1 /)
})

test('m and H: the free memory of xm info', () => {
  const [[dom]] = numbers(press('m'), /Dom heap: (\d+)kB free/g) as [[number]]
  expect(Math.floor(dom / 1024)).toBe(Number(info(host, 'free_memory')))
  const zones = numbers(press('H'), /\[zone=(\d+)\] -> (\d+) pages/g)
  expect(zones).toHaveLength(40)
  expect(zones.reduce((sum, [zone, pages]) => (zone === 0 ? sum : sum + pages!), 0) * 4).toBe(dom)
})

test('r, t, c, N: as many processors as xm info has; d says what each is doing', () => {
  const cpus = Number(info(host, 'nr_cpus'))
  expect(numbers(press('r'), /\tncpus +=\s(\d+)\n/g)).toEqual([[cpus]])
  expect(press('r').match(/^CPU\[\d\d\] {2}sort=/gm)).toHaveLength(cpus)
  expect(press('c').match(/^==cpu\d==$/gm)).toHaveLength(cpus)
  expect(press('d').match(/\*\*\* Dumping CPU\d host state: \*\*\*/g)).toHaveLength(cpus)
  const [[samples]] = numbers(press('t'), /Synced stime skew: .* samples=(\d+) /g) as [[number]]
  expect(numbers(press('t'), /Synced cycles skew: .* samples=(\d+) /g)).toEqual([[samples + 1]])
  const nmis = (): number => numbers(press('N'), /^ +\d\t +(\d+)$/gm).reduce((sum, [count]) => sum + count!, 0)
  const before = nmis()
  expect(press('n')).toMatch(/^Triggering NMI on APIC ID [01]\n/)
  expect(nmis()).toBe(before + 1)
})

test('i and z: the interrupts that domain 0 has; Q: its PCI devices; a: its timers', () => {
  const bound = numbers(press('i'), /^ {4}IRQ +(\d+) Vec.* domain-list=0\(/gm).flat()
  const known = host.run('grep Phys-irq /proc/interrupts').output
  expect(bound.length).toBeGreaterThan(0)
  expect(bound).toEqual(numbers(known, /^ *(\d+):/gm).flat())
  expect(press('z').match(/^ [0-9a-f]{2} \w{3} \w{2} {2}\d/gm)).toHaveLength(24)
  const devices = host.run('ls /sys/bus/pci/devices 2> /dev/null').output.split(/\s+/).filter(Boolean).sort()
  expect(
    [...press('Q').matchAll(/^(\S+) - dom 0 {3}- MSIs < >$/gm)].map(([, device]) => `0000:${device}`).sort(),
  ).toEqual(devices)
  expect(press('a')).toMatch(/^Dumping timer queues: NOW=0x[0-9A-F]{16}\nCPU\[00\] [\s\S]*\nCPU\[01\] /)
})

test('xm debug-keys is the same keys, into xm dmesg', () => {
  expect(host.run('xm dmesg -c > /dev/null; xm debug-keys m; xm dmesg').output.replaceAll('(XEN) ', '')).toContain(
    press('m').trim(),
  )
})
