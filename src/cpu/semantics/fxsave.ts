/** FXSAVE and FXRSTOR, LDMXCSR and STMXCSR (Intel SDM volume 1, 10.5; volume 2, FXSAVE, tables 3-43 to 3-46). */
import type { Cpu } from '../cpu.ts'
import { Fault, GP } from '../fault.ts'
import { MXCSR_MASK, mxcsr, setMxcsr } from '../float/mxcsr.ts'
import { SS } from '../isa/insn.ts'
import { S_FDP, S_FIP, S_FOP, S_XMM } from '../state.ts'
import type { Helper, Semantics } from './emitter.ts'
import { helper } from './helper.ts'
import { address, memory, read, write } from './operands.ts'
import { checkStack, X87 } from './x87-file.ts'

/** Offsets in the area. */
const FCW = 0
const FSW = 2
const FTW = 4
const FOP = 6
const FIP = 8
const FDP = 16
const MXCSR = 24
const MASK = 28
const ST = 32
const XMM = 160
/** What follows is for nobody, or for the system's use. */
const USED = 416
const AREA = 512

const registers = (cpu: Cpu): number => (cpu.mode === 64 ? 16 : 8)

function checkPlace(address: bigint, stack: boolean): void {
  if (stack) checkStack(address, AREA)
  if ((address & 15n) !== 0n) throw new Fault(GP, 0)
}

/** `wide`: with REX.W, pointers of 64 bits instead of 32 and a selector. */
const save = helper('fxsave', (cpu, to, wide, stack) => {
  const at = to as bigint
  checkPlace(at, stack === 1)
  // The end is looked at first.
  cpu.writable(1, BigInt.asUintN(64, at + BigInt(AREA - 1)))
  cpu.writable(AREA, at)
  // What is reserved keeps what is there.
  const bytes = cpu.loadBytes(at, USED)
  saveInto(cpu, bytes, wide === 1, registers(cpu))
  cpu.storeBytes(at, bytes)
  return undefined
})

/** As FXSAVE lays it out, with so many XMM registers. `wide`: pointers of 64 bits. */
export function saveInto(cpu: Cpu, bytes: Uint8Array, wide: boolean, xmms: number): void {
  const { view, base } = cpu
  const fpu = new X87(cpu, 0n)
  const area = new DataView(bytes.buffer, bytes.byteOffset)
  area.setUint16(FCW, fpu.control, true)
  area.setUint16(FSW, fpu.status, true)
  area.setUint16(FTW, fpu.tags, true)
  area.setUint16(FOP, view.getUint16(base + S_FOP, true), true)
  const pointer = wide ? 64 : 32
  area.setBigUint64(FIP, BigInt.asUintN(pointer, view.getBigUint64(base + S_FIP, true)), true)
  area.setBigUint64(FDP, BigInt.asUintN(pointer, view.getBigUint64(base + S_FDP, true)), true)
  area.setUint32(MXCSR, mxcsr(cpu), true)
  area.setUint32(MASK, MXCSR_MASK, true)
  for (let i = 0; i < 8; i++) {
    const bits = fpu.bits(i)
    area.setBigUint64(ST + 16 * i, BigInt.asUintN(64, bits), true)
    area.setBigUint64(ST + 16 * i + 8, BigInt.asUintN(16, bits >> 64n), true)
  }
  for (let n = 0; n < 16 * xmms; n += 8) {
    area.setBigUint64(XMM + n, view.getBigUint64(base + S_XMM + n, true), true)
  }
}

const restore = helper('fxrstor', (cpu, from, wide, stack) => {
  const at = from as bigint
  checkPlace(at, stack === 1)
  const bytes = cpu.loadBytes(at, USED)
  const area = new DataView(bytes.buffer, bytes.byteOffset)
  if ((area.getUint32(MXCSR, true) & ~MXCSR_MASK) !== 0) throw new Fault(GP, 0)
  restoreFrom(cpu, bytes, wide === 1, registers(cpu))
  return undefined
})

/** The inverse of `saveInto`; bits of MXCSR that do not exist are ignored. */
export function restoreFrom(cpu: Cpu, bytes: Uint8Array, wide: boolean, xmms: number): void {
  const { view, base } = cpu
  const area = new DataView(bytes.buffer, bytes.byteOffset)
  const fpu = new X87(cpu, 0n)
  fpu.setControl(area.getUint16(FCW, true))
  fpu.setStatus(area.getUint16(FSW, true))
  fpu.tags = area.getUint8(FTW)
  view.setUint16(base + S_FOP, area.getUint16(FOP, true) & 0x7ff, true)
  const pointer = wide ? 64 : 32
  view.setBigUint64(base + S_FIP, BigInt.asUintN(pointer, area.getBigUint64(FIP, true)), true)
  view.setBigUint64(base + S_FDP, BigInt.asUintN(pointer, area.getBigUint64(FDP, true)), true)
  setMxcsr(cpu, area.getUint32(MXCSR, true) & MXCSR_MASK)
  for (let i = 0; i < 8; i++) {
    const low = area.getBigUint64(ST + 16 * i, true)
    fpu.setRegister((fpu.top + i) & 7, low | (BigInt(area.getUint16(ST + 16 * i + 8, true)) << 64n))
  }
  for (let n = 0; n < 16 * xmms; n += 8) {
    view.setBigUint64(base + S_XMM + n, area.getBigUint64(XMM + n, true), true)
  }
}

const area =
  (transfer: Helper): Semantics =>
  (e, insn) => {
    e.fpu()
    const mem = memory(insn, 0)
    const [wide, stack] = [insn.size === 8, mem.segment === SS].map((yes) => e.imm(4, yes ? 1 : 0))
    e.helper(transfer, 0, address(e, insn, mem), wide!, stack!)
  }

const load = helper('ldmxcsr', (cpu, value) => {
  if (((value as number) & ~MXCSR_MASK) !== 0) throw new Fault(GP, 0)
  setMxcsr(cpu, value as number)
  return undefined
})
const store = helper('stmxcsr', (cpu) => mxcsr(cpu))

export const FXSAVE: Record<string, Semantics> = {
  fxsave: area(save),
  fxrstor: area(restore),
  ldmxcsr: (e, insn) => {
    e.fpu()
    e.helper(load, 0, read(e, insn, 0))
  },
  stmxcsr: (e, insn) => {
    e.fpu()
    write(e, insn, 0, e.helper(store, 4))
  },
}
