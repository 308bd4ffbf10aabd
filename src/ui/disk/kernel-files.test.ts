import { expect, test } from 'vitest'
import { bootPath, configurationOf, HEAD_BYTES, kindOfKernelFile } from './kernel-files.ts'

function head(text: string, at = 0): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES)
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
  return bytes
}

test.each([
  ['a bzImage, whatever its name', 'x', head('HdrS', 0x202), 'kernel'],
  ['an ELF file', 'x', head('\x7fELF'), 'kernel'],
  ['a bare archive', 'x', head('070701'), 'initrd'],
  ['gzip that is named as a kernel', 'vmlinuz-5', head('\x1f\x8b'), 'kernel'],
  ['gzip that is named as an initrd', 'initrd.img-5', head('\x1f\x8b'), 'initrd'],
  ['zstd that is named as an archive', 'root.cpio.zst', head('\x28\xb5\x2f\xfd'), 'initrd'],
  ['gzip of anything', 'disk.img.gz', head('\x1f\x8b'), undefined],
  ['a kernel by its name alone', 'vmlinuz', head('hello'), undefined],
  ['a file shorter than what is looked at', 'vmlinuz', new Uint8Array(1), undefined],
])('%s', (_, name, bytes, kind) => {
  expect(kindOfKernelFile(name, bytes)).toBe(kind)
})

test.each([
  ['vmlinuz-6.1.0-1-cloud-amd64', '/boot/vmlinuz-6.1.0-1-cloud-amd64'],
  ['my kernel (1).bin', '/boot/my_kernel_1_.bin'],
  ['../../etc/passwd', '/boot/.._.._etc_passwd'],
  ['..', undefined],
  ['vmlinuz-2.6.18.8-xen', undefined],
  ['xen.gz', undefined],
  ['grub', undefined],
])('%s goes to %s', (name, path) => {
  expect(bootPath(name)).toBe(path)
})

test('an initrd is named where there is one', () => {
  expect(configurationOf({ kernel: '/boot/k' })).not.toContain('ramdisk')
  expect(configurationOf({ kernel: '/boot/k', initrd: '/boot/i' })).toContain('ramdisk = "/boot/i"\n')
})
