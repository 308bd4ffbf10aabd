/**
 * What holds for all of x87, MMX and SSE. Each one's own meaning is compared with a real processor in src/testing/cpu.
 */
import { describe, expect, test } from 'vitest'
import { Fault, MF, NM, XM } from '../fault.ts'
import { FlatCpu } from '../flat-cpu.ts'
import { InterpretingEmitter } from '../interpret/emitter.ts'
import { decode } from '../isa/decode.ts'
import { encode } from '../isa/encode.ts'
import { formName, formsOf } from '../isa/forms.ts'
import { S_FCW, S_FDP, S_FIP, S_FOP, S_FPR, S_FSW, S_FTW, S_GPR, S_MXCSR, S_TLB, S_TS, S_XMM } from '../state.ts'
import { FPU } from './fpu.ts'
import { semanticsOf } from './index.ts'

const CODE = 0x1000n
const DATA = 0x3000n
const IMPLEMENTED = new Set(FPU.map(([mnemonic]) => mnemonic))
const forms = formsOf(64).filter(
  ({ row }) => IMPLEMENTED.has(row.mnemonic) && /fpu|mmx|sse|fxsr/.test([...row.attributes].join()),
)

function cpuWith(): FlatCpu {
  const cpu = new FlatCpu([
    { address: CODE, bytes: 4096 },
    { address: DATA, bytes: 4096 },
  ])
  cpu.view.setUint16(S_FCW, 0x37f, true)
  cpu.view.setUint32(S_MXCSR, 0x1f80, true)
  // RDI, where MASKMOVQ stores.
  cpu.view.setBigUint64(S_GPR + 56, DATA, true)
  return cpu
}

/** The vector of the fault; undefined: there was none. */
function run(cpu: FlatCpu, code: Uint8Array): number | undefined {
  cpu.bytesAt(CODE, code.length).set(code)
  const insn = decode((at) => code[at] ?? 0, 64)!
  const emitter = new InterpretingEmitter(cpu)
  emitter.begin(CODE, CODE + BigInt(insn.length))
  try {
    semanticsOf(insn.row)!(emitter, insn)
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    return fault.vector
  }
  return undefined
}

const state = (cpu: FlatCpu): string => Buffer.from(cpu.view.buffer, 0, S_TLB).toString('latin1')
const ADDRESS = { base: -1, index: -1, scale: 1, disp: Number(DATA) } as const

test('there are many', () => expect(forms.length).toBeGreaterThan(600))

test('all of them are #NM while TS is set, and do nothing else', () => {
  for (const form of forms) {
    const cpu = cpuWith()
    cpu.view.setUint32(S_TS, 1, true)
    const before = state(cpu)
    expect([formName(form), run(cpu, encode(form, { address: ADDRESS }))]).toEqual([formName(form), NM])
    expect(state(cpu) === before).toBe(true)
  }
})

/** Those that do not wait; FXSAVE's and SSE's exceptions are others. */
const NOT_WAITING = /^(?:fn|fx(?:save|rstor)$)/

test('x87 and MMX wait for what earlier instructions have left: #MF', () => {
  for (const form of forms) {
    const { row } = form
    const isMmx =
      row.operands.some((operand) => /^\(?[PQN]/.test(operand)) &&
      !(row.operands[0]?.startsWith('V') && form.rm === 'mem')
    if (!row.attributes.has('fpu') && !isMmx && row.mnemonic !== 'emms') continue
    const cpu = cpuWith()
    cpu.view.setUint16(S_FCW, 0x37e, true)
    cpu.view.setUint16(S_FSW, 0x8081, true)
    const before = state(cpu)
    const waits = !NOT_WAITING.test(row.mnemonic) || row.mnemonic === 'fnop'
    expect([formName(form), run(cpu, encode(form, { address: ADDRESS }))]).toEqual([
      formName(form),
      waits ? MF : undefined,
    ])
    if (waits) expect(state(cpu) === before).toBe(true)
  }
})

test('an exception of SSE that is not masked is #XM, and leaves only its flag', () => {
  const cpu = cpuWith()
  cpu.view.setUint32(S_MXCSR, 0x1f80 & ~(1 << 9), true)
  cpu.view.setFloat64(S_XMM, 1, true)
  const before = state(cpu)
  // DIVSD XMM0,XMM1: by zero.
  expect(run(cpu, Uint8Array.of(0xf2, 0x0f, 0x5e, 0xc1))).toBe(XM)
  expect(cpu.view.getUint32(S_MXCSR, true)).toBe((0x1f80 & ~(1 << 9)) | 4)
  cpu.view.setUint32(S_MXCSR, 0x1f80 & ~(1 << 9), true)
  expect(state(cpu) === before).toBe(true)
})

describe('the last x87 instruction', () => {
  test('is remembered with its operand, and its opcode if it has raised what is not masked', () => {
    const cpu = cpuWith()
    // GS FADD dword [3000h], with ST(0) empty.
    const code = Uint8Array.of(0x65, 0xd8, 0x04, 0x25, 0, 0x30, 0, 0)
    expect(run(cpu, code)).toBeUndefined()
    const remembered = (): unknown[] => [
      cpu.view.getBigUint64(S_FIP, true),
      cpu.view.getBigUint64(S_FDP, true),
      cpu.view.getUint16(S_FOP, true),
    ]
    expect(remembered()).toEqual([CODE, DATA, 0])
    cpu.view.setUint16(S_FCW, 0x37e, true)
    cpu.view.setUint16(S_FSW, 0, true)
    cpu.view.setUint8(S_FTW, 0)
    expect(run(cpu, code)).toBeUndefined()
    expect(remembered()).toEqual([CODE, DATA, 0x004])
  })

  test('is not one of control', () => {
    const cpu = cpuWith()
    cpu.view.setBigUint64(S_FIP, 5n, true)
    // FNSTCW, FWAIT, FNCLEX.
    for (const code of [[0xd9, 0x3c, 0x25, 0, 0x30, 0, 0], [0x9b], [0xdb, 0xe2]]) run(cpu, Uint8Array.from(code))
    expect(cpu.view.getBigUint64(S_FIP, true)).toBe(5n)
  })
})

test('MMX registers are the significands of x87 registers, whatever TOP was', () => {
  const cpu = cpuWith()
  cpu.view.setUint16(S_FSW, 3 << 11, true)
  cpu.view.setBigUint64(S_GPR, 0x0123456789abcdefn, true)
  // MOVQ MM2,RAX.
  expect(run(cpu, Uint8Array.of(0x48, 0x0f, 0x6e, 0xd0))).toBeUndefined()
  const at = S_FPR + 32
  expect([cpu.view.getBigUint64(at, true), cpu.view.getUint16(at + 8, true)]).toEqual([0x0123456789abcdefn, 0xffff])
  expect([cpu.view.getUint16(S_FSW, true), cpu.view.getUint8(S_FTW)]).toEqual([0, 0xff])
  // EMMS.
  expect(run(cpu, Uint8Array.of(0x0f, 0x77))).toBeUndefined()
  expect(cpu.view.getUint8(S_FTW)).toBe(0)
})
