/**
 * SSE, SSE2 and MMX moves, and what takes vectors apart and puts them together (Intel SDM volume 1, 9.4.1, 10.4.1,
 * 10.4.4, 11.4.1 and 11.4.2).
 */
import { type Insn, SS } from '../isa/insn.ts'
import type { Emitter, Semantics } from './emitter.ts'
import { helper } from './helper.ts'
import { beginMmx, emms, enterMmx, readMmx, writeMmx } from './mmx-file.ts'
import { address, immediate, memory, read, resize, sizeOf, write } from './operands.ts'
import { chosen, packed, selectorsOf } from './packed.ts'
import { extended, readVector, register } from './sse-operands.ts'

/** A whole register from or to a register or memory. */
const move =
  (aligned: boolean): Semantics =>
  (e, insn) => {
    e.fpu()
    const value = readVector(e, insn, 1, aligned)
    const [to] = insn.operands
    if (to?.kind === 'mem') e.store128(address(e, insn, to), value, aligned, to.segment === SS)
    else e.setXmm(register(insn, 0), value)
  }

/** MOVSS and MOVSD: from memory with zeros above, between registers without touching what is above. */
const moveScalar =
  (size: 4 | 8): Semantics =>
  (e, insn) => {
    e.fpu()
    const value = readVector(e, insn, 1)
    const [to, from] = insn.operands
    if (to?.kind === 'mem') write(e, insn, 0, e.lane(size, value, 0))
    else {
      const n = register(insn, 0)
      e.setXmm(n, from?.kind === 'mem' ? value : e.withLane(size, e.xmm(n), 0, e.lane(size, value, 0)))
    }
  }

/** MOVLPS and MOVHPS: half of a register from or to memory. */
const moveHalf =
  (half: 0 | 1): Semantics =>
  (e, insn) => {
    e.fpu()
    if (insn.operands[0]!.kind === 'mem') write(e, insn, 0, e.lane(8, e.xmm(register(insn, 1)), half))
    else {
      const n = register(insn, 0)
      e.setXmm(n, e.withLane(8, e.xmm(n), half, read(e, insn, 1)))
    }
  }

/** Half of one register to the other half of another. */
const crossHalves =
  (to: 0 | 1, from: 0 | 1): Semantics =>
  (e, insn) => {
    e.fpu()
    const n = register(insn, 0)
    e.setXmm(n, e.withLane(8, e.xmm(n), to, e.lane(8, e.xmm(register(insn, 1)), from)))
  }

/** MOVD and MOVQ in all their forms, and MOVNTQ: what is shorter than the destination's register gets zeros above. */
const moveLow: Semantics = (e, insn) => {
  const [to, from] = insn.operands
  if (to?.kind === 'mmx' || from?.kind === 'mmx') return moveMmx(e, insn)
  e.fpu()
  if (to?.kind === 'xmm') {
    const size = from?.kind === 'xmm' ? 8 : sizeOf(insn, 1)
    const value = from?.kind === 'xmm' ? e.lane(8, e.xmm(from.n), 0) : read(e, insn, 1)
    e.setXmm(to.n, extended(e, size, value))
  } else write(e, insn, 0, e.lane(sizeOf(insn, 0), e.xmm(register(insn, 1)), 0))
}

function moveMmx<V>(e: Emitter<V>, insn: Insn): void {
  beginMmx(e)
  const [to, from] = insn.operands
  if (to?.kind === 'mmx') {
    const value = from?.kind === 'reg' ? resize(e, from.size, 8, read(e, insn, 1)) : readMmx(e, insn, 1)
    writeMmx(e, to.n, value)
  } else {
    const size = sizeOf(insn, 0)
    write(e, insn, 0, resize(e, 8, size, readMmx(e, insn, 1)))
    enterMmx(e)
  }
}

const movq2dq: Semantics = (e, insn) => {
  beginMmx(e)
  const value = readMmx(e, insn, 1)
  enterMmx(e)
  e.setXmm(register(insn, 0), extended(e, 8, value))
}

const movdq2q: Semantics = (e, insn) => {
  beginMmx(e)
  writeMmx(e, register(insn, 0), e.lane(8, e.xmm(register(insn, 1)), 0))
}

/** Top bits of lanes of an XMM register as an integer. */
const mask =
  (size: 1 | 4 | 8): Semantics =>
  (e, insn) => {
    e.fpu()
    e.setReg(4, register(insn, 0), e.bitmask(size, e.xmm(register(insn, 1))))
  }

const maskBytes = mask(1)
const pmovmskb: Semantics = (e, insn) => {
  if (insn.operands[1]!.kind === 'xmm') return maskBytes(e, insn)
  beginMmx(e)
  const bits = e.bitmask(1, extended(e, 8, readMmx(e, insn, 1)))
  enterMmx(e)
  e.setReg(4, register(insn, 0), bits)
}

/** Which word an immediate names. */
const wordOf = (insn: Insn, n: number): number =>
  Number(immediate(insn, n).value) & (insn.operands.some(({ kind }) => kind === 'mmx') ? 3 : 7)

const pextrw: Semantics = (e, insn) => {
  const n = wordOf(insn, 2)
  const isMmx = insn.operands[1]!.kind === 'mmx'
  if (isMmx) beginMmx(e)
  else e.fpu()
  const vector = isMmx ? extended(e, 8, readMmx(e, insn, 1)) : readVector(e, insn, 1)
  if (isMmx) enterMmx(e)
  e.setReg(4, register(insn, 0), resize(e, 2, 4, e.lane(2, vector, n)))
}

const pinsrw: Semantics = (e, insn) => {
  const n = wordOf(insn, 2)
  const to = register(insn, 0)
  const isMmx = insn.operands[0]!.kind === 'mmx'
  if (isMmx) beginMmx(e)
  else e.fpu()
  const word = resize(e, sizeOf(insn, 1), 2, read(e, insn, 1))
  if (isMmx) {
    const vector = e.withLane(2, extended(e, 8, readMmx(e, insn, 0)), n, word)
    writeMmx(e, to, e.lane(8, vector, 0))
  } else e.setXmm(to, e.withLane(2, e.xmm(to), n, word))
}

const shufps: Semantics = (e, insn) => {
  const [a, b, c, d] = selectorsOf(insn, 2)
  packed((e, x, y) => e.shuffle(x, y, chosen(4, [a!, b!, c! + 4, d! + 4])))(e, insn)
}

const shufpd: Semantics = (e, insn) => {
  const bits = Number(immediate(insn, 2).value)
  packed((e, x, y) => e.shuffle(x, y, chosen(8, [bits & 1, 2 + ((bits >> 1) & 1)])))(e, insn)
}

/** Stores the bytes whose mask's top bit is set. All of the operand must be writable, which has been asked for. */
const storeMasked = helper('sse.store-masked', (cpu, address, value, mask) => {
  for (let i = 0; i < 8; i++) {
    if ((((mask as bigint) >> BigInt(8 * i + 7)) & 1n) === 0n) continue
    const byte = Number(((value as bigint) >> BigInt(8 * i)) & 0xffn)
    cpu.store(1, BigInt.asUintN(64, (address as bigint) + BigInt(i)), byte)
  }
  return undefined
})

const maskmovq: Semantics = (e, insn) => {
  beginMmx(e)
  const value = readMmx(e, insn, 0)
  const to = address(e, insn, memory(insn, 2))
  e.writable(8, to)
  e.helper(storeMasked, 0, to, value, readMmx(e, insn, 1))
  enterMmx(e)
}

const maskmovdqu: Semantics = (e, insn) => {
  e.fpu()
  const value = readVector(e, insn, 0)
  const bytes = readVector(e, insn, 1)
  const to = address(e, insn, memory(insn, 2))
  e.writable(16, to)
  for (const half of [0, 1]) {
    const at = e.add(8, to, e.imm(8, 8 * half))
    e.helper(storeMasked, 0, at, e.lane(8, value, half), e.lane(8, bytes, half))
  }
}

export const SSE_MOVES: Record<string, Semantics> = {
  movups: move(false),
  movupd: move(false),
  movdqu: move(false),
  lddqu: move(false),
  movaps: move(true),
  movapd: move(true),
  movdqa: move(true),
  movntps: move(true),
  movntpd: move(true),
  movntdq: move(true),
  movss: moveScalar(4),
  movsd: moveScalar(8),
  movlps: moveHalf(0),
  movlpd: moveHalf(0),
  movhps: moveHalf(1),
  movhpd: moveHalf(1),
  movhlps: crossHalves(0, 1),
  movlhps: crossHalves(1, 0),
  movd: moveLow,
  movq: moveLow,
  movntq: moveLow,
  movq2dq,
  movdq2q,
  movmskps: mask(4),
  movmskpd: mask(8),
  pmovmskb,
  pextrw,
  pinsrw,
  shufps,
  shufpd,
  maskmovq,
  maskmovdqu,
  emms,
}
