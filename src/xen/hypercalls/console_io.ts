/** console_io (18): dom0's emergency console (xen/drivers/char/console.c, do_console_io). */
import { ENOSYS, EPERM } from '#abi/xen/errno.ts'
import { CONSOLEIO_read, CONSOLEIO_write } from '#abi/xen/xen.ts'
import { SERIAL_RX_SIZE } from '../drivers/console.ts'
import type { Call } from './op-table.ts'

/** Text is taken in pieces of this many bytes. */
const PIECE_BYTES = 127
/**
 * Of one call no more than this is taken: the line needs over five seconds for it. The real one makes the guest wait in the middle of the
 * call, which a call that returns at once cannot.
 */
const WRITE_BYTES_MAX = 65536

export function consoleIo(call: Call, [cmd = 0, number = 0, buffer = 0]: readonly number[]): number {
  const command = cmd | 0
  const count = number | 0
  if (call.caller.id !== 0) return -EPERM
  if (command === CONSOLEIO_write) return write(call, count, buffer)
  if (command === CONSOLEIO_read) {
    if (!(count > 0)) return 0
    // Looked at first: what was read for nobody would be lost.
    call.mem.read8(buffer)
    call.mem.read8(buffer + Math.min(count, SERIAL_RX_SIZE) - 1)
    const bytes = call.xen.console.readInput(count)
    call.mem.copyIn(buffer, bytes)
    return bytes.length
  }
  return -ENOSYS
}

/** Each piece ends at its first zero byte, as a C string does. */
function write({ xen, mem }: Call, count: number, buffer: number): number {
  const end = Math.min(count, WRITE_BYTES_MAX)
  for (let done = 0; done < end; done += PIECE_BYTES) {
    let text = ''
    for (const byte of mem.copyOut(buffer + done, Math.min(PIECE_BYTES, end - done))) {
      if (byte === 0) break
      text += String.fromCharCode(byte)
    }
    xen.console.guestText(text)
  }
  return 0
}
