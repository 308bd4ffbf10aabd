/**
 * The program in stage2's first sector, as GRUB 0.97's stage2/start.S: follow the block list in that same sector and jump to stage2
 * proper. The list grows downwards from 0x81f8 in entries {start u32, length u16, segment u16}; length 0 ends it. As with stage1 the
 * text must fit (below the list), so it imports nothing and addresses are literal (abi/pc/grub.ts).
 */
import type { Metal, PcpuCode, Regs } from '#abi/pc/metal.ts'

export function start({ bios, mem }: Metal, { edx }: Regs): PcpuCode {
  return {
    run() {
      const say = (s: string) => {
        for (const c of s) bios.teletype(c.charCodeAt(0))
      }
      say('Loading stage2')
      for (let at = 0x81f8, n: number; (n = mem.read16(at + 4)); at -= 8) {
        let to = mem.read16(at + 6) * 16
        // No more than 127 sectors at once: INT 13h's own limit.
        for (let lba = mem.read32(at); n > 0; n -= 127, lba += 127, to += 65024)
          if (bios.readSectors(edx as number, lba, n < 127 ? n : 127, to)) {
            say('Read Error')
            return { kind: 'hlt', interrupts: false }
          }
        say('.')
      }
      say('\r\n')
      return { kind: 'jump', to: 0x8200, regs: { edx } as Regs }
    },
    interrupt() {},
    nmi() {},
  }
}
