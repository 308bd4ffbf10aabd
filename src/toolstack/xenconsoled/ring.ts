/** The daemon's end of a console ring (abi/xen/io/console.ts), in a page that is mapped. The other end is the domain's: its indexes may be anything. */
import { memOf } from '#abi/mem.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { XENCONS_IN_SIZE, XENCONS_OUT_SIZE, xencons_interface } from '#abi/xen/io/console.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import { load, store } from '#user/libc/syscall.ts'

const { in: input, out: output, in_cons, in_prod, out_cons, out_prod } = xencons_interface.fields
const INDEXES = in_cons.offset

/** in_cons, in_prod, out_cons, out_prod. */
function* indexes(ring: Vaddr): Sys<readonly number[]> {
  const mem = memOf(yield* load(ring + INDEXES, 16))
  return [in_cons, in_prod, out_cons, out_prod].map(({ offset }) => mem.read32(offset - INDEXES))
}

const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer)

/** What the domain has written; nothing if its indexes make no sense. */
export function* takeOutput(ring: Vaddr): Sys<Uint8Array> {
  const [, , cons = 0, prod = 0] = yield* indexes(ring)
  const size = (prod - cons) >>> 0
  if (size === 0 || size > XENCONS_OUT_SIZE) return new Uint8Array(0)
  const from = cons % XENCONS_OUT_SIZE
  const first = Math.min(size, XENCONS_OUT_SIZE - from)
  let bytes = yield* load(ring + output.offset + from, first)
  if (first < size) {
    const whole = new Uint8Array(size)
    whole.set(bytes)
    whole.set(yield* load(ring + output.offset, size - first), first)
    bytes = whole
  }
  yield* store(ring + out_cons.offset, word(prod))
  return bytes
}

/** ring_free_bytes: how many bytes of input it can take; 0 too if its indexes make no sense. */
export function* inputRoom(ring: Vaddr): Sys<number> {
  const [cons = 0, prod = 0] = yield* indexes(ring)
  const used = (prod - cons) >>> 0
  return used > XENCONS_IN_SIZE ? 0 : XENCONS_IN_SIZE - used
}

/** `bytes`, for which there is room, as the domain's input. */
export function* putInput(ring: Vaddr, bytes: Uint8Array): Sys<void> {
  const [, prod = 0] = yield* indexes(ring)
  const at = prod % XENCONS_IN_SIZE
  const first = Math.min(bytes.length, XENCONS_IN_SIZE - at)
  yield* store(ring + input.offset + at, bytes.subarray(0, first))
  if (first < bytes.length) yield* store(ring + input.offset, bytes.subarray(first))
  yield* store(ring + in_prod.offset, word((prod + bytes.length) >>> 0))
}
