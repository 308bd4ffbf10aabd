import { Err, fail } from '../errors.ts'
import { open } from '../grub.ts'
import { RUN_ON } from '../run.ts'
import { firstWord, hex, skipTo } from '../text.ts'
import type { Command } from './command.ts'

const PART_BYTES = 4096

export const cmp: Command = {
  name: 'cmp',
  usage: 'cmp FILE1 FILE2',
  help: 'Compare the file FILE1 with the FILE2 and inform the different values if any.',
  *run(grub, arg) {
    const [name1, name2] = [firstWord(arg), firstWord(skipTo(arg))]
    if (name1 === '' || name2 === '') fail(Err.badArgument)
    const file1 = open(grub, name1)
    const file2 = open(grub, name2)
    if (file1.size !== file2.size) {
      yield* grub.tty.print(`Differ in size: ${hex(file1.size)} [${name1}], ${hex(file2.size)} [${name2}]\n`)
      return
    }
    // The values are signed chars to GRUB, widened: 0xff shows as 0xffffffff.
    const shown = (byte: number): string => hex((byte << 24) >> 24)
    for (let at = 0; at < file1.size; at += PART_BYTES) {
      const [part1, part2] = [file1.read(at, PART_BYTES), file2.read(at, PART_BYTES)]
      for (let i = 0; i < part1.length; i++)
        if (part1[i] !== part2[i])
          yield* grub.tty.print(
            `Differ at the offset ${at + i}: ${shown(part1[i]!)} [${name1}], ${shown(part2[i]!)} [${name2}]\n`,
          )
      yield RUN_ON
    }
  },
}
