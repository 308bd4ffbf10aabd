/** Options of the command line that a whole boot shows the effect of, and the builds that there are. */
import { describe, expect, test } from 'vitest'
import { EINVAL } from '#abi/xen/errno.ts'
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_interdomain,
  EVTCHNOP_bind_ipi,
  EVTCHNOP_bind_virq,
  EVTCHNSTAT_interdomain,
  EVTCHNSTAT_ipi,
  EVTCHNSTAT_unbound,
  EVTCHNSTAT_virq,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_ipi,
  evtchn_bind_virq,
} from '#abi/xen/event_channel.ts'
import { XENVER_extraversion, XENVER_version } from '#abi/xen/version.ts'
import { __HYPERVISOR_xen_version, DOMID_SELF, start_info, VIRQ_DEBUG } from '#abi/xen/xen.ts'
import type { XrayPort } from '#protocol/xray.ts'
import { kernelFile, loaded } from '#testing/xen-guest.ts'
import { TestHost } from '#testing/xen-host.ts'
import { BLOCK, type ScriptGuest, script } from '#testing/xen-script.ts'
import { vcpuSetAffinity } from './common/schedule.ts'
import { BUILD, type Build } from './config.ts'

const SECOND = 1e9
const XEN_34: Build = { subversion: 4, extraversion: '.0', debug: false }
const DEBUG: Build = { ...BUILD, debug: true }

interface Booted {
  readonly host: TestHost
  readonly guest: ScriptGuest
  /** All that COM1 has said. */
  readonly said: string
  /** The start_info that dom0 was given, and its command line. */
  readonly flags: number
  readonly cmdline: string
}

const plain = (host: TestHost): string => host.serial.replaceAll('\r', '')

function hostOf(options: string, build: Build = BUILD, body?: (guest: ScriptGuest) => void): TestHost {
  const host = new TestHost({
    memoryMiB: 256,
    build,
    cmdline: `/boot/xen.gz com1=115200,8n1 console=com1 dom0_mem=65536 ${options}`,
    modules: [{ bytes: kernelFile(), string: '/boot/vmlinuz ro' }],
    load: () =>
      loaded(
        script(function* (guest) {
          body?.(guest)
          for (;;) yield BLOCK
        }),
      ),
  })
  host.boot()
  return host
}

function boot(options: string, build?: Build): Booted {
  let guest: ScriptGuest | undefined
  const host = hostOf(options, build, (one) => {
    guest = one
  })
  host.expect('init memory.\r\n')
  host.runFor(SECOND / 10)
  const { mem, startInfo } = guest!.vcpu
  const { flags, cmd_line } = start_info.read(mem, startInfo)
  const text = String.fromCharCode(...cmd_line)
  return { host, guest: guest!, said: plain(host), flags, cmdline: text.slice(0, text.indexOf('\0')) }
}

/** Input is Xen's from then on. */
function press(host: TestHost, keys: string): string {
  if (!host.xen.console.xenRx) {
    host.type('\x01\x01\x01')
    host.expect('input to DOM0)\r\n')
  }
  const from = host.serial.length
  host.type(keys)
  host.runFor(SECOND / 2)
  return host.serial.slice(from).replaceAll('\r', '')
}

describe('what is said', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['sched=credit', ['(XEN) Using scheduler: SMP Credit Scheduler (credit)\n'], ['Could not find']],
    [
      'sched=sedf',
      ['(XEN) Could not find scheduler: sedf\n(XEN) Using scheduler: SMP Credit Scheduler (credit)\n'],
      [],
    ],
    ['sched=round-robin', ['Could not find scheduler: round-rob\n'], []],
    ['numa=on loglvl=all', ['(XEN) No NUMA configuration found\n(XEN) Faking a node at 0'], ['NUMA turned off']],
    ['loglvl=info', ['(XEN) NUMA turned off\n(XEN) Faking a node at 0'], ['No NUMA']],
    ['ioapic_ack=old', [' -> Using old ACK method\n'], []],
    ['apic_verbosity=verbose', ['enabled ExtINT on CPU#0\n', 'masked ExtINT on CPU#1\n'], ['Getting VERSION']],
    ['watchdog', ['(XEN) Testing NMI watchdog --- CPU#0 stuck. CPU#1 stuck. \n'], []],
    ['watchdog maxcpus=1', ['(XEN) Testing NMI watchdog --- CPU#0 stuck. \n'], []],
    ['iommu=pv,no-pv', ['I/O virtualisation disabled\n'], []],
    ['gdb=com2 unheard_of=3 no-such', ['(XEN) Command line: com1=115200,8n1 console=com1 '], ['GDB', 'ERROR']],
    ['acpi_skip_timer_override', ['ACPI: BIOS IRQ0 pin2 override ignored.\n'], []],
    ['acpi=noirq', ['Brought up 1 CPUs\n'], ['ENABLING IO-APIC', 'Booting processor']],
    ['acpi=ht', ['ACPI: RSDP', 'Brought up 1 CPUs\n'], ['ENABLING IO-APIC']],
    ['crashkernel=16M@64M', ['(XEN) Kdump: 16MB (16384kB) at 0x4000000\n'], []],
    ['crashkernel=16M', ['(XEN) Kdump: 16MB (16384kB) at 0x'], []],
    ['crashkernel=16M@1000M', ['(XEN) Kdump: DISABLED (failed to reserve 16MB (16384kB) at 0x3e800000)\n'], []],
    ['crashkernel=900M', [], ['Kdump']],
  ])('%s', (options, wanted, unwanted) => {
    const { said } = boot(options)
    for (const words of wanted) expect(said).toContain(words)
    for (const words of unwanted) expect(said).not.toContain(words)
  })

  test('apic_verbosity=debug: the registers as they are, and the clocks as they were measured', () => {
    const { host, said } = boot('apic_verbosity=debug loglvl=all')
    expect(said).toMatch(
      /Getting VERSION: (\w+)\n\(XEN\) Getting VERSION: \1\n\(XEN\) Getting ID: 0\n\(XEN\) Getting LVT0: \w+\n/,
    )
    expect(said).toContain(`\n(XEN) ..... CPU clock speed is ${Math.floor(host.xen.time.tscHz / 1e6)}.`)
    expect(said).toContain(`\n(XEN) ..... host bus clock speed is ${Math.floor(host.xen.time.busHz / 1e6)}.`)
    expect(said).toContain('.... IRQ redirection table:\n')
  })

  test('a value that is none is complained of before there is a console, and so in the ring alone', () => {
    const { host, said } = boot('ioapic_ack=newest')
    expect(said).not.toContain('ioapic_ack value')
    expect(host.xen.console.ringText()).toMatch(/^\(XEN\) Unknown ioapic_ack value specified: 'newest'\n __ {2}__/)
  })

  test('iommu=force where there is none', () => {
    const host = hostOf('iommu=force')
    host.expect('Reboot in five seconds...')
    expect(plain(host)).toContain('(XEN) Panic on CPU 0:\n(XEN) IOMMU setup failed, crash Xen for security purpose!\n')
  })
})

describe('what becomes of dom0', () => {
  test.each<[string, number, string]>([
    ['', 3, 'ro'],
    ['cpuidle', 0x103, 'ro'],
    ['cpufreq=xen', 0x203, 'ro'],
    ['cpuidle cpufreq=xen no-cpuidle', 0x203, 'ro'],
    ['noapic acpi=strict', 3, 'ro noapic acpi=strict'],
    ['acpi_skip_timer_override', 3, 'ro acpi_skip_timer_override'],
  ])('%s', (options, flags, cmdline) => {
    expect(boot(options)).toMatchObject({ flags, cmdline })
  })

  test.each([
    ['dom0_vcpus_pin', '0', '1', -EINVAL],
    ['cpufreq=dom0-kernel', '0', '1', -EINVAL],
    ['', '0-31', '0-31', 0],
  ])('%s: affinity', (options, first, second, answer) => {
    const { host } = boot(options)
    const text = press(host, 'q')
    expect(text).toMatch(
      new RegExp(`VCPU0: CPU0 .* cpu_affinity=.${first}.\\n[\\s\\S]*VCPU1: CPU1 .* cpu_affinity=.${second}.\\n`),
    )
    const vcpu = host.xen.domains.get(0)!.vcpus[0]!
    host.inXen((xen) => expect(vcpuSetAffinity(xen, vcpu, Uint8Array.of(1, 0, 0, 0))).toBe(answer))
  })

  test('dom0_ioports_disable', () => {
    const { host, said } = boot('dom0_ioports_disable=2f8-2ff,3f0-3e0,70,xyz,0-10000')
    expect(said).toContain('(XEN) Disabling dom0 access to ioport range 02f8-02ff\n')
    expect(said).toContain('(XEN) Disabling dom0 access to ioport range 0070-0070\n')
    for (const range of ['3f0-3e0', 'xyz', '0-10000'])
      expect(said).toContain(`(XEN) Invalid ioport range <${range}> in dom0_ioports_disable, skipping\n`)
    const { ioportCaps } = host.xen.domains.get(0)!
    expect([0x2f7, 0x2f8, 0x2ff, 0x300, 0x70, 0x71].map((port) => ioportCaps.contains(port, port))).toEqual([
      true,
      false,
      false,
      true,
      false,
      true,
    ])
  })

  test("crashkernel: what is kept for it is nobody else's", () => {
    const free = (options: string): number => boot(options).host.xen.heap.availDomHeapPages()
    const all = free('')
    expect(all - free('crashkernel=16M@64M')).toBe(4096)
    expect(all - free('crashkernel=16M')).toBe(4096)
    const { host, said } = boot('crashkernel=16M')
    const { start, size } = host.xen.options.crashkernel
    expect(said).toContain(`Kdump: ${size / 2 ** 20}MB (${size / 1024}kB) at 0x${start.toString(16)}\n`)
    expect(boot('crashkernel=16M@1000M').host.xen.options.crashkernel).toEqual({ size: 0, start: 0 })
  })
})

test('dma_bits: low memory is counted apart', () => {
  const { host, said } = boot('dma_bits=27')
  expect(said).toContain('(XEN) Domain heap initialised DMA width 27 bits\n')
  const { heap } = host.xen
  const text = press(host, 'm')
  const low = heap.availHeapPages(1, 14) * 4
  expect(low).toBeGreaterThan(100_000)
  expect(text).toContain(`    DMA heap: ${low}kB free\n`)
  expect(text).toContain(`    Dom heap: ${heap.availDomHeapPages() * 4 - low}kB free\n`)
})

test('max_cstate', () => {
  expect(press(boot('max_cstate=1').host, 'c')).toContain('max_cstate:\t\tC1\n')
  expect(press(boot('').host, 'c')).toContain('max_cstate:\t\tC2\n')
})

describe('the watchdog', () => {
  test('hearts beat once a second; NMIs between two beats are too many from the fifth on', () => {
    const { host } = boot('watchdog')
    expect(press(host, 'a').match(/NMI watchdog ex=/g)).toHaveLength(2)
    const beats = host.xen.pcpus.map(({ watchdog }) => watchdog.beats)
    host.runFor(5 * SECOND)
    expect(host.xen.pcpus.map(({ watchdog }, i) => watchdog.beats - beats[i]!)).toEqual([5, 5])
    for (let i = 0; i < 20; i++) {
      host.machine.nmiButton()
      host.runFor(1.1 * SECOND)
    }
    expect(host.serial).not.toContain('stuck!')
    for (let i = 0; i < 6; i++) {
      host.machine.nmiButton()
      host.runFor(SECOND / 100)
    }
    host.expect('Reboot in five seconds...')
    expect(plain(host)).toContain('(XEN) Watchdog timer detects that CPU0 is stuck!\n(XEN) ----[ Xen-3.3.0 ')
    expect(plain(host)).toContain('(XEN) FATAL TRAP: vector = 2 (nmi)\n(XEN) [error_code=0000] ')
  })
})

describe('a debug build', () => {
  const { host, said } = boot('', DEBUG)

  test('logs everything and says so', () => {
    expect(said).toContain('(XEN) Std. Loglevel: All\n(XEN) Guest Loglevel: All\n')
    expect(said).toContain('(XEN) Initializing CPU#0\n')
    expect(press(host, 'd')).toContain('----[ Xen-3.3.0  x86_64  debug=y  Not tainted ]----')
  })

  test('has keys O and S, and a counter of its own in r', () => {
    expect(press(host, 'h')).toContain(" key 'O' (ascii '4f') => toggle shadow audits\n")
    expect(press(host, 'h')).toContain(" key 'S' (ascii '53') => reset shadow pagetables\n")
    expect(press(host, 'O') + press(host, 'O')).toBe(
      '(XEN) shadow_audit_key shadow_audit_enable=1\n(XEN) shadow_audit_key shadow_audit_enable=0\n',
    )
    expect(press(host, 'S')).toBe("(XEN) 'S' pressed -> blowing all shadow tables\n")
    const [, checks, schedules] = /stats:\n\(XEN\) \tvcpu_check +=\s(\d+)\n\(XEN\) \tschedule +=\s(\d+)\n/.exec(
      press(host, 'r'),
    )!
    expect(Number(checks)).toBe(2 * Number(schedules))
  })

  test('takes an NMI of unknown reason for fatal', () => {
    host.machine.nmiButton()
    host.runFor(SECOND)
    expect(host.serial).toContain('Uhhuh. NMI received')
  })
})

describe('Xen 3.4.0', () => {
  const { host, guest, said } = boot('mem=200M conring_size=40k', XEN_34)

  test('says who it is', () => {
    expect(said.split('\n').slice(0, 6)).toEqual([
      ' __  __            _____ _  _    ___  ',
      ' \\ \\/ /___ _ __   |___ /| || |  / _ \\ ',
      "  \\  // _ \\ '_ \\    |_ \\| || |_| | | |",
      '  /  \\  __/ | | |  ___) |__   _| |_| |',
      ' /_/\\_\\___|_| |_| |____(_) |_|(_)___/ ',
      '                                      ',
    ])
    expect(said).toContain('(XEN) Xen version 3.4.0 (root@')
    expect(guest.call(__HYPERVISOR_xen_version, XENVER_version, 0)).toBe(0x30004)
    expect(guest.call(__HYPERVISOR_xen_version, XENVER_extraversion, guest.scratch)).toBe(0)
    expect(press(host, 'd')).toContain('----[ Xen-3.4.0  x86_64  debug=n  Not tainted ]----')
  })

  test('has a larger ring, if asked for one, with all that was said', () => {
    expect(said).toContain('(XEN) Truncating RAM from 262016kB to 204800kB\n')
    expect(said).toContain('(XEN) Allocated console ring of 32768 bytes.\n(XEN) Brought up 2 CPUs\n')
    expect(host.xen.console.ring).toHaveLength(32768)
    expect(host.xen.console.ringText()).toMatch(/^ __ {2}__ /)
    const greedy = boot('conring_size=64M', XEN_34)
    expect(greedy.said).toContain('(XEN) Unable to allocate console ring of 67108864 bytes.\n')
    expect(greedy.host.xen.console.ring).toHaveLength(16384)
    expect(boot('conring_size=8k', XEN_34).host.xen.console.ring).toHaveLength(16384)
    expect(boot('conring_size=64k').host.xen.console.ring).toHaveLength(16384)
  })

  test('key e agrees with the ports, key q with the domain', () => {
    guest.evtchn(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, { dom: DOMID_SELF, remote_dom: 7 })
    const { totPages } = host.xen.domains.get(0)!
    const text = press(host, 'e')
    expect(text).toMatch(
      /^\(XEN\) 'e' pressed -> dumping event-channel info\n\(XEN\) Domain 0 polling vCPUs: 00000000\n\(XEN\) Event channel information for domain 0:\n/,
    )
    expect(text).toContain('(XEN)        1[0/0]: s=2 n=0 d=7 x=0\n')
    expect(press(host, 'h')).toContain(" key 'd' (ascii '64') => dump registers\n(XEN)  key 'e' (ascii '65') => ")
    const q = press(host, 'q')
    expect(q).toContain(` dying=0 nr_pages=${totPages} `)
    expect(q).toContain(' max_pages=4294967295\n')
    expect(q).toMatch(/flags=1 poll=0 upcall_pend = /)
  })

  test('key e says of every port what the X-ray panel draws, which the tracer has told', () => {
    const { host, guest } = boot('', XEN_34)
    guest.evtchn(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, { dom: DOMID_SELF, remote_dom: 7 })
    // To itself, both ends.
    guest.evtchn(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, { dom: DOMID_SELF, remote_dom: DOMID_SELF })
    guest.evtchn(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain, { remote_dom: DOMID_SELF, remote_port: 2 })
    guest.evtchn(EVTCHNOP_bind_virq, evtchn_bind_virq, { virq: VIRQ_DEBUG, vcpu: 0 })
    guest.evtchn(EVTCHNOP_bind_ipi, evtchn_bind_ipi, { vcpu: 0 })
    const text = press(host, 'e')
    const boundTo: Readonly<Record<number, (port: XrayPort) => string>> = {
      [EVTCHNSTAT_unbound]: ({ remoteDomid }) => ` d=${remoteDomid}`,
      [EVTCHNSTAT_interdomain]: ({ remoteDomid, remote }) => ` d=${remoteDomid} p=${remote}`,
      [EVTCHNSTAT_virq]: ({ remote }) => ` v=${remote}`,
      [EVTCHNSTAT_ipi]: () => '',
    }
    const drawn = [...host.xray.ports].sort((a, b) => a.port - b.port)
    expect(drawn).toHaveLength(5)
    expect([...text.matchAll(/ (\d+)\[\d\/\d\]: (s=\d) n=0(.*) x=0$/gm)].map((match) => match.slice(1))).toEqual(
      drawn.map((port) => [String(port.port), `s=${port.status + 1}`, boundTo[port.status]!(port)]),
    )
  })

  test('key r has no books, key c nothing to show', () => {
    const r = press(host, 'r')
    expect(r).toContain(
      '\tticks per acct     = 3\n(XEN) \tmigration delay    = 0us\n(XEN) idlers: 00000003\n(XEN) active vcpus:\n',
    )
    expect(r).toContain('sort=0, sibling=00000001, core=00000003\n')
    expect(press(host, 'c')).toBe('')
  })
})
