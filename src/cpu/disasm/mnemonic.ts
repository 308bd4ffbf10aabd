/** Mnemonics in AT&T's syntax (binutils' documentation of gas, "AT&T Mnemonic versus Intel Mnemonic"): the manuals' names, with a suffix where no register tells the size. */
import type { Insn } from '../isa/insn.ts'

const SUFFIXES: Record<number, string> = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' }
const suffix = (size: number): string => SUFFIXES[size] ?? ''
const narrow = ({ size }: Insn): string => (size === 2 ? 'w' : '')
const memorySize = ({ operands }: Insn): number => operands.find((operand) => operand.kind === 'mem')?.size ?? 0

const bySize =
  (...names: [two: string, four: string, eight: string]) =>
  ({ size }: Insn): string =>
    names[size === 2 ? 0 : size === 4 ? 1 : 2]

const extended =
  (stem: string) =>
  ({ operands, size }: Insn): string =>
    stem + suffix((operands[1] as { size: number }).size) + suffix(size)

const withSuffix = (insn: Insn): string => insn.row.name + suffix(insn.size)
const withNarrow = (insn: Insn): string => insn.row.name + narrow(insn)
/** Near branches by a byte have a prefix instead. */
const branch = (insn: Insn): string =>
  insn.row.operands[0] === 'Jb' || isRegister(insn) ? insn.row.name : withNarrow(insn)
const isRegister = ({ operands }: Insn): boolean => operands[0]?.kind === 'reg'
const table = (insn: Insn): string => insn.row.name + (insn.mode === 32 ? (insn.size === 2 ? 'w' : 'l') : '')
const real = (insn: Insn): string => insn.row.name + ({ 4: 's', 8: 'l', 10: 't' }[memorySize(insn)] ?? '')
const integer = (insn: Insn): string => insn.row.name + ({ 2: 's', 4: 'l', 8: 'll' }[memorySize(insn)] ?? '')
const environment = (insn: Insn): string => insn.row.name + (insn.size === 2 ? 's' : '')
const fromInteger = (insn: Insn): string => insn.row.name + (insn.mode === 64 ? suffix(memorySize(insn)) : '')

/** It counts in RCX, or in ECX. */
const loop = (insn: Insn): string => insn.row.name + (insn.mode === 64 && insn.addressSize === 4 ? 'l' : '')

const PREDICATES = ['eq', 'lt', 'le', 'unord', 'neq', 'nlt', 'nle', 'ord']

/** CMPPS and its kin have names of their own for the first eight predicates. */
export function predicate({ row, operands }: Insn): string | undefined {
  const last = operands[2]
  if (!/^cmp[ps][sd]$/.test(row.mnemonic) || last?.kind !== 'imm') return undefined
  return PREDICATES[Number(last.value)]
}

const SPECIAL: Record<string, (insn: Insn) => string> = {
  movsx: extended('movs'),
  movzx: extended('movz'),
  movsxd: ({ size }) => (size === 8 ? 'movslq' : 'movsxd'),
  cbw: bySize('cbtw', 'cwtl', 'cltq'),
  cwd: bySize('cwtd', 'cltd', 'cqto'),
  iret: bySize('iretw', 'iret', 'iretq'),
  retf: bySize('lretw', 'lret', 'lretq'),
  callf: (insn) => `lcall${narrow(insn)}`,
  jmpf: (insn) => `ljmp${narrow(insn)}`,
  push: (insn) => (isRegister(insn) ? 'push' : withNarrow(insn)),
  pop: (insn) => (isRegister(insn) ? 'pop' : withNarrow(insn)),
  call: branch,
  jmp: branch,
  jcxz: ({ addressSize }) => ({ 2: 'jcxz', 4: 'jecxz', 8: 'jrcxz' })[addressSize],
  sysret: ({ mode, size }) => (mode === 32 ? 'sysret' : size === 8 ? 'sysretq' : 'sysretl'),
  sysexit: ({ mode, size }) => (mode === 32 ? 'sysexit' : size === 8 ? 'sysexitq' : 'sysexitl'),
  fxsave: ({ size }) => (size === 8 ? 'fxsave64' : 'fxsave'),
  fxrstor: ({ size }) => (size === 8 ? 'fxrstor64' : 'fxrstor'),
  rdssp: ({ size }) => (size === 8 ? 'rdsspq' : 'rdsspd'),
  loopne: loop,
  loope: loop,
  loop,
  cvtsi2ss: fromInteger,
  cvtsi2sd: fromInteger,
}
for (const name of ['movs', 'cmps', 'ins', 'outs']) SPECIAL[name] = withSuffix
for (const name of ['ret', 'leave', 'enter', 'pushf', 'popf', 'pusha', 'popa']) SPECIAL[name] = withNarrow
for (const name of ['fldenv', 'fnstenv', 'frstor', 'fnsave']) SPECIAL[name] = environment
for (const name of ['sgdt', 'sidt', 'lgdt', 'lidt']) SPECIAL[name] = table
for (const name of ['fadd', 'fmul', 'fcom', 'fcomp', 'fsub', 'fsubr', 'fdiv', 'fdivr', 'fld', 'fst', 'fstp'])
  SPECIAL[name] = real
for (const name of [
  'fiadd',
  'fimul',
  'ficom',
  'ficomp',
  'fisub',
  'fisubr',
  'fidiv',
  'fidivr',
  'fild',
  'fist',
  'fistp',
  'fisttp',
])
  SPECIAL[name] = integer

export function mnemonicOf(insn: Insn): string {
  const { row, mode } = insn
  const special = SPECIAL[row.name]
  if (special) return special(insn)
  const named = predicate(insn)
  if (named !== undefined) return `cmp${named}${row.mnemonic.slice(3)}`
  if (row.mnemonic === 'nop' && row.encoding.opcode === 0x90) return insn.size === 2 ? 'xchg' : 'nop'
  if (row.mnemonic === 'mov') {
    const wide = row.operands.some((operand) => operand.startsWith('O'))
      ? insn.addressSize === 8
      : row.operands[1] === 'Iv' && insn.size === 8
    if (wide && mode === 64) return 'movabs'
  }
  return row.name + (isSizeUntold(insn) ? suffix(memorySize(insn)) : '')
}

/** Memory as the destination, and beside it a constant, CL or nothing. */
function isSizeUntold({ row, operands }: Insn): boolean {
  const [first, ...others] = row.operands
  if (operands[0]?.kind !== 'mem' || (first !== 'Eb' && first !== 'Ev') || row.mnemonic.startsWith('set')) return false
  return others.every((operand) => operand.startsWith('I') || operand === '1' || operand === 'CL')
}
