import { hex, parseNumber } from '../text.ts'
import type { Command } from './command.ts'

export const read: Command = {
  name: 'read',
  usage: 'read ADDR',
  help: 'Read a 32-bit value from memory at address ADDR and display it in hex format.',
  *run({ tty, metal }, arg) {
    const { value } = parseNumber(arg)
    yield* tty.print(`Address ${hex(value)}: Value ${hex(metal.mem.read32(value))}\n`)
  },
}
