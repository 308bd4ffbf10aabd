import { open } from '../grub.ts'
import { RUN_ON } from '../run.ts'
import { isSpace } from '../text.ts'
import type { Command } from './command.ts'

const PART_BYTES = 4096

export const cat: Command = {
  name: 'cat',
  usage: 'cat FILE',
  help: 'Print the contents of the file FILE.',
  listed: true,
  *run(grub, arg) {
    const file = open(grub, arg)
    for (let at = 0; at < file.size; at += PART_BYTES) {
      for (const byte of file.read(at, PART_BYTES)) {
        const printable = (byte >= 32 && byte <= 126) || isSpace(String.fromCharCode(byte))
        yield* grub.tty.put(printable ? byte : 63)
      }
      yield RUN_ON
    }
  },
}
