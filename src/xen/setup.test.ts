/** The whole hypervisor on the real board: what it says, and what it leaves behind. */
import { describe, expect, test } from 'vitest'
import { ImageKind } from '#abi/image.ts'
import { MULTIBOOT_LOADER_MAGIC } from '#abi/pc/multiboot.ts'
import { EFAULT, EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import type { GuestEntry, VcpuExit } from '#abi/xen/guest.ts'
import {
  SCHEDOP_block,
  SCHEDOP_shutdown,
  SHUTDOWN_crash,
  SHUTDOWN_poweroff,
  SHUTDOWN_reboot,
  sched_shutdown,
} from '#abi/xen/sched.ts'
import { PAGE_SIZE, signedVaddr } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_console_io,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_xen_version,
  CONSOLEIO_read,
  CONSOLEIO_write,
  dom0_vga_console_info,
  shared_info,
  start_info,
  vcpu_info,
} from '#abi/xen/xen.ts'
import { start as idleDom0 } from '#testing/guests/idle-dom0.ts'
import { ENTRY, kernel, kernelFile, loaded, VIRT_BASE } from '#testing/xen-guest.ts'
import { TestHost, type TestHostOptions } from '#testing/xen-host.ts'
import { MAP_WRITABLE } from './arch-x86/mm.ts'
import { bug } from './common/bug.ts'
import {
  MEMZONE_XEN,
  NR_ZONES,
  PGC_allocated,
  PGC_count_mask,
  PGT_l4_page_table,
  PGT_type_mask,
  pfnDomZone,
} from './common/page-alloc.ts'

const SECOND = 1e9
const JUNK = { bytes: Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff), string: '/boot/vmlinuz root=/dev/sda1' }
const SERIAL = '/boot/xen-3.3.gz com1=115200,8n1 console=com1'
const SWITCH = '\x01\x01\x01'
const TO_DOM0 = '*** Serial input -> DOM0'
const IDLE: VcpuExit = { kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [SCHEDOP_block, 0] }
const text = (host: TestHost): string => host.serial.replaceAll('\r\n', '\n')
/** What was said after the last occurrence of `mark`. */
const since = (host: TestHost, mark: string): string => text(host).slice(text(host).lastIndexOf(mark) + mark.length)

function boot(cmdline: string, options: TestHostOptions = {}): TestHost {
  const host = new TestHost({ cmdline: `${SERIAL} ${cmdline}`, modules: [JUNK], ...options })
  host.boot()
  return host
}

function bootDom0(start: GuestEntry = idleDom0, cmdline = 'dom0_mem=65536', options: TestHostOptions = {}): TestHost {
  return boot(cmdline, {
    memoryMiB: 256,
    modules: [{ bytes: kernelFile() }],
    load: () => loaded(start),
    ...options,
  })
}

/** Booted, dom0 blocked, input switched to Xen. */
function keysHost(cmdline = ''): TestHost {
  const host = bootDom0(idleDom0, `dom0_mem=65536 ${cmdline}`)
  host.expect('blocking for ever')
  host.type(SWITCH)
  host.expect('switch input to DOM0)\r\n')
  return host
}

describe('the boot log', () => {
  test('up to the panic for a module that is no kernel', () => {
    const host = boot('noreboot', { memoryMiB: 512 })
    host.expect('Manual reset required')
    host.runFor(SECOND)
    expect(text(host)).toMatchSnapshot()
  })

  test('with an idle domain 0 and both consoles', () => {
    const host = bootDom0(idleDom0, 'dom0_mem=262144', {
      memoryMiB: 512,
      cmdline: `${SERIAL},vga dom0_mem=262144`,
    })
    host.expect('blocking for ever')
    expect(text(host)).toMatchSnapshot()
    expect(host.screen).toMatchSnapshot()
  })

  test('with everything logged', () => {
    const host = bootDom0(idleDom0, 'loglvl=all guest_loglvl=all dom0_mem=65536')
    host.expect('blocking for ever')
    expect(text(host)).toMatchSnapshot()
  })

  test.each<[string, readonly string[], readonly string[]]>([
    ['nosmp', ['Brought up 1 CPUs', 'Dom0 has maximum 1 VCPUs'], ['Booting processor', 'Total of', 'checking TSC']],
    ['maxcpus=1', ['Total of 1 processors activated.', 'Brought up 1 CPUs'], ['Booting processor', 'checking TSC']],
    ['dom0_max_vcpus=1', ['Brought up 2 CPUs', 'Dom0 has maximum 1 VCPUs'], []],
    ['dom0_max_vcpus=99', ['Dom0 has maximum 32 VCPUs'], []],
    ['no-bootscrub', ['Xen trace buffers: disabled'], ['Scrubbing']],
    ['clocksource=pit', ['Platform timer is 1.193MHz PIT'], ['WARNING']],
    ['clocksource=acpi', ['Platform timer is 3.579MHz ACPI PM Timer'], []],
    ['clocksource=cyclone', ["WARNING: Could not initialise clocksource 'cyclone'.", '14.318MHz HPET'], []],
    ['clocksource=sundial', ["WARNING: Unrecognised clocksource 'sundial'.", '14.318MHz HPET'], []],
    ['acpi=off', ['Brought up 1 CPUs'], ['ACPI: RSDP', 'Processor #0', 'ENABLING IO-APIC']],
    ['noapic', ['Processor #1', 'Brought up 1 CPUs'], ['ENABLING IO-APIC', 'Enabling APIC mode']],
    ['mem=128M', ['Truncating memory map to 131072kB', 'System RAM: 127MB (130684kB)'], []],
    ['badpage=0x2000-0x2003,0x3000', ['Marking pages 2000 through 2003 as bad', 'Marking page 3000 as bad'], []],
    ['loglvl=error', ['Command line'], []],
    ['conswitch=b', ["type 'CTRL-b' three times to switch input to Xen"], []],
    ['conswitch=`', ['*** Serial input -> DOM0\r\n'], ['three times']],
    ['conswitch=ax', ["*** Serial input -> Xen (type 'CTRL-a'"], [TO_DOM0]],
    ['xenheap_megabytes=32', ['Xen heap: 31MB'], []],
    ['console_timestamps', ['(XEN) [2009-05-12 06:3'], []],
  ])('%s', (option, said, unsaid) => {
    const host = bootDom0(idleDom0, `dom0_mem=65536 ${option}`)
    if (option === 'loglvl=error') {
      host.runFor(5 * SECOND)
      expect(text(host)).not.toContain('(XEN)')
      expect(text(host)).toContain('blocking for ever')
      return
    }
    host.expect('blocking for ever')
    for (const line of said) expect(host.serial).toContain(line)
    for (const line of unsaid) expect(host.serial).not.toContain(line)
  })

  test('sync_console: the warning, three seconds of it', () => {
    const host = bootDom0(idleDom0, 'dom0_mem=65536 sync_console')
    host.expect('3... ')
    const from = host.nowNs
    host.expect('blocking for ever')
    expect(host.nowNs - from).toBeGreaterThan(3 * SECOND)
    expect(text(host)).toContain('Console output is synchronous.\n(XEN) Command line')
    expect(text(host)).toContain('******* timekeeping. It is NOT recommended for production use!\n')
    expect(text(host)).toContain('(XEN) 3... 2... 1... \n')
  })

  test('on COM2', () => {
    const host = bootDom0(idleDom0, '', { cmdline: '/xen com2=38400,8n1 console=com2 dom0_mem=65536' })
    host.runFor(20 * SECOND)
    expect(String.fromCharCode(...host.com2)).toContain('blocking for ever')
    expect(host.com1).toEqual([])
  })

  test('with no serial line at all it is on the screen alone', () => {
    const host = bootDom0(idleDom0, '', { cmdline: '/xen vga=text-80x25,keep dom0_mem=65536' })
    host.runFor(5 * SECOND)
    expect(host.com1).toEqual([])
    expect(host.screen.join('\n')).toContain('Xen is keeping VGA console.')
    expect(host.screen.join('\n')).toContain('blocking for ever')
  })

  test('a bad console', () => {
    const host = bootDom0(idleDom0, '', { cmdline: '/xen console=com3,vga vga=keep dom0_mem=65536' })
    host.runFor(5 * SECOND)
    expect(host.xen.console.ringText()).toMatch(
      /^\(XEN\) ERROR: bad serial-interface specification 'com3,vga'\n __ {2}__ /,
    )
  })

  test('a polled UART has no interrupt, and its keys work', () => {
    const host = bootDom0(idleDom0, '', { cmdline: '/xen com1=115200,8n1,0x3f8,0 console=com1 dom0_mem=65536' })
    host.expect('blocking for ever')
    host.type(`${SWITCH}h`)
    host.expect('display multi-cpu clock info')
  })

  test.each(['noapic', 'acpi=off'])('%s: keys come by the 8259', (option) => {
    const host = keysHost(option)
    host.type('h')
    host.expect('display multi-cpu clock info')
  })
})

describe('an end before the beginning', () => {
  test('not started by a multiboot loader', () => {
    const host = boot('', { eax: MULTIBOOT_LOADER_MAGIC - 1 })
    host.runFor(SECOND)
    expect(host.serial).toBe('ERR: Not a Multiboot bootloader!')
    expect(host.screen[0]).toMatch(/^ERR: Not a Multiboot bootloader!/)
  })

  test.each<[string, TestHostOptions, string]>([
    ['no module', { modules: [] }, '(XEN) dom0 kernel not specified. Check bootloader configuration.\r\n'],
    ['16 MiB of RAM', { memoryMiB: 16 }, '(XEN) Not enough memory to relocate the dom0 kernel image.\r\n'],
    ['no room for Xen', { memoryMiB: 24 }, '(XEN) Not enough memory to relocate Xen.\r\n'],
  ])('%s', (_, options, words) => {
    const host = boot('', options)
    host.expect(words)
    host.runFor(60 * SECOND)
    expect(host.serial.endsWith(words), 'nothing after it, no reboot either').toBe(true)
    expect(host.resets).toBe(0)
    expect(host.probes.at(-1)).toEqual({ kind: 'halted' })
  })
})

describe('panic', () => {
  const SAID = [
    '(XEN) ',
    '(XEN) ****************************************',
    '(XEN) Panic on CPU 0:',
    '(XEN) Could not set up DOM0 guest OS',
    '(XEN) ****************************************',
    '(XEN) ',
    '',
  ].join('\n')

  test('reboots after five seconds', () => {
    const host = boot('')
    host.expect('Reboot in five seconds...\r\n')
    expect(text(host)).toContain(`${SAID}(XEN) Reboot in five seconds...\n`)
    expect(host.probes).toContainEqual({ kind: 'panic', message: 'Could not set up DOM0 guest OS' })
    host.runFor(4.9 * SECOND)
    expect(host.resets).toBe(0)
    host.runFor(0.2 * SECOND)
    expect(host.resets).toBeGreaterThan(0)
    expect(host.probes).not.toContainEqual({ kind: 'halted' })
  })

  test('R does not wait for them', () => {
    const host = boot('')
    host.expect('Reboot in five seconds...\r\n')
    host.type('hR')
    host.expect("'R' pressed -> rebooting machine\r\n")
    host.runFor(0.1 * SECOND)
    expect(host.resets).toBeGreaterThan(0)
    expect(text(host)).not.toContain('installed handlers')
  })

  test('noreboot: it stays, deaf to keys, until somebody resets it', () => {
    const host = boot('noreboot')
    host.expect("Manual reset required ('noreboot' specified)\r\n")
    host.runFor(SECOND)
    expect(host.probes.at(-1)).toEqual({ kind: 'halted' })
    const { length } = host.serial
    host.type('hmR')
    host.runFor(600 * SECOND)
    expect(host.serial).toHaveLength(length)
    expect(host.resets).toBe(0)
  })

  test.each<[string, TestHostOptions, string]>([
    ['too small for the kernel', {}, 'Domain 0 allocation is too small for kernel image.'],
    [
      'code that nobody here can run',
      { load: () => ({ ok: false, isImage: true, why: 'no image at 0xffffffff80200000' }) },
      'Could not set up DOM0 guest OS',
    ],
    ['an image of another kind', { load: () => loaded(idleDom0, ImageKind.program) }, 'Could not set up DOM0 guest OS'],
  ])('%s', (why, options, message) => {
    const host = bootDom0(idleDom0, why.startsWith('too') ? 'dom0_mem=1M' : 'dom0_mem=64M', options)
    host.expect('Reboot in five seconds...')
    expect(text(host)).toContain(`(XEN) Panic on CPU 0:\n(XEN) ${message}\n`)
  })

  test('a rule of its own broken: BUG, then panic', () => {
    const host = keysHost('noreboot')
    host.xen.heap.frames.countInfo.fill(7)
    host.xen.options.noreboot = true
    const { pcpus } = host.xen
    pcpus[0]!.push(
      (function* () {
        host.xen.heap.allocXenHeapPages(0)
        yield { kind: 'run' }
      })(),
    )
    host.type('x')
    host.expect('Manual reset required')
    expect(text(host)).toMatch(
      /\(XEN\) Xen BUG at common\/page-alloc\.ts: free frame [0-9a-f]+ has references\n\(XEN\) ----\[ Xen-3\.3\.0 {2}x86_64 {2}debug=n {2}Not tainted \]----\n\(XEN\) CPU: {4}0\n\(XEN\) CONTEXT: hypervisor {3}idle, interrupts on\n\(XEN\) Xen call trace:\n\(XEN\) {4}\[<xen\/common\/page-alloc\.ts>\]\n\(XEN\) \n/,
    )
  })
})

describe('keys', () => {
  test('h', () => {
    const host = keysHost()
    host.type('h')
    host.expect('clock info\r\n')
    expect(since(host, 'switch input to DOM0)\n')).toMatchSnapshot()
  })

  test('m says what the frame table holds', () => {
    const host = keysHost()
    host.type('m')
    host.expect('Dom heap')
    host.runFor(SECOND)
    const { heap } = host.xen
    const free = new Array<number>(NR_ZONES).fill(0)
    for (let mfn = 0; mfn < heap.frames.maxPage; mfn++) {
      if (!heap.frames.allocated[mfn]) free[heap.isXenHeap(mfn) ? MEMZONE_XEN : pfnDomZone(mfn)]!++
    }
    const zones = free.flatMap((pages, zone) =>
      zone === MEMZONE_XEN || pages === 0 ? [] : [`    heap[${String(zone).padStart(2, '0')}]: ${pages * 4}kB free`],
    )
    const total = free.reduce((sum, pages, zone) => (zone === MEMZONE_XEN ? sum : sum + pages), 0)
    expect(since(host, 'switch input to DOM0)\n').split('\n')).toEqual(
      [
        'Physical memory information:',
        `    Xen heap: ${free[MEMZONE_XEN]! * 4}kB free`,
        ...zones,
        `    Dom heap: ${total * 4}kB free`,
      ]
        .map((line) => `(XEN) ${line}`)
        .concat(''),
    )
    expect(zones.length).toBeGreaterThan(2)
  })

  test('H counts every zone', () => {
    const host = keysHost()
    host.type('H')
    host.expect('[zone=39] ->')
    host.runFor(SECOND)
    const lines = since(host, 'switch input to DOM0)\n').trimEnd().split('\n')
    expect(lines[0]).toMatch(/^\(XEN\) 'H' pressed -> dumping heap info \(now-0x[0-9A-F]+:[0-9A-F]{8}\)$/)
    expect(lines.slice(1)).toEqual(
      host.xen.heap.avail.map((pages, zone) => `(XEN) heap[node=0][zone=${zone}] -> ${pages} pages`),
    )
  })

  test('t counts its samples', () => {
    const host = keysHost()
    host.type('t')
    host.expect('samples=1 current')
    host.runFor(SECOND)
    host.type('t')
    host.expect('Synced cycles skew: max=')
    host.runFor(SECOND)
    const lines = since(host, 'switch input to DOM0)\n').trimEnd().split('\n')
    expect(lines).toHaveLength(4)
    for (const [i, line] of lines.entries()) {
      const samples = i < 2 ? 1 : 2
      expect(line).toMatch(
        i % 2 === 0
          ? new RegExp(`^\\(XEN\\) Synced stime skew: max=\\d+ns avg=\\d+ns samples=${samples} current=\\d+ns$`)
          : new RegExp(`^\\(XEN\\) Synced cycles skew: max=\\d+ avg=\\d+ samples=${samples} current=\\d+$`),
      )
    }
    // The clocks of one machine: within a microsecond.
    for (const number of lines.join(' ').matchAll(/max=(\d+)/g)) expect(Number(number[1])).toBeLessThan(1000)
  })

  test('n and N: an NMI, counted', () => {
    const host = keysHost()
    host.type('n')
    host.runFor(SECOND)
    host.type('N')
    host.expect('neither pending nor masked')
    expect(since(host, 'switch input to DOM0)\n')).toContain(
      '(XEN) Triggering NMI on APIC ID 0\n(XEN) CPU\tNMI\n(XEN)   0\t  1\n(XEN)   1\t  0\n',
    )
  })

  test('C, with no crash kernel', () => {
    const host = keysHost()
    host.type('C')
    host.expect("'C' pressed -> triggering crashdump\r\n(XEN)  * no crash kernel loaded!\r\n")
  })

  test('R reboots at once, all of its line said', () => {
    const host = keysHost()
    host.type('R')
    host.expect("'R' pressed -> rebooting machine\r\n", SECOND)
    host.runFor(0.1 * SECOND)
    expect(host.resets).toBeGreaterThan(0)
  })

  test('others do nothing', () => {
    const host = keysHost()
    const { length } = host.serial
    host.type('\r\n\x1bgMx~ 9')
    host.runFor(SECOND)
    expect(host.serial).toHaveLength(length)
  })

  test('while dom0 has the input they are its own', () => {
    const host = bootDom0()
    host.expect('blocking for ever\r\n')
    const { length } = host.serial
    host.type('hmR')
    host.runFor(SECOND)
    expect(host.serial).toHaveLength(length)
    expect(String.fromCharCode(...host.xen.console.readInput(10))).toBe('hmR')
  })

  test('before the end of boot they wait for it', () => {
    const host = bootDom0()
    // Interrupts are still off: the UART holds the byte.
    host.expect('checking TSC')
    host.type('m')
    host.expect('blocking for ever')
    expect(since(host, 'init memory.\n')).toMatch(/^\(XEN\) Physical memory information:\n/)
  })

  test('a dump larger than the transmit buffer is whole', () => {
    const host = keysHost('serial_tx_buffer=512B')
    host.type('H')
    host.expect('[zone=39] ->')
    expect(since(host, 'switch input to DOM0)\n').split('\n').length).toBeGreaterThan(40)
  })
})

describe('the NMI button', () => {
  test.each([
    ['', ''],
    ['nmi=ignore', ''],
    [
      'nmi=fatal',
      '(XEN) Uhhuh. NMI received for unknown reason 20.\n(XEN) Dazed and confused, but trying to continue\n' +
        '(XEN) Do you have a strange power saving mode enabled?\n',
    ],
  ])('%s', (option, words) => {
    const host = keysHost(option)
    host.machine.nmiButton()
    host.runFor(SECOND)
    // The reason is port 61h as it stands: only what the bits 6 and 7 do not say.
    expect(since(host, 'switch input to DOM0)\n').replace(/reason [0-9a-f]{2}\./, 'reason 20.')).toBe(words)
    const reason = shared_info.fields.nmi_reason.get(host.machine.mem, host.xen.domains.get(0)!.sharedInfo * PAGE_SIZE)
    expect(reason).toBe(option === '' ? 4n : 0n)
    host.type('N')
    host.expect('  0\t  1')
  })

  test('on a halted host it changes nothing', () => {
    const host = boot('noreboot')
    host.expect('Manual reset required')
    host.runFor(SECOND)
    host.machine.nmiButton()
    host.runFor(SECOND)
    expect(host.xen.pcpus[0]!.nmis).toBe(1)
    expect(host.serial.endsWith("('noreboot' specified)\r\n")).toBe(true)
  })
})

describe('domain 0', () => {
  test('its memory: owned, counted, mapped, and listed both ways', () => {
    const ramdisk = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7) & 0xff)
    const host = bootDom0(idleDom0, 'dom0_mem=65536 -- quiet  splash', {
      modules: [{ bytes: kernelFile(), string: '/boot/vmlinuz ro root=/dev/hda1' }, { bytes: ramdisk }],
    })
    host.expect('blocking for ever')
    const { xen, machine } = host
    const { mem } = machine
    const dom0 = xen.domains.get(0)!
    const { frames } = xen.heap
    const pages = 65536 / 4
    expect(dom0.totPages).toBe(pages)
    let owned = 0
    for (let mfn = 0; mfn < frames.maxPage; mfn++) {
      if (frames.owner[mfn] !== 0 || xen.heap.isXenHeap(mfn)) continue
      owned++
      expect(frames.allocated[mfn]).toBe(1)
      expect(frames.countInfo[mfn]! >= PGC_allocated).toBe(true)
    }
    expect(owned).toBe(pages)

    const base = signedVaddr(VIRT_BASE)
    const at = (va: number): number => dom0.pageMap.translate(va, false)
    expect(mem.read32(at(signedVaddr(ENTRY)))).toBe(0x4d495058)
    // start_info is found by its magic, as a kernel finds it by RSI.
    let startInfo = signedVaddr(ENTRY)
    while (mem.read64(at(startInfo)) !== 0x302e332d6e6578n + (0x2dn << 56n)) startInfo += PAGE_SIZE
    const info = start_info.read(mem, at(startInfo))
    expect(String.fromCharCode(...info.magic).replace(/\0+$/, '')).toBe('xen-3.0-x86_64')
    expect(String.fromCharCode(...info.cmd_line).replace(/\0+$/, '')).toBe('ro root=/dev/hda1 quiet  splash')
    expect(info).toMatchObject({ nr_pages: pages, shared_info: dom0.sharedInfo * PAGE_SIZE, flags: 3, mod_len: 5000 })
    expect(dom0_vga_console_info.read(mem, at(startInfo) + info.console_info_off)).toMatchObject({
      video_type: 3,
      columns: 80,
      rows: 25,
      font_height: 16,
    })
    for (let i = 0; i < ramdisk.length; i += 500) expect(mem.read8(at(info.mod_start + i))).toBe(ramdisk[i])
    for (let pfn = 0; pfn < pages; pfn += 97) {
      const mfn = Number(mem.read64(at(info.mfn_list + pfn * 8)))
      expect(frames.owner[mfn]).toBe(0)
      expect(frames.m2p.get(mfn)).toBe(pfn)
    }
    // The page tables say what the page map says, and are read-only.
    const walk = (va: number): bigint => {
      let table = at(info.pt_base)
      for (const shift of [39n, 30n, 21n]) {
        const entry = mem.read64(table + Number((BigInt.asUintN(64, BigInt(va)) >> shift) & 511n) * 8)
        expect(entry & 1n).toBe(1n)
        table = Number(entry & 0xffffffffff000n)
      }
      return mem.read64(table + Number((BigInt.asUintN(64, BigInt(va)) >> 12n) & 511n) * 8)
    }
    for (let va = base; va < base + 0x400000; va += 17 * PAGE_SIZE) {
      const entry = walk(va)
      expect(Number(entry & 0xffffffffff000n)).toBe(at(va))
      const mapping = dom0.pageMap.lookup(va / PAGE_SIZE)
      expect(mapping >>> 2).toBe(at(va) / PAGE_SIZE)
      expect((entry & 2n) !== 0n).toBe((mapping & MAP_WRITABLE) !== 0)
    }
    expect(walk(info.pt_base) & 2n).toBe(0n)
    const root = at(info.pt_base) / PAGE_SIZE
    expect((frames.typeInfo[root]! & PGT_type_mask) >>> 0).toBe(PGT_l4_page_table)
    expect(frames.countInfo[root]! & PGC_count_mask).toBe(4)
    // All of its vCPUs begin with events masked; the clock on its shared page is the host's.
    for (let i = 0; i < 32; i++) {
      const mask = vcpu_info.fields.evtchn_upcall_mask.get(mem, dom0.sharedInfo * PAGE_SIZE + i * vcpu_info.size)
      // vcpu0 has unmasked itself by blocking.
      expect(mask).toBe(i === 0 ? 0 : 1)
    }
    expect(shared_info.fields.wc_sec.get(mem, dom0.sharedInfo * PAGE_SIZE)).toBeGreaterThanOrEqual(1242109972)
  })

  /** Does `act` once in dom0, then blocks. */
  const once = (act: Parameters<typeof kernel>[0]): GuestEntry => {
    let done = false
    return kernel((vcpu, result) => {
      if (done) return IDLE
      done = true
      return act(vcpu, result)
    })
  }
  const scratch = signedVaddr(VIRT_BASE) + 0x3ff000

  test.each([
    [SHUTDOWN_poweroff, '', '(XEN) Domain 0 halted: halting machine.\n', 'halted'],
    [SHUTDOWN_reboot, 'noreboot', '(XEN) Domain 0 shutdown: rebooting machine.\n', 'reset'],
    [SHUTDOWN_crash, '', '(XEN) Domain 0 crashed: rebooting machine in 5 seconds.\n', 'reset'],
    [SHUTDOWN_crash, 'noreboot', "(XEN) Domain 0 crashed: 'noreboot' set - not rebooting.\n", 'halted'],
    [9, '', '(XEN) Domain 0 shutdown (unknown reason 9): rebooting machine in 5 seconds.\n', 'reset'],
  ])('shutdown with reason %i %s', (reason, option, words, end) => {
    const guest = once(({ mem }) => {
      sched_shutdown.write(mem, scratch, { reason })
      return { kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [SCHEDOP_shutdown, scratch] }
    })
    const host = bootDom0(guest, `dom0_mem=65536 ${option}`)
    host.expect('Domain 0 ')
    host.runFor(6 * SECOND)
    expect(since(host, 'init memory.\n')).toBe(words)
    expect(host.resets > 0).toBe(end === 'reset')
    if (end === 'halted') expect(host.probes.at(-1)).toEqual({ kind: 'halted' })
  })

  test.each<[string, GuestEntry, string]>([
    [
      'throws',
      once(() => {
        throw new Error('Unable to handle kernel NULL pointer dereference')
      }),
      'test-kernel: Unable to handle kernel NULL pointer dereference (guest.ts:7)',
    ],
    [
      'throws at its entry',
      () => {
        throw new Error('no')
      },
      'test-kernel: no (guest.ts:7)',
    ],
    [
      'reads what is not there',
      once(({ mem }) => ({ kind: 'hypercall', nr: mem.read8(0), args: [] })),
      'test-kernel: page fault: reading 0000000000000000 (guest.ts:7)',
    ],
    [
      'writes its page tables',
      once(({ mem, startInfo }) => {
        mem.write8(start_info.fields.pt_base.get(mem, startInfo), 0)
        return IDLE
      }),
      'test-kernel: page fault: writing ffffffff80',
    ],
  ])('a kernel that %s takes the host with it', (_, guest, why) => {
    const host = bootDom0(guest)
    host.expect('rebooting machine in 5 seconds.')
    expect(since(host, 'init memory.\n')).toContain(
      `(XEN) Domain 0 (vcpu#0) crashed on cpu#0:\n(XEN) ----[ Xen-3.3.0  x86_64  debug=n  Not tainted ]----\n(XEN) CPU:    0\n(XEN) ${why}`,
    )
    host.runFor(6 * SECOND)
    expect(host.resets).toBeGreaterThan(0)
  })

  test('hypercalls: what is not there, and pointers that lead nowhere', () => {
    const results: number[] = []
    const guest = once(({ hypercall, mem }) => {
      results.push(
        hypercall(99),
        hypercall(-1),
        hypercall(__HYPERVISOR_xen_version, 0, 0),
        hypercall(__HYPERVISOR_xen_version, 7, 0),
        hypercall(__HYPERVISOR_xen_version, 77, 0),
        hypercall(__HYPERVISOR_xen_version, 1, 0x1000),
        hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, 5, 0x1000),
        hypercall(__HYPERVISOR_console_io, CONSOLEIO_read, 5, scratch),
        hypercall(__HYPERVISOR_console_io, 9, 0, 0),
        hypercall(__HYPERVISOR_xen_version, 1, scratch),
        mem.read16(scratch),
      )
      return IDLE
    })
    const host = bootDom0(guest)
    host.expect('init memory')
    host.runFor(SECOND)
    expect(results).toEqual([-ENOSYS, -ENOSYS, 0x30003, 4096, -ENOSYS, -EFAULT, -EFAULT, 0, -ENOSYS, 0, 0x302e])
  })

  test('giving the processor up is done by returning', () => {
    const results: number[] = []
    const guest = once(({ hypercall, mem }) => {
      sched_shutdown.write(mem, scratch, { reason: SHUTDOWN_poweroff })
      results.push(
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, scratch),
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_block, 0),
      )
      return IDLE
    })
    const host = bootDom0(guest)
    host.expect('init memory')
    host.runFor(SECOND)
    expect(results).toEqual([-EINVAL, -EINVAL])
    expect(text(host)).not.toContain('Domain 0 halted')
  })

  test("a bug of Xen's inside a hypercall is no business of the guest's", () => {
    const guest = once(({ hypercall }) => {
      try {
        hypercall(__HYPERVISOR_console_io, CONSOLEIO_read, 1, scratch)
      } catch {
        // A guest that swallows everything.
      }
      return IDLE
    })
    const host = bootDom0(guest)
    host.expect('checking TSC')
    host.xen.console.readInput = () => bug('a test')
    host.expect('Reboot in five seconds...')
    expect(text(host)).toContain('(XEN) Panic on CPU 0:\n(XEN) Xen BUG at a test\n')
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a number', 7],
    ['no code', {}],
    ['an exit without kind', { run: () => undefined, upcall() {} }],
    [
      'an exit that throws when looked at',
      {
        run: () => ({
          kind: 'hypercall',
          get nr(): number {
            throw new Error('trap')
          },
        }),
        upcall() {},
      },
    ],
  ])('a kernel that gives Xen %s', (_, code) => {
    const host = bootDom0(() => code as ReturnType<GuestEntry>)
    host.expect('in 5 seconds.')
    expect(text(host)).toContain('(XEN) Domain 0 (vcpu#0) crashed on cpu#0:\n')
  })

  test('console input reaches it, as far as it asks', () => {
    let got = ''
    const guest = kernel(({ hypercall, mem }) => {
      const count = hypercall(__HYPERVISOR_console_io, CONSOLEIO_read, 3, scratch)
      for (let i = 0; i < count; i++) got += String.fromCharCode(mem.read8(scratch + i))
      return got === 'xyz\x01w' ? IDLE : { kind: 'run' }
    })
    const host = bootDom0(guest)
    host.expect(TO_DOM0)
    host.type('xyz\x01w')
    expect(host.runUntil(() => got === 'xyz\x01w', 5 * SECOND)).toBe(true)
  })

  test('a torrent of text is neither lost nor let ahead of the line', () => {
    const line = `${'0123456789'.repeat(12)}\n`
    let lines = 0
    const guest = kernel(({ hypercall, mem }) => {
      if (lines === 80) return IDLE
      lines++
      for (let i = 0; i < line.length; i++) mem.write8(scratch + i, line.charCodeAt(i))
      hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, line.length, scratch)
      return { kind: 'run' }
    })
    const host = bootDom0(guest, 'dom0_mem=65536 serial_tx_buffer=4K')
    host.expect('init memory.')
    host.runFor(0.2 * SECOND)
    // 11520 characters a second, and a transmit buffer of 4096, of which a guest gets half.
    expect(lines).toBeGreaterThan(20)
    expect(lines).toBeLessThan(50)
    host.runFor(SECOND)
    expect(since(host, 'init memory.\n')).toBe(line.repeat(80))
  })
})

test('an idle host sleeps: nothing is left to happen', () => {
  const host = bootDom0()
  host.expect('blocking for ever')
  host.runFor(SECOND)
  expect(host.machine.events.nextNs()).toBe(Number.POSITIVE_INFINITY)
})
