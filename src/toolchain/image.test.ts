import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ImageKind, image_header } from '#abi/image.ts'
import { memOf } from '#abi/mem.ts'
import { crc32 } from '#lib/crc32.ts'
import { crashReport, ImageFault, ImageLoader, parseImage } from '../world/realm/loader.ts'
import { cc } from './cc.ts'
import { hypervisorImage, kernelImage } from './elf.ts'
import { bootSectorImage, plainImage, stage2Image, stage2StartImage } from './image.ts'
import { ld } from './ld.ts'

const code = ld(
  new Map([['xen/a.ts', cc('xen/a.ts', "export function start() {\n\n  throw new Error('boom')\n}")]]),
  'xen/a.ts',
)
const hasBinutils = spawnSync('readelf', ['--version']).status === 0

function tools(name: string, image: Uint8Array, ...command: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'image-'))
  try {
    writeFileSync(join(folder, name), image)
    const { status, stdout, stderr } = spawnSync(command[0]!, [...command.slice(1), name], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    return stdout
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('crc32 is that of IEEE 802.3', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
})

test('the hypervisor is a multiboot ELF32 whose entry is the image header', () => {
  const image = hypervisorImage('xen-3.3.0', code)
  const mem = memOf(image)
  expect(mem.read32(24)).toBe(0x100000)
  expect(mem.read32(128)).toBe(0x4d495058)
  const at = Array.from({ length: 2048 }, (_, i) => i * 4).find((offset) => mem.read32(offset) === 0x1badb002)!
  expect(at).toBe(128 + 32)
  expect((mem.read32(at) + mem.read32(at + 4) + mem.read32(at + 8)) % 2 ** 32).toBe(0)
  expect(mem.read32(at + 4)).toBe(3)
  expect(parseImage(mem, 128)).toMatchObject({ kind: ImageKind.hypervisor, name: 'xen-3.3.0', code })
})

test.skipIf(!hasBinutils)("binutils accept the hypervisor's ELF32 (skipped without readelf)", () => {
  const image = hypervisorImage('xen-3.3.0', code)
  const text = tools('xen', image, 'readelf', '-hlSW')
  expect(text).toMatch(/Class: +ELF32/)
  expect(text).toMatch(/LOAD +0x000080 0x00100000 0x00100000 0x\w+ 0x\w+ RWE 0x40/)
  expect(text).toMatch(/\.text +PROGBITS +00100000 000080/)
  expect(text).toMatch(/\.shstrtab +STRTAB/)
})

test.skipIf(!hasBinutils)("binutils accept the kernel's ELF64 and its notes (skipped without readelf)", () => {
  const image = kernelImage('vmlinuz', code, {
    vaddr: 0xffffffff80200000n,
    paddr: 0xffffffff80200000n,
    notes: [
      { type: 6, value: 'linux' },
      { type: 5, value: 'xen-3.0' },
      { type: 1, value: 0xffffffff80200000n },
    ],
  })
  const text = tools('vmlinux', image, 'readelf', '-hlnW')
  expect(text).toMatch(/Class: +ELF64/)
  expect(text).toMatch(/Entry point address: +0xffffffff80200000/)
  expect(text).toMatch(/LOAD +0x001000 0xffffffff80200000 0xffffffff80200000/)
  expect(text.match(/^ +Xen +0x/gm)).toHaveLength(3)
  expect(tools('vmlinux', image, 'readelf', '-SW')).toMatch(/\[ 1\] \.shstrtab +STRTAB/)
  expect(parseImage(memOf(image), 4096)).toMatchObject({ kind: ImageKind.kernel, name: 'vmlinuz' })
})

test('sectors are 512 bytes and overflow as ld says it', () => {
  expect(bootSectorImage('stage1', 'return 1')).toHaveLength(512)
  expect(parseImage(memOf(bootSectorImage('stage1', 'return 1')))).toMatchObject({ code: 'return 1' })
  expect(parseImage(memOf(stage2StartImage('start', 'return 2')))).toMatchObject({
    kind: ImageKind.stage2,
    code: 'return 2',
  })
  expect(() => bootSectorImage('stage1', ' '.repeat(361))).toThrow('overflowed by 1 bytes')
})

test('stage2 carries its parameters behind the header', () => {
  const image = stage2Image('stage2', code, {
    install_partition: 0x00ffff,
    saved_entryno: 0,
    stage2_id: 0,
    force_lba: 0,
    version_string: Uint8Array.from([0x30, 0x2e, 0x39, 0x37]),
    config_file: Uint8Array.from([0x2f]),
  })
  expect(memOf(image).read32(32)).toBe(0xffff)
  expect(parseImage(memOf(image))).toMatchObject({ kind: ImageKind.stage2, code })
})

const damaged = (change: (image: Uint8Array) => Uint8Array): Uint8Array =>
  change(plainImage(ImageKind.program, 'p', code))
const withCode = (text: string): Uint8Array => {
  const bytes = new TextEncoder().encode(text)
  const image = new Uint8Array(32 + bytes.length)
  image.set(plainImage(ImageKind.program, 'p', code).subarray(0, 32))
  image.set(bytes, 32)
  image_header.write(memOf(image), 0, { code_bytes: bytes.length, code_crc32: crc32(bytes) })
  return image
}

test.each([
  ['no image header', () => damaged((image) => image.fill(0, 0, 1))],
  ['no image header', () => new Uint8Array(64)],
  ['wrong ABI', () => damaged((image) => image.fill(9, 6, 7))],
  ['truncated', () => damaged((image) => image.subarray(0, 20))],
  ['truncated', () => damaged((image) => image.subarray(0, 60))],
  ['bad checksum', () => damaged((image) => image.fill(0, 40, 41))],
  ['malformed', () => damaged((image) => image.fill(99, 4, 5))],
  ['malformed', () => withCode('not json')],
  ['malformed', () => withCode('null')],
  ['malformed', () => withCode('{"entry":1,"modules":[]}')],
  ['malformed', () => withCode('{"entry":0,"modules":[{"path":"a.ts","code":"","imports":{"x":5}}]}')],
  ['refused', () => withCode('{"entry":0,"modules":[{"path":"a.ts\\nb","code":"","imports":{}}]}')],
  ['refused', () => withCode('{"entry":0,"modules":[{"path":"a.ts","code":"eval(1)","imports":{}}]}')],
])('an image that is not whole is refused: %s', (reason, make) => {
  let fault: unknown
  try {
    new ImageLoader().loadNow(memOf(make()))
  } catch (error) {
    fault = error
  }
  expect(fault).toBeInstanceOf(ImageFault)
  expect((fault as ImageFault).reason).toBe(reason)
})

test('a crash report names image, file and line of the source', () => {
  const loader = new ImageLoader()
  const image = loader.loadNow(memOf(plainImage(ImageKind.program, 'prog', code)))
  loader.fuel.refill(10)
  const { start } = image.instantiate() as { start(): void }
  let report: unknown
  try {
    start()
  } catch (error) {
    report = crashReport(error, image.name, 7, loader.fuel)
  }
  expect(report).toEqual({
    image: 'prog',
    message: 'boom',
    file: 'xen/a.ts',
    line: 3,
    stack: ['start (xen/a.ts:3)'],
    atNs: 7,
  })
})

test('loading yields the same work whether cached or not', () => {
  const loader = new ImageLoader()
  const mem = memOf(plainImage(ImageKind.program, 'prog', code))
  const work = (): number[] => [...loader.load(mem)]
  const first = work()
  expect(first).toHaveLength(1 + code.modules.length)
  expect(work()).toEqual(first)
})

test('the same bytes are compiled once; others under the same header are looked at anew', () => {
  const loader = new ImageLoader()
  loader.fuel.refill(1000)
  const image = plainImage(ImageKind.module, 'a', code)
  const first = loader.loadNow(memOf(image))
  expect(loader.loadNow(memOf(image.slice()))).toMatchObject({ name: first.name, bytes: first.bytes })
  const damaged = image.slice()
  damaged[image.length - 3]! ^= 1
  expect(() => loader.loadNow(memOf(damaged))).toThrow('image is damaged: bad checksum')
  expect(Object.keys(loader.loadNow(memOf(image)).instantiate())).toEqual(['start'])
})
