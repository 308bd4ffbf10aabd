/**
 * The boot sector's program, as GRUB 0.97's stage1/stage1.S: fetch the first sector of stage2 and jump to it. Its text must fit
 * between byte 0x50 of the sector and the partition table, fuel counts included, so it imports nothing, names are short and
 * addresses are literal: 0x7c40 STAGE1_BOOT_DRIVE, 0x7c44 STAGE1_STAGE2_SECTOR, 0x8000 STAGE2_ADDRESS (abi/pc/grub.ts).
 */
import type { Metal, PcpuCode, Regs } from '#abi/pc/metal.ts'

export function start({ bios, mem }: Metal, { edx }: Regs): PcpuCode {
  return {
    run() {
      let d = mem.read8(0x7c40)
      if (d > 254) d = edx as number
      const ah = bios.readSectors(d, mem.read32(0x7c44), 1, 0x8000)
      for (const c of 'GRUB ' + (ah ? 'Read Error' : '')) bios.teletype(c.charCodeAt(0))
      return ah ? { kind: 'hlt', interrupts: false } : { kind: 'jump', to: 0x8000, regs: { edx: d } }
    },
    interrupt() {},
    nmi() {},
  }
}
