/** Machine code that nobody has meant: bytes, instructions of the table with anything for operands, and what a hostile kernel would try. */

import { encode } from '#cpu/isa/encode.ts'
import { type Form, formsOf } from '#cpu/isa/forms.ts'
import type { Rng } from '#lib/prng.ts'
import { Assembler } from '../assembler.ts'
import { entryOf, PFN, slot, USER_BASE, userVa, va } from '../layout.ts'

export const CHUNK_BYTES = 64
const FORMS = formsOf(64)
const ODD = [0n, 1n, -1n, 0x7fn, 0xffffn, 1n << 31n, 1n << 47n, -(1n << 47n), 1n << 62n, 0xe033n, 0xe02bn, 0x200n]

/** What a register might hold: an address more often than not. */
export function value(rng: Rng, mfns: readonly number[]): bigint {
  const pfn = rng.below(mfns.length)
  switch (rng.below(10)) {
    case 0:
      return rng.pick(ODD)
    case 1:
      return BigInt(rng.below(64))
    case 2:
      return (BigInt(rng.u32()) << 32n) | BigInt(rng.u32())
    case 3:
      return entryOf(rng.below(4) === 0 ? rng.below(2 ** 17) : mfns[pfn]!, BigInt(rng.below(4096)))
    case 4:
      return BigInt(mfns[pfn]!)
    case 5:
      return va(PFN.l1, rng.below(512) * 8)
    case 6:
      return USER_BASE + BigInt(rng.below(4 * 4096))
    case 7:
      return 0xffff800000000000n + BigInt(rng.u32()) * 8n
    default:
      return va(pfn, rng.below(512) * 8)
  }
}

function instruction(rng: Rng, form: Form, mfns: readonly number[]): Uint8Array {
  const base = rng.below(16)
  return encode(form, {
    reg: rng.below(16),
    rm: rng.below(16),
    address: {
      base,
      index: rng.below(4) === 0 ? (base ^ 5) & 3 : -1,
      scale: 1,
      disp: rng.below(3) === 0 ? rng.below(4096) : 0,
    },
    immediates: [0, 1, 2].map(() => value(rng, mfns)),
    lock: rng.below(8) === 0,
  })
}

/** Something that tries what only its kernel, or nobody, may do. */
function attempt(rng: Rng, code: Assembler, mfns: readonly number[]): void {
  const mfn = (): number => (rng.below(3) === 0 ? rng.below(2 ** 17) : rng.pick(mfns))
  const tables = [PFN.l1, PFN.l2, PFN.l3, PFN.l4, PFN.userL1, PFN.userL4]
  switch (rng.below(6)) {
    case 0:
      code.set(0, rng.below(64)).syscall()
      break
    case 1: {
      const table = rng.pick(tables)
      const at = va(table, (rng.below(3) === 0 ? rng.below(512) : slot(va(rng.below(64)), 1)) * 8)
      code.set(1, at).set(2, entryOf(mfn(), BigInt(rng.below(2) === 0 ? 0x67 : rng.below(4096))))
      if (rng.below(3) === 0) code.xchg(1, 0, 2)
      else code.store(1, 0, 2)
      break
    }
    case 2:
      code.int(rng.below(256))
      break
    case 3:
      // iret, from a frame of anything.
      code.set(0, 23).syscall()
      break
    case 4:
      code.set(4, value(rng, mfns))
      break
    default:
      code
        .set(7, value(rng, mfns))
        .set(6, value(rng, mfns))
        .set(0, rng.pick([1, 12, 14, 24, 26, 29, 32]))
        .syscall()
  }
}

/** CHUNK_BYTES of it. */
export function chunk(rng: Rng, mfns: readonly number[]): Uint8Array {
  const bytes = rng.bytes(CHUNK_BYTES)
  for (let at = 0; at < CHUNK_BYTES; ) {
    const kind = rng.below(8)
    let part: Uint8Array = new Uint8Array(1 + rng.below(4))
    if (kind < 5) part = instruction(rng, rng.pick(FORMS), mfns)
    else if (kind < 6) {
      const code = new Assembler(0n)
      attempt(rng, code, mfns)
      part = code.assembled()
    } else part = rng.bytes(part.length)
    bytes.set(part.subarray(0, CHUNK_BYTES - at), at)
    at += part.length
  }
  return bytes
}

/** Where a chunk begins, for user mode or for the kernel. */
export const chunkAt = (user: boolean, first: number, n: number): bigint =>
  user ? userVa(PFN.userCode, n * CHUNK_BYTES) : va(first, n * CHUNK_BYTES)
