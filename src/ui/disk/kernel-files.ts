/** What a file is that somebody wants to boot a guest from: told by how it begins, and by its name where that leaves it open. */

export type KernelFileKind = 'kernel' | 'initrd'

/** So much of a file is looked at. */
export const HEAD_BYTES = 0x206

/** A bzImage's setup header says "HdrS" (Linux: Documentation/arch/x86/boot.rst). */
const BZIMAGE_AT = 0x202
const BZIMAGE = [0x48, 0x64, 0x72, 0x53]
const ELF = [0x7f, 0x45, 0x4c, 0x46]
/** cpio "newc", with checksums or without. */
const ARCHIVES = [
  [0x30, 0x37, 0x30, 0x37, 0x30, 0x31],
  [0x30, 0x37, 0x30, 0x37, 0x30, 0x32],
]
/** gzip, bzip2, xz, lzma, lz4 (the kernel's old form), zstd, lzo: a kernel's image, an archive, or something else altogether. */
const COMPRESSED = [
  [0x1f, 0x8b],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a],
  [0x5d, 0x00, 0x00],
  [0x02, 0x21, 0x4c, 0x18],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0x89, 0x4c, 0x5a, 0x4f],
]

const KERNEL_NAME = /^(vmlinu[xz]|bzimage|kernel|linux)/i
const INITRD_NAME = /^(initr|initramfs)|\.cpio(\.|$)/i

/** Undefined: neither, as far as anybody can tell. */
export function kindOfKernelFile(name: string, head: Uint8Array): KernelFileKind | undefined {
  const begins = (magic: readonly number[], at = 0): boolean => magic.every((byte, i) => head[at + i] === byte)
  if (begins(BZIMAGE, BZIMAGE_AT) || begins(ELF)) return 'kernel'
  if (ARCHIVES.some((magic) => begins(magic))) return 'initrd'
  if (!COMPRESSED.some((magic) => begins(magic))) return undefined
  if (KERNEL_NAME.test(name)) return 'kernel'
  return INITRD_NAME.test(name) ? 'initrd' : undefined
}

/** What the host itself boots from: a guest's kernel must not take its place. */
const OWN = /^(xen(-3.*)?\.gz|vmlinuz-2\.6\.18\.8-xen(\.old)?|idle-dom0\.gz|grub)$/

/** Where it goes; undefined: the host's own file of that name is there. */
export function bootPath(name: string): string | undefined {
  const plain = name.replace(/[^\w.+-]+/g, '_')
  return OWN.test(plain) || /^\.*$/.test(plain) ? undefined : `/boot/${plain}`
}

/** Of the guest whose configuration is shown. */
export const GUEST_NAME = 'mylinux'

/** What an xm configuration for them says. */
export function configurationOf({
  kernel,
  initrd,
}: {
  readonly kernel: string
  readonly initrd?: string | undefined
}): string {
  const lines = [
    `kernel  = "${kernel}"`,
    ...(initrd === undefined ? [] : [`ramdisk = "${initrd}"`]),
    'memory  = 256',
    `name    = "${GUEST_NAME}"`,
    'extra   = "console=hvc0"',
  ]
  return `${lines.join('\n')}\n`
}
