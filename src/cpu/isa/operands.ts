/** Operands of an instruction: what the notation of row.ts means. AMD APM volume 3, sections 1.4 to 1.7. */
import type { Decoding } from './decoding.ts'
import type { Entry, OperandSpec } from './dispatch.ts'
import {
  CS,
  DS,
  ES,
  GS,
  type MemOperand,
  type Operand,
  RAX,
  RBP,
  RBX,
  RCX,
  RDI,
  RDX,
  RSI,
  RSP,
  type Size,
  SS,
} from './insn.ts'
import * as make from './operand.ts'

/** Bytes of an operand of this type. */
function sizeOf(d: Decoding, type: string): number {
  switch (type) {
    case 'b':
      return 1
    case 'w':
      return 2
    case 'd':
    case 'ss':
      return 4
    case 'q':
    case 'sd':
      return 8
    case 'dq':
    case 'ps':
    case 'pd':
      return 16
    case 'v':
      return d.size
    case 'z':
      return d.size === 2 ? 2 : 4
    case 'y':
      return d.w ? 8 : 4
    case 'n':
      return d.mode === 64 ? 8 : 4
    case 'p':
      return d.size === 2 ? 4 : 6
    case 'a':
      return d.size * 2
    case 's':
      return d.mode === 64 ? 10 : 6
    case 't':
      return 10
    case 'e':
      return d.size === 2 ? 14 : 28
    case 'f':
      return d.size === 2 ? 94 : 108
    case 'x':
      return 512
    default:
      return 0
  }
}

/** What a row's operand is in this instruction; undefined: nothing that exists. */
export function operandOf(d: Decoding, { method, type }: OperandSpec, entry: Entry): Operand | undefined {
  switch (method) {
    case 'E':
      return d.hasMemory ? memory(d, sizeOf(d, type)) : general(d, type, d.rm)
    case 'M':
      return memory(d, sizeOf(d, type))
    case 'R':
      return general(d, type, d.rm)
    case 'G':
      return general(d, type, d.reg)
    case 'Z':
      return general(d, type, (d.opcode & 7) | ((d.rex & 1) << 3))
    case 'AL':
      return make.register(1, RAX)
    case 'CL':
      return make.register(1, RCX)
    case 'AX':
      return make.register(2, RAX)
    case 'DX':
      return make.register(2, RDX)
    case 'rAX':
    case 'eAX':
      return make.register(d.size, RAX)
    case 'I':
      return immediate(d, type)
    case '1':
      return make.immediate(1, 1n)
    case 'J':
      return make.distance(d.bytes.signed(type === 'b' ? 1 : d.size === 2 ? 2 : 4))
    case 'O':
      return at(d, -1, sizeOf(d, type), offset(d))
    case 'X':
      return at(d, RSI, sizeOf(d, type))
    case 'Y':
      return make.memory(sizeOf(d, type), RDI, -1, 1, 0n, false, ES)
    case 'BX':
      return at(d, RBX, 1)
    case 'DI':
      return at(d, RDI, entry.operands[0]!.method === 'P' ? 8 : 16)
    case 'V':
      return make.file('xmm', d.reg)
    case 'W':
      return d.hasMemory ? memory(d, sizeOf(d, type)) : make.file('xmm', d.rm)
    case 'U':
      return make.file('xmm', d.rm)
    case 'P':
      return make.file('mmx', d.reg & 7)
    case 'Q':
      return d.hasMemory ? memory(d, sizeOf(d, type)) : make.file('mmx', d.rm & 7)
    case 'N':
      return make.file('mmx', d.rm & 7)
    case 'ST':
      return make.file('st', 0)
    case 'STi':
      return make.file('st', d.modrm & 7)
    case 'S': {
      const n = (d.modrm >> 3) & 7
      return n > GS || (n === CS && entry.nocs) ? undefined : make.file('sreg', n)
    }
    case 'C':
      return [0, 2, 3, 4, 8].includes(d.reg) ? make.file('creg', d.reg) : undefined
    case 'D':
      return d.reg < 8 ? make.file('dreg', d.reg) : undefined
    default:
      return make.file('sreg', SEGMENT_NAMES.indexOf(method))
  }
}

const SEGMENT_NAMES = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS']

/** Without REX, byte registers 4 to 7 are AH to BH. */
function general(d: Decoding, type: string, n: number): Operand {
  const size = sizeOf(d, type) as Size
  return make.register(size, size === 1 && d.rex === 0 && n >= 4 ? n + 12 : n)
}

function immediate(d: Decoding, type: string): Operand {
  if (type === 'b') return make.immediate(1, BigInt(d.bytes.u8()))
  if (type === 'w') return make.immediate(2, BigInt(d.bytes.u16()))
  const bytes = type === 'bs' ? 1 : type === 'z' && d.size === 8 ? 4 : d.size
  return make.immediate(d.size, BigInt.asUintN(d.size * 8, d.bytes.signed(bytes)))
}

/** An address of its own in the instruction. */
function offset(d: Decoding): bigint {
  return d.addressSize === 8 ? d.bytes.signed(8) : BigInt.asUintN(d.addressSize * 8, d.bytes.signed(d.addressSize))
}

/** What ModRM says, an access of so many bytes. */
function memory(d: Decoding, size: number): MemOperand {
  const { base, index, scale, disp, ripRelative } = d
  const segment = d.segment >= 0 ? d.segment : base === RSP || base === RBP ? SS : DS
  return make.memory(size, base, index, scale, disp, ripRelative, segment)
}

/** Memory at a register alone, or at an address in the instruction; in DS if no prefix says otherwise. */
function at(d: Decoding, base: number, size: number, disp = 0n): MemOperand {
  const segment = d.segment >= 0 ? d.segment : DS
  return make.memory(size, base, -1, 1, disp, false, segment)
}
