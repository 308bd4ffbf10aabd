import { E820_RAM } from '#abi/pc/e820.ts'
import { hex } from '../text.ts'
import type { Command } from './command.ts'

/** 64 bits as GRUB's printf can. */
const wide = (value: number): string => `${hex(Math.floor(value / 2 ** 32))} X 4GB + ${hex(value % 2 ** 32)}`

export const displaymem: Command = {
  name: 'displaymem',
  usage: 'displaymem',
  help:
    'Display what GRUB thinks the system address space map of the' +
    ' machine is, including all regions of physical RAM installed.',
  listed: true,
  *run({ tty, memory }) {
    if (memory.map.length > 0) yield* tty.print(' Address Map BIOS Interface is present\n')
    yield* tty.print(` Lower memory: ${memory.lowerKib}K, Upper memory (to first chipset hole): ${memory.upperKib}K\n`)
    if (!memory.mapValid) return
    yield* tty.print(' [Address Range Descriptor entries immediately follow (values are 64-bit)]\n')
    for (const { base, length, type } of memory.map)
      yield* tty.print(
        `   ${type === E820_RAM ? 'Usable RAM' : 'Reserved'}:  Base Address:  ${wide(base)},\n` +
          `      Length:   ${wide(length)} bytes\n`,
      )
  },
}
