/** What lies in memory when a kernel is started. */
import { gzipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { Elf32_Shdr } from '#abi/elf.ts'
import { memOf } from '#abi/mem.ts'
import * as mb from '#abi/pc/multiboot.ts'
import { diskWith, elfKernel, type Files, type KernelOptions } from '#testing/boot-disk.ts'
import { BootRig } from '#testing/boot-rig.ts'
import { multibootInfo } from '#testing/multiboot-info.ts'
import { start } from '../stage2.ts'

const gzip = (content: Uint8Array): Uint8Array => gzipSync(content, { mtime: 0 })
const pattern = (length: number): Uint8Array => new Uint8Array(length).map((_, i) => (i * 31 + (i >> 8)) & 0xff)

/** Boot `lines` as an entry without a person. */
function bootLines(files: Files, ...lines: readonly string[]): BootRig {
  const disk = diskWith({ ...files, '/boot/grub/menu.lst': `timeout 0\ntitle T\n${lines.join('\n')}\n` })
  return new BootRig({ disk }).start(start)
}

const bootKernel = (options: KernelOptions, ...lines: readonly string[]): BootRig =>
  bootLines(
    { '/xen': elfKernel(options), '/dom0': pattern(5000), '/initrd': pattern(300) },
    'kernel /xen a b',
    ...lines,
  )

describe('the information structure', () => {
  const rig = bootKernel({}, 'module /dom0 ro root=/dev/hda1', 'module (hd0,0)/initrd')
  const found = multibootInfo(rig)!

  test('flags, memory, boot device, names', () => {
    const { info } = found
    expect(info.flags).toBe(
      mb.MBI_MEMORY |
        mb.MBI_BOOTDEV |
        mb.MBI_CMDLINE |
        mb.MBI_MODULES |
        mb.MBI_ELF_SHDR |
        mb.MBI_MEMMAP |
        mb.MBI_DRIVES |
        mb.MBI_CONFIG |
        mb.MBI_LOADERNAME,
    )
    expect([info.mem_lower, info.mem_upper]).toEqual([639, 15360])
    expect(info.boot_device).toBe(0x8000ffff)
    expect(found.commandLine).toBe('/xen a b')
    expect(found.loader).toBe('GNU GRUB 0.97')
    expect([info.config_table, info.apm_table]).toEqual([0, 0])
  })
  test('the memory map is the BIOS own', () => {
    expect(found.map).toEqual(rig.metal.bios.memoryMap())
  })
  test('modules: page-aligned, above the kernel, one behind the other, with their command lines', () => {
    const [dom0, initrd] = found.modules
    expect(dom0).toEqual({ start: 0x105000, bytes: pattern(5000), commandLine: '/dom0 ro root=/dev/hda1' })
    expect(initrd).toEqual({ start: 0x107000, bytes: pattern(300), commandLine: '(hd0,0)/initrd' })
  })
  test('one drive, in LBA mode', () => {
    const { drives_addr: at, drives_length: length } = found.info
    expect(length).toBe(12)
    expect([rig.mem.read32(at), rig.mem.read8(at + 4), rig.mem.read8(at + 5)]).toEqual([12, 0x80, 1])
    expect([rig.mem.read16(at + 6), rig.mem.read8(at + 8), rig.mem.read8(at + 9)]).toEqual([17, 16, 63])
  })
  test('the section table points at what was loaded for it', () => {
    const { elf_num, elf_size, elf_addr, elf_shndx } = found.info
    expect([elf_num, elf_size, elf_addr, elf_shndx]).toEqual([3, 40, 0x104000, 2])
    const strings = Elf32_Shdr.read(rig.mem, elf_addr + 2 * elf_size)
    expect(strings.sh_addr).toBeGreaterThanOrEqual(0x104000 + 3 * 40)
    expect(rig.mem.copyOut(strings.sh_addr + 1, 5)).toEqual(new Uint8Array([46, 116, 101, 120, 116]))
    expect(Elf32_Shdr.read(rig.mem, elf_addr + elf_size).sh_addr).toBe(0x100000)
  })
  test('the segment, and zeros behind it', () => {
    expect(rig.mem.copyOut(0x100000, 0x3000)).toEqual(elfKernel().slice(0x1000, 0x4000))
    expect(rig.mem.copyOut(0x103000, 0x500)).toEqual(new Uint8Array(0x500))
  })
})

describe('where it starts', () => {
  const rows: [string, KernelOptions, number][] = [
    ['at the entry', { entry: 0x100040 }, 0x100040],
    ['at the physical address of a virtual entry', { vaddr: 0xff100000, entry: 0xff100010 }, 0x100010],
    ['at an entry outside of every segment as it is', { entry: 0x900000 }, 0x900000],
  ]
  test.each(rows)('%s', (_, options, to) => {
    expect(bootKernel(options).exit).toMatchObject({ kind: 'jump', to })
  })
  test('the entry is shown as the file has it', () => {
    const rig = bootKernel({ vaddr: 0xff100000, entry: 0xff100010 })
    expect(rig.screen.text()).toContain('entry=0xff100010]')
  })
})

describe('gzip', () => {
  const files = { '/xen.gz': gzip(elfKernel()), '/dom0.gz': gzip(pattern(70000)) }
  const named = elfKernel()
  test('kernels and modules are unpacked', () => {
    const found = multibootInfo(bootLines(files, 'kernel /xen.gz', 'module /dom0.gz x'))!
    expect(found.modules).toEqual([{ start: 0x105000, bytes: pattern(70000), commandLine: '/dom0.gz x' }])
  })
  test('modulenounzip leaves them packed', () => {
    const found = multibootInfo(bootLines(files, 'kernel /xen.gz', 'modulenounzip /dom0.gz'))!
    expect(found.modules[0]?.bytes).toEqual(files['/dom0.gz'])
  })
  test('a header with name, comment and extra field', () => {
    const packed = gzip(named)
    const extra = [3, 0, 1, 2, 3, ...'xen'].map((x) => (typeof x === 'string' ? x.charCodeAt(0) : x))
    const header = [...packed.slice(0, 10), ...extra, 0, 99, 0]
    header[3] = 0x1c
    const file = new Uint8Array([...header, ...packed.slice(10)])
    expect(bootLines({ '/xen.gz': file }, 'kernel /xen.gz').exit).toMatchObject({ kind: 'jump' })
  })
  test('a module cut short', () => {
    const cut = files['/dom0.gz'].slice(0, 60)
    const rig = bootLines({ ...files, '/cut.gz': cut }, 'kernel /xen.gz', 'module /cut.gz')
    expect(rig.screen.text()).toContain('Error 3: Bad or corrupt data while decompressing file')
    expect(rig.exit).toBeUndefined()
  })
})

describe('what is missing', () => {
  test('a kernel cut in its segment is taken as far as it goes, without sections', () => {
    const cut = elfKernel().slice(0, 0x2000)
    const rig = bootLines({ '/xen': cut }, 'kernel /xen')
    expect(rig.screen.text()).toContain('[Multiboot-elf, <0x100000:0x3000:0x500>(bad), entry=0x100000]')
    expect(rig.exit).toMatchObject({ kind: 'jump', to: 0x100000 })
    expect(multibootInfo(rig)!.info.flags & mb.MBI_ELF_SHDR).toBe(0)
  })
  test('... and has no room for modules then', () => {
    const files = { '/xen': elfKernel().slice(0, 0x2000), '/dom0': pattern(10) }
    expect(bootLines(files, 'kernel /xen', 'module /dom0').screen.text()).toContain('Error 28')
  })
  test('a kernel cut in its program headers', () => {
    const text = bootLines({ '/xen': elfKernel().slice(0, 60) }, 'kernel /xen').screen.text()
    expect(text).toContain('Error 13: Invalid or unsupported executable format')
  })
  test('a kernel without a section table', () => {
    const rig = bootKernel({ sections: false })
    expect(rig.screen.text()).toContain(', shtab=0x104000, entry=0x100000]')
    expect(multibootInfo(rig)!.info.elf_num).toBe(0)
  })
  test('no modules: their flag is clear', () => {
    const { info } = multibootInfo(bootKernel({}))!
    expect([info.flags & mb.MBI_MODULES, info.mods_count, info.mods_addr]).toEqual([0, 0, 0])
  })
  test('an empty module is none', () => {
    const rig = bootLines({ '/xen': elfKernel(), '/none': '' }, 'kernel /xen', 'module /none')
    expect(multibootInfo(rig)!.modules).toEqual([])
  })
  test('uppermem voids the map', () => {
    const { info } = multibootInfo(bootKernel({}, 'uppermem 8192'))!
    expect([info.mem_upper, info.flags & mb.MBI_MEMMAP]).toEqual([8192, 0])
  })
})

describe('an image with its addresses in the header', () => {
  const at = 0x200000
  const image = (changes: Partial<Record<'load_addr' | 'load_end_addr' | 'header_addr', number>> = {}): Uint8Array => {
    const file = pattern(3000)
    const flags = mb.MULTIBOOT_AOUT_KLUDGE
    mb.multiboot_header.write(memOf(file), 100, {
      magic: mb.MULTIBOOT_HEADER_MAGIC,
      flags,
      checksum: -(mb.MULTIBOOT_HEADER_MAGIC + flags) >>> 0,
      header_addr: at + 36,
      load_addr: at,
      load_end_addr: at + 2000,
      bss_end_addr: at + 4000,
      entry_addr: at + 4,
      ...changes,
    })
    return file
  }
  test('is loaded from where its header says', () => {
    const file = image()
    const rig = bootLines({ '/k': file }, 'kernel /k')
    // Longer than the screen is wide.
    expect(rig.screen.text().replaceAll('\n', '')).toContain(
      '   [Multiboot-kludge, loadaddr=0x200000, text-and-data=0x7d0, bss=0x7d0, entry=0x200004]',
    )
    expect(rig.exit).toMatchObject({ kind: 'jump', to: at + 4 })
    expect(rig.mem.copyOut(at, 2000)).toEqual(file.slice(64, 2064))
    expect(rig.mem.copyOut(at + 2000, 2000)).toEqual(new Uint8Array(2000))
  })
  const refused: [string, Parameters<typeof image>[0], string][] = [
    ['below 1 MiB', { load_addr: 0x8000, header_addr: 0x8024 }, 'Error 7'],
    ['header before the load address', { header_addr: at - 4 }, 'Error 13'],
    ['begins before the file', { header_addr: at + 200 }, 'Error 13'],
    ['longer than the file', { load_end_addr: at + 3500 }, 'Error 13'],
  ]
  test.each(refused)('%s', (_, changes, error) => {
    expect(bootLines({ '/k': image(changes) }, 'kernel /k').screen.text()).toContain(error)
  })
})

describe('what a hostile file may try', () => {
  test('a header at the very end of what is searched', () => {
    const file = pattern(8192)
    const flags = mb.MULTIBOOT_AOUT_KLUDGE
    const view = new DataView(file.buffer)
    view.setUint32(8180, mb.MULTIBOOT_HEADER_MAGIC, true)
    view.setUint32(8184, flags, true)
    view.setUint32(8188, -(mb.MULTIBOOT_HEADER_MAGIC + flags) >>> 0, true)
    expect(bootLines({ '/k': file }, 'kernel /k').screen.text()).toContain('Error 13')
  })
  test('a module of a tebibyte', () => {
    const rig = bootKernel({}, 'uppermem 2147483647', 'module (hd0)0+2147483647')
    expect(rig.screen.text()).toContain('Error 24: Attempt to access block outside partition')
  })
  test('sections of four gibibytes', () => {
    const file = elfKernel()
    const mem = memOf(file)
    const table = mem.read32(32)
    Elf32_Shdr.fields.sh_size.set(mem, table + 2 * Elf32_Shdr.size, 0xffffffff)
    expect(bootLines({ '/k': file }, 'kernel /k').screen.text()).toContain('Error 28')
  })
  test('a program header table outside of what was read', () => {
    const file = elfKernel()
    memOf(file).write32(28, 0xfffffff0)
    expect(bootLines({ '/k': file }, 'kernel /k').screen.text()).toContain('Error 13')
  })
  test('an unpacked size that no packed bytes can reach', () => {
    const file = gzip(elfKernel())
    memOf(file).write32(file.length - 4, 0x7fffffff)
    expect(bootLines({ '/k': file }, 'kernel /k').screen.text()).toContain('Error 3')
  })
})

test('too many modules', () => {
  const lines = Array.from({ length: 100 }, () => 'module /xen')
  const rig = bootLines({ '/xen': elfKernel({ bytes: 0x400, bss: 0 }) }, 'kernel /xen', ...lines)
  expect(rig.screen.text()).toContain('Error 28')
})

test('command lines that do not fit their buffer', () => {
  const long = 'x'.repeat(1400)
  const lines = Array.from({ length: 18 }, () => `module /xen ${long}`)
  expect(bootLines({ '/xen': elfKernel() }, 'kernel /xen', ...lines).screen.text()).toContain('Error 28')
})
