/** A disk whose boot sector runs a program of a test's own: the shortest way to code on the bare machine. */
import { BOOT_SIGNATURE, BOOT_SIGNATURE_OFFSET } from '#abi/pc/grub.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { cc } from '#toolchain/cc.ts'
import { bootSectorImage } from '#toolchain/image.ts'
import { sectorBody } from '#toolchain/sector.ts'

/** `source` is a TypeScript module like boot/stage1/stage1.ts; it must fit a sector. */
export function sectorDisk(source: string): SparseDisk {
  const disk = new SparseDisk(2048)
  const sector = bootSectorImage('test', sectorBody(cc('test.ts', source)))
  sector.set([BOOT_SIGNATURE & 255, BOOT_SIGNATURE >> 8], BOOT_SIGNATURE_OFFSET)
  disk.write(0, sector)
  return disk
}

/** `body` is run once, with `io`, `bios`, `mem`, `cpu` in scope; it returns the Exit. */
export const sectorProgram = (body: string, extra = ''): string =>
  `export function start({io,bios,mem,cpu,now}){${extra};return {run(){${body}},interrupt(){},nmi(){}}}`
