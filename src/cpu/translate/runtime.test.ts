/** The flags' function of translated code agrees with flags.ts, and so do conditions. */
import { describe, expect, test } from 'vitest'
import { statusFlags } from '../flags.ts'
import { CcOp, S_BYTES, S_CC_DST, S_CC_OP, S_CC_SRC } from '../state.ts'
import { createRuntime } from './runtime.ts'

const memory = new WebAssembly.Memory({ initial: Math.ceil(S_BYTES / 65536), maximum: 8 })
const runtime = createRuntime(memory)
const view = new DataView(memory.buffer)
const flags = runtime.flags as (op: number, dst: bigint, src: bigint) => number

const EDGES = [0n, 1n, 2n, 7n, 8n, 0xfn, 0x10n, 0x7fn, 0x80n, 0x81n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x10000n]
const WIDE = [0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]

describe.each(Object.entries(CcOp))('%s', (_, op) => {
  test.each([0, 1, 2, 3])('of 2^%d bytes', (log2) => {
    const values = [...new Set([...EDGES, ...WIDE].map((value) => BigInt.asUintN(8 << log2, value)))]
    for (const dst of values)
      for (const value of values) {
        // The carry of INC and DEC is a bit; six flags are what they are.
        const src = op === CcOp.inc || op === CcOp.dec ? value & 1n : op === CcOp.flags ? value & 0x8d5n : value
        view.setUint32(S_CC_OP, op * 4 + log2, true)
        view.setBigUint64(S_CC_DST, dst, true)
        view.setBigUint64(S_CC_SRC, src, true)
        expect([dst, src, flags(op * 4 + log2, dst, src)]).toEqual([dst, src, statusFlags({ view, base: 0 })])
      }
  })
})
