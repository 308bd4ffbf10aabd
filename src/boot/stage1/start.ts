/**
 * The program in stage2's first sector, as GRUB 0.97's stage2/start.S: follow the block list in that same sector and jump to stage2
 * proper. The list grows downwards from 0x81f8 in entries {start u32, length u16, segment u16}; length 0 ends it. As with stage1 the
 * text must fit (below the list), so it imports nothing and addresses are literal (abi/pc/grub.ts).
 */
import type { Exit, Metal, PcpuCode, Regs } from '#abi/pc/metal.ts'

export function start({ bios, mem }: Metal, regs: Regs): PcpuCode {
  return {
    run(): Exit {
      let say = 'Loading stage2'
      for (let at = 0x81f8, ah = 0; ; at -= 8) {
        for (const c of say) bios.teletype(c.charCodeAt(0))
        if (ah) return { kind: 'hlt', interrupts: false }
        if (say < '!') return { kind: 'jump', to: 0x8200, regs }
        const n = mem.read16(at + 4)
        ah = n && bios.readSectors(regs.edx as number, mem.read32(at), n, mem.read16(at + 6) * 16)
        say = ah ? 'Read Error' : n ? '.' : '\r\n'
      }
    },
    interrupt() {},
    nmi() {},
  }
}
