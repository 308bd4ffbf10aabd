import { Err, fail } from '../errors.ts'
import { open } from '../grub.ts'
import { firstWord, hex, skipTo } from '../text.ts'
import type { Command } from './command.ts'

export const cmp: Command = {
  name: 'cmp',
  usage: 'cmp FILE1 FILE2',
  help: 'Compare the file FILE1 with the FILE2 and inform the different values if any.',
  *run(grub, arg) {
    const [name1, name2] = [firstWord(arg), firstWord(skipTo(arg))]
    if (name1 === '' || name2 === '') fail(Err.badArgument)
    const file1 = open(grub, name1)
    const bytes1 = file1.read(0, file1.size)
    const file2 = open(grub, name2)
    if (file1.size !== file2.size) {
      yield* grub.tty.print(`Differ in size: ${hex(file1.size)} [${name1}], ${hex(file2.size)} [${name2}]\n`)
      return
    }
    const bytes2 = file2.read(0, file2.size)
    // The values are signed chars to GRUB, widened: 0xff shows as 0xffffffff.
    const shown = (byte: number): string => hex((byte << 24) >> 24)
    for (let i = 0; i < bytes1.length; i++)
      if (bytes1[i] !== bytes2[i])
        yield* grub.tty.print(
          `Differ at the offset ${i}: ${shown(bytes1[i]!)} [${name1}], ${shown(bytes2[i]!)} [${name2}]\n`,
        )
  },
}
