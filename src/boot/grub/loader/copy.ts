/** Files into memory. */
import type { OpenFile } from '../disk/file.ts'
import type { Grub } from '../grub.ts'
import { RUN_ON, type Run } from '../run.ts'
import { checkRoom } from './memory.ts'

/** A file may claim any size; no more than this is held at once. */
const PIECE_BYTES = 0x10000

/**
 * Put up to `length` bytes of `file`, from `offset` on, at `to`. Returns how many the file had. Error 28 where memory ends first, as
 * grub_memmove finds out; what fitted is there then.
 */
export function* copyToMemory(
  { metal, memory }: Grub,
  file: OpenFile,
  offset: number,
  length: number,
  to: number,
): Run<number> {
  let done = 0
  while (done < length) {
    const piece = file.read(offset + done, Math.min(PIECE_BYTES, length - done))
    if (piece.length === 0) break
    checkRoom(memory, to + done, piece.length)
    metal.mem.copyIn(to + done, piece)
    done += piece.length
    yield RUN_ON
  }
  return done
}
