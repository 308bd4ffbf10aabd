/** `make`: the images of the default disk from their sources, by the same cc and ld that a user runs inside the machine. */
import { gzipSync } from 'fflate'
import { type ImageCode, ImageKind } from '#abi/image.ts'
import {
  XEN_ELFNOTE_ENTRY,
  XEN_ELFNOTE_FEATURES,
  XEN_ELFNOTE_GUEST_OS,
  XEN_ELFNOTE_GUEST_VERSION,
  XEN_ELFNOTE_LOADER,
  XEN_ELFNOTE_PADDR_OFFSET,
  XEN_ELFNOTE_VIRT_BASE,
  XEN_ELFNOTE_XEN_VERSION,
} from '#abi/xen/elfnote.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { type CcOptions, cc } from '#toolchain/cc.ts'
import { CompileError } from '#toolchain/diagnostics.ts'
import { hypervisorImage, kernelImage, type XenNote } from '#toolchain/elf.ts'
import {
  bootSectorImage,
  codeBytes,
  plainImage,
  programBytes,
  stage2Image,
  stage2StartImage,
} from '#toolchain/image.ts'
import { ld, resolveSpecifier } from '#toolchain/ld.ts'
import type { ObjectFile } from '#toolchain/object-file.ts'
import { sectorBody } from '#toolchain/sector.ts'
import { codeHash } from '#world/realm/loader.ts'
import type { ImageName } from './default/manifest.ts'
import { MODULES, PACKAGES } from './packages.ts'
import type { SourceTree } from './source-tree.ts'

/** Entry files, by what they become. */
export const ENTRIES = {
  stage1: 'boot/stage1/stage1.ts',
  stage2Start: 'boot/stage1/start.ts',
  stage2: 'boot/grub/stage2.ts',
  xen: 'xen/setup.ts',
  linux: 'kernel/main.ts',
  idleDom0: 'testing/guests/idle-dom0.ts',
} as const

/**
 * Whose imports wait for their first use: each program of a package evaluates what it needs, not what its neighbours do; a shell that reads
 * a script no line editor; xm list no Python.
 */
const LAZY: ReadonlySet<string> = new Set([
  ...PACKAGES.map(({ entry }) => entry),
  'toolstack/xm/create.ts',
  'user/sh/main.ts',
])

/** Where Linux 2.6.18-xen x86_64 is linked to lie; our kernels too. */
const KERNEL_VADDR = 0xffffffff80200000n
const KERNEL_VIRT_BASE = 0xffffffff80000000n

/** The bytes of each image, by ImageName, package name and `MODULE.ko`. One that has no source is left out; that is allowed for idle-dom0 alone. */
export type Images = ReadonlyMap<string, Uint8Array>

export interface Compiled {
  readonly images: Images
  /** Hashes of all code in them, for loaders that need not verify it again (world/realm/loader.ts). */
  readonly known: readonly string[]
}

/** gzip without name or time: the same input always makes the same bytes. */
export type Gzip = (bytes: Uint8Array) => Uint8Array

/** Compile everything. CompileError says what is wrong with the sources. */
export function compileImages(sources: SourceTree, gzip: Gzip = gzip9): Compiled {
  const known: string[] = []
  const compile = compiler(sources, (code) => known.push(codeHash(codeBytes(code))))
  const images = new Map<string, Uint8Array>()

  const sectors = compiler(sources, () => {}, { keepNames: true })
  const stage1 = bootSectorImage('stage1', sectorBody(sectors.object(ENTRIES.stage1)))
  // The mark that firmware looks for; grub-install keeps it.
  stage1.set([0x55, 0xaa], stage1.length - 2)
  images.set('stage1', stage1)

  const start = stage2StartImage('start', sectorBody(sectors.object(ENTRIES.stage2Start)))
  const stage2 = stage2Image('stage2', compile.image(ENTRIES.stage2), {
    install_partition: 0xffffff,
    saved_entryno: 0,
    stage2_id: 0,
    force_lba: 0,
    version_string: bytesOfString('0.97\0'),
    config_file: bytesOfString('/boot/grub/menu.lst\0'),
  })
  images.set('stage2', join(start, stage2))

  const xen = hypervisorImage('xen-3.3.0', compile.image(ENTRIES.xen))
  // Not on the disk: what a debugger wants of it is a tenth of the page's first load.
  images.set('xen-syms', xen)
  images.set('xen.gz', gzip(xen))

  const set = (name: ImageName, bytes: Uint8Array): unknown => images.set(name, bytes)
  set('vmlinuz.gz', gzip(guestKernel('vmlinuz', compile.image(ENTRIES.linux), LINUX_NOTES)))
  if (sources.has(ENTRIES.idleDom0))
    set('idle-dom0.gz', gzip(guestKernel('idle-dom0', compile.image(ENTRIES.idleDom0), IDLE_NOTES)))

  for (const { name, entry } of MODULES)
    images.set(`${name}.ko`, plainImage(ImageKind.module, name.slice(0, 12), compile.image(entry)))
  // Programs are preempted, so all that they are made of is compiled for it.
  const program = compiler(sources, (code) => known.push(codeHash(programBytes(code))), { preempt: true })
  for (const { pkg, entry } of PACKAGES)
    images.set(pkg.name, plainImage(ImageKind.program, pkg.name.slice(0, 12), program.image(entry)))
  return { images, known }
}

/** An ELF64 file as the domain builder wants it. */
const guestKernel = (name: string, code: ImageCode, notes: readonly XenNote[]): Uint8Array =>
  kernelImage(name, code, {
    vaddr: KERNEL_VADDR,
    paddr: KERNEL_VADDR,
    notes: [
      ...notes,
      { type: XEN_ELFNOTE_XEN_VERSION, value: 'xen-3.0' },
      { type: XEN_ELFNOTE_VIRT_BASE, value: KERNEL_VIRT_BASE },
      { type: XEN_ELFNOTE_PADDR_OFFSET, value: KERNEL_VIRT_BASE },
      { type: XEN_ELFNOTE_ENTRY, value: KERNEL_VADDR },
      { type: XEN_ELFNOTE_LOADER, value: 'generic' },
    ],
  })

const IDLE_NOTES: readonly XenNote[] = [
  { type: XEN_ELFNOTE_GUEST_OS, value: 'idle' },
  { type: XEN_ELFNOTE_GUEST_VERSION, value: '1.0' },
]

/** As in arch/x86_64/kernel/head-xen.S of linux-2.6.18-xen. */
const LINUX_NOTES: readonly XenNote[] = [
  { type: XEN_ELFNOTE_GUEST_OS, value: 'linux' },
  { type: XEN_ELFNOTE_GUEST_VERSION, value: '2.6' },
  { type: XEN_ELFNOTE_FEATURES, value: 'writable_page_tables|writable_descriptor_tables|auto_translated_physmap' },
]

const gzip9: Gzip = (bytes) => gzipSync(bytes, { level: 9, mtime: 0 })

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}

/** Object files made when first asked for: images share most of lib and abi. */
function compiler(
  sources: SourceTree,
  linked: (code: ImageCode) => void,
  options: CcOptions = {},
): { object(path: string): ObjectFile; image(entry: string): ImageCode } {
  const objects = new Map<string, ObjectFile>()
  const object = (path: string): ObjectFile => {
    const known = objects.get(path)
    if (known) return known
    const source = sources.get(path)
    if (source === undefined) throw new CompileError([`cc: error: ${path}: No such file or directory`])
    const made = cc(path, source, { ...options, lazyImports: LAZY.has(path) })
    objects.set(path, made)
    return made
  }
  return {
    object,
    image(entry) {
      const wanted = [object(entry)]
      const reached = new Set([entry])
      for (let next = wanted.pop(); next; next = wanted.pop())
        for (const { specifier } of next.imports) {
          const path = resolveSpecifier(next.path, specifier)
          // What is missing is ld's to report, with file and line.
          if (path === undefined || reached.has(path) || !sources.has(path)) continue
          reached.add(path)
          wanted.push(object(path))
        }
      const code = ld(objects, entry)
      linked(code)
      return code
    },
  }
}
