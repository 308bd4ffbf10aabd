/**
 * x87 control: words, environments, the whole state (Intel SDM volume 1, 8.1.8 to 8.1.10 and 8.3.8; figures 8-9 to 8-12
 * for the environments).
 */
import { F80, unpack } from '../float/format.ts'
import { RAX } from '../isa/insn.ts'
import { S_FDP, S_FIP, S_FOP } from '../state.ts'
import { setReg } from '../state-access.ts'
import type { X87Action, X87Operands } from './x87-arithmetic.ts'
import { BUSY, C1, ES, FCW_INIT, SF, type X87 } from './x87-file.ts'

const REGISTERS = 8
const REGISTER_BYTES = 10

function initialize(fpu: X87): void {
  const { view, base } = fpu.cpu
  fpu.tags = 0
  fpu.status = 0
  fpu.setControl(FCW_INIT)
  view.setUint16(base + S_FOP, 0, true)
  view.setBigUint64(base + S_FIP, 0n, true)
  view.setBigUint64(base + S_FDP, 0n, true)
}

/** Two bits a register: valid, zero, special, empty. */
function fullTags(fpu: X87): number {
  let tags = 0
  for (let n = 0; n < REGISTERS; n++) {
    const { kind, denormal } = unpack(fpu.env, F80, fpu.register(n))
    const tag = (fpu.tags & (1 << n)) === 0 ? 3 : kind === 'zero' ? 1 : kind === 'finite' && !denormal ? 0 : 2
    tags |= tag << (2 * n)
  }
  return tags
}

/** Sixteen-bit environments have words where the others have double words. */
const isShort = ({ bytes }: X87Operands): boolean => bytes === 14 || bytes === 94

function environment(fpu: X87, short: boolean): Uint8Array {
  const { view, base } = fpu.cpu
  const bytes = new Uint8Array(short ? 14 : 28)
  const area = new DataView(bytes.buffer)
  const step = short ? 2 : 4
  const put = (n: number, value: number): void => area.setUint16(n * step, value, true)
  // What the double words have above these words reads as ones.
  if (!short) for (const n of [0, 1, 2]) area.setUint16(n * step + 2, 0xffff, true)
  put(0, fpu.control)
  put(1, fpu.status)
  put(2, fullTags(fpu))
  const instruction = view.getUint32(base + S_FIP, true)
  const operand = view.getUint32(base + S_FDP, true)
  if (short) {
    put(3, instruction & 0xffff)
    put(5, operand & 0xffff)
  } else {
    area.setUint32(12, instruction, true)
    area.setUint32(16, view.getUint16(base + S_FOP, true) << 16, true)
    area.setUint32(20, operand, true)
    area.setUint16(26, 0xffff, true)
  }
  return bytes
}

function loadEnvironment(fpu: X87, bytes: Uint8Array, short: boolean): void {
  const { view, base } = fpu.cpu
  const area = new DataView(bytes.buffer, bytes.byteOffset)
  const step = short ? 2 : 4
  const word = (n: number): number => area.getUint16(n * step, true)
  let tags = 0
  for (let n = 0; n < REGISTERS; n++) if (((word(2) >> (2 * n)) & 3) !== 3) tags |= 1 << n
  fpu.tags = tags
  fpu.setControl(word(0))
  fpu.setStatus(word(1))
  view.setBigUint64(base + S_FIP, BigInt(short ? word(3) : area.getUint32(12, true)), true)
  view.setBigUint64(base + S_FDP, BigInt(short ? word(5) : area.getUint32(20, true)), true)
  if (!short) view.setUint16(base + S_FOP, area.getUint16(18, true) & 0x7ff, true)
}

const storeEnvironment: X87Action = (fpu, operands) => {
  fpu.cpu.storeBytes(operands.address, environment(fpu, isShort(operands)))
  fpu.setControl(fpu.control | 63)
}

const save: X87Action = (fpu, operands) => {
  const head = environment(fpu, isShort(operands))
  const bytes = new Uint8Array(head.length + REGISTERS * REGISTER_BYTES)
  bytes.set(head)
  for (let i = 0; i < REGISTERS; i++) {
    const bits = fpu.bits(i)
    for (let b = 0; b < REGISTER_BYTES; b++) {
      bytes[head.length + i * REGISTER_BYTES + b] = Number((bits >> BigInt(8 * b)) & 0xffn)
    }
  }
  fpu.cpu.storeBytes(operands.address, bytes)
  initialize(fpu)
}

const restore: X87Action = (fpu, operands) => {
  const short = isShort(operands)
  const head = short ? 14 : 28
  const bytes = fpu.cpu.loadBytes(operands.address, head + REGISTERS * REGISTER_BYTES)
  loadEnvironment(fpu, bytes, short)
  for (let i = 0; i < REGISTERS; i++) {
    const at = head + i * REGISTER_BYTES
    const bits = bytes.subarray(at, at + REGISTER_BYTES).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
    fpu.setRegister((fpu.top + i) & 7, bits)
  }
}

const storeStatus: X87Action = (fpu, { address, bytes }) => {
  if (bytes === 2) fpu.cpu.store(2, address, fpu.status)
  else setReg(fpu.cpu, 2, RAX, fpu.status)
}

/** These wait for exceptions of earlier instructions, but are not remembered as the last one. */
export const X87_CONTROL_WAITING: Record<string, X87Action> = {
  fwait: () => {},
  fldcw: (fpu, { address }) => fpu.setControl(fpu.cpu.load(2, address) as number),
  fldenv: (fpu, operands) => {
    const short = isShort(operands)
    loadEnvironment(fpu, fpu.cpu.loadBytes(operands.address, short ? 14 : 28), short)
  },
  frstor: restore,
}

export const X87_CONTROL: Record<string, X87Action> = {
  fninit: initialize,
  fnclex: (fpu) => {
    fpu.status &= ~(63 | SF | ES | BUSY)
  },
  fnstcw: (fpu, { address }) => fpu.cpu.store(2, address, fpu.control),
  fnstsw: storeStatus,
  fnstenv: storeEnvironment,
  fnsave: save,
  // The 8087's and 80287's interrupts and protected mode: nothing any more.
  fneni: () => {},
  fndisi: () => {},
  fnsetpm: () => {},
}

/** These are remembered as all others are, but only move the stack's top. */
export const X87_STACK: Record<string, X87Action> = {
  fnop: () => {},
  fincstp: (fpu) => {
    fpu.top++
    fpu.setCodes(C1, 0)
  },
  fdecstp: (fpu) => {
    fpu.top--
    fpu.setCodes(C1, 0)
  },
  ffree: (fpu, { to }) => {
    fpu.free(to)
    fpu.setCodes(C1, 0)
  },
  ffreep: (fpu, { to }) => {
    fpu.free(to)
    fpu.pop()
    fpu.setCodes(C1, 0)
  },
}
