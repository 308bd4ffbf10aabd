/**
 * The decoder: bytes to an Insn. AMD APM volume 3, chapter 1 (prefixes, ModRM, SIB) and appendix A.
 *
 * It asks for a byte only when it needs it, so that a fault of the one who gives them comes when the processor's would: an opcode that does not exist does not need what would
 * follow.
 */

import { readAddress } from './addressing.ts'
import { Decoding, type Fetch } from './decoding.ts'
import {
  dispatchFor,
  type Entry,
  NO_PREFIX,
  OPERAND_SIZE_PREFIX,
  REPE_PREFIX,
  REPNE_PREFIX,
  slotOf,
} from './dispatch.ts'
import { FS, GS, type Insn, type Mode, type Operand, type Size } from './insn.ts'
import { operandOf } from './operands.ts'

/** The instruction at the bytes that `fetch` gives; undefined: there is none (#UD). Throws what `fetch` throws, and #GP(0) if there are too many bytes. */
export const decode = (fetch: Fetch, mode: Mode): Insn | undefined => decoded(new Decoding(fetch, 0, mode))

/** The same of a memory that has MAX_LENGTH bytes from `at` on. */
export const decodeAt = (memory: Uint8Array, at: number, mode: Mode): Insn | undefined =>
  decoded(new Decoding(memory, at, mode))

function decoded(d: Decoding): Insn | undefined {
  prefixes(d)
  if (d.opcode === 0x0f) {
    d.map = 1
    d.opcode = d.bytes.u8()
    if (d.opcode === 0x38 || d.opcode === 0x3a) {
      d.map = d.opcode === 0x38 ? 2 : 3
      d.opcode = d.bytes.u8()
    }
  }
  const entry = entryFor(d)
  if (!entry) return undefined
  d.size = operationSize(d, entry)
  if (entry.hasModrm && d.modrm < 0xc0 && !entry.anymod) readAddress(d)
  const operands = operandsOf(d, entry)
  if (!operands || (d.lock && !(entry.lockable && operands[0]?.kind === 'mem'))) return undefined
  return {
    row: entry.row,
    length: d.bytes.at,
    mode: d.mode,
    size: d.size,
    addressSize: d.addressSize,
    operands,
    repeat: entry.repeatable ? d.repeat : undefined,
    lock: d.lock,
  }
}

/** Undefined: one of them is nothing that exists. An array to which something is appended has room for more, which hundreds of thousands of instructions need not carry. */
function operandsOf(d: Decoding, entry: Entry): readonly Operand[] | undefined {
  const specs = entry.operands
  const count = specs.length
  if (count === 0) return NO_OPERANDS
  const first = operandOf(d, specs[0]!, entry)
  if (!first) return undefined
  if (count === 1) return [first]
  const second = operandOf(d, specs[1]!, entry)
  if (!second) return undefined
  if (count === 2) return [first, second]
  const third = operandOf(d, specs[2]!, entry)
  return third && [first, second, third]
}
const NO_OPERANDS: readonly Operand[] = []

/** Legacy prefixes in any order, then REX, which counts directly before the opcode alone. */
function prefixes(d: Decoding): void {
  for (;;) {
    const byte = d.bytes.u8()
    switch (byte) {
      case 0x26:
      case 0x2e:
      case 0x36:
      case 0x3e:
        if (d.mode === 32) d.segment = (byte >> 3) & 3
        break
      case 0x64:
      case 0x65:
        d.segment = byte === 0x64 ? FS : GS
        break
      case 0x66:
        d.operandSize = true
        break
      case 0x67:
        d.addressSize = d.mode === 64 ? 4 : 2
        break
      case 0xf0:
        d.lock = true
        break
      case 0xf2:
        d.repeat = 'repne'
        break
      case 0xf3:
        d.repeat = 'rep'
        break
      default:
        if (d.mode === 64 && (byte & 0xf0) === 0x40) {
          d.rex = byte
          continue
        }
        d.opcode = byte
        return
    }
    d.rex = 0
  }
}

/** Reads ModRM where there is one. */
function entryFor(d: Decoding): Entry | undefined {
  const dispatch = dispatchFor(d.mode, d.w)
  if (d.opcode === 0x90 && d.map === 0 && d.rex & 1) return dispatch.xchg
  const prefix =
    d.repeat === 'rep'
      ? REPE_PREFIX
      : d.repeat === 'repne'
        ? REPNE_PREFIX
        : d.operandSize
          ? OPERAND_SIZE_PREFIX
          : NO_PREFIX
  const slot = slotOf(d.map, d.opcode, prefix)
  const entry = dispatch.entries[slot]
  if (entry) {
    if (entry.hasModrm) d.modrm = d.bytes.u8()
    return entry
  }
  const byModrm = dispatch.byModrm[slot]
  if (!byModrm) return undefined
  d.modrm = d.bytes.u8()
  return byModrm[d.modrm]
}

function operationSize(d: Decoding, entry: Entry): Size {
  const { sizeType } = entry
  if (sizeType === 'b') return 1
  if (sizeType === 'y') return d.w ? 8 : 4
  if (sizeType === 'n') return d.mode === 64 ? 8 : 4
  const operandSize = d.operandSize && !entry.asksFor66
  if (sizeType === 'z') return operandSize && !d.w ? 2 : 4
  return d.w ? 8 : operandSize ? 2 : entry.d64 && d.mode === 64 ? 8 : 4
}
