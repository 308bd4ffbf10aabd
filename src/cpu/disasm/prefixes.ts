/** An instruction's bytes before its opcode, as the disassembler shows them: which of them the instruction uses, and the names of the others. */
import { entryOf } from '../isa/dispatch.ts'
import { sizesOf } from '../isa/forms.ts'
import { type Insn, MAP_ESCAPES, type MemOperand } from '../isa/insn.ts'

const LEGACY = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3])

export interface Prefixes {
  readonly legacy: readonly number[]
  /** 0: none. */
  readonly rex: number
  /** Where ModRM is, if there is one. */
  readonly modrmAt: number
}

export function scanPrefixes(insn: Insn, bytes: ArrayLike<number>): Prefixes {
  const legacy: number[] = []
  let rex = 0
  let at = 0
  for (; ; at++) {
    const byte = bytes[at]!
    if (LEGACY.has(byte)) {
      legacy.push(byte)
      rex = 0
    } else if (insn.mode === 64 && (byte & 0xf0) === 0x40) rex = byte
    else break
  }
  return { legacy, rex, modrmAt: at + MAP_ESCAPES[insn.row.encoding.map]!.length + 1 }
}

export const memoryOf = (insn: Insn): MemOperand | undefined => insn.operands.find((operand) => operand.kind === 'mem')

/** What is before the mnemonic: prefixes that repeat, lock, or do nothing, in the order in which they are there. */
export function prefixNames(insn: Insn, { legacy, rex, modrmAt }: Prefixes, bytes: ArrayLike<number>): string[] {
  const names: string[] = []
  for (const [at, byte] of legacy.entries()) {
    const name = prefixName(insn, byte, legacy.indexOf(byte, at + 1) < 0, rex)
    if (name) names.push(name)
  }
  if (rex && rexUnused(insn, rex, bytes[modrmAt] ?? 0)) names.push(`rex${rex & 15 ? `.${rexLetters(rex)}` : ''}`)
  return names
}

function prefixName(insn: Insn, byte: number, last: boolean, rex: number): string {
  const { row, mode } = insn
  switch (byte) {
    case 0x66:
      return last && usesOperandSize(insn, rex) ? '' : 'data16'
    case 0x67:
      return last && usesAddressSize(insn) ? '' : mode === 64 ? 'addr32' : 'addr16'
    case 0xf0:
      return 'lock'
    case 0xf2:
    case 0xf3: {
      if (row.encoding.prefix === (byte === 0xf2 ? 'f2' : 'f3') && last) return ''
      return repeatName(insn, byte)
    }
    default: {
      if (last && hint(insn, { legacy: [byte] }) !== '') return ''
      if (byte === 0x3e && isIndirect(insn)) return 'notrack'
      const name = SEGMENTS[byte === 0x64 ? 4 : byte === 0x65 ? 5 : (byte >> 3) & 3]!
      return last && usesSegment(insn, byte) ? '' : name
    }
  }
}

export const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs']

function repeatName({ row }: Insn, byte: number): string {
  if (byte === 0xf3) return row.attributes.has('repz') ? 'repz' : row.attributes.has('rep') ? 'rep' : 'repz'
  if (row.attributes.has('rep') || row.attributes.has('repz')) return 'repnz'
  return isBranch(row.mnemonic) ? 'bnd' : 'repnz'
}

const isBranch = (mnemonic: string): boolean => /^(?:j|call$|ret$)/.test(mnemonic) && !/^(?:jcxz|jmpf)/.test(mnemonic)

/** Not what is implied, nor an address that is in the instruction. */
function usesAddressSize(insn: Insn): boolean {
  const { row } = insn
  return (
    /^(?:loop|jcxz)/.test(row.mnemonic) ||
    (memoryOf(insn) !== undefined && !row.operands.some((operand) => /^O|DI/.test(operand)))
  )
}

const isIndirect = ({ row, mode }: Insn): boolean =>
  mode === 64 && (row.mnemonic === 'call' || row.mnemonic === 'jmp') && row.operands[0] === 'Ev'

/** Prefixes of CS and DS foretell what a conditional jump will do. */
export function hint({ row }: Insn, { legacy }: Pick<Prefixes, 'legacy'>): string {
  if (!/^(?:j|loop)/.test(row.mnemonic) || row.mnemonic.startsWith('jmp')) return ''
  const last = legacy.findLast((byte) => byte === 0x2e || byte === 0x3e)
  return last === 0x2e ? ',pn' : last === 0x3e ? ',pt' : ''
}

/** Strings name a segment in any case. */
function usesSegment({ row, operands, mode }: Insn, byte: number): boolean {
  if (row.operands.some((notation) => /^X|BX/.test(notation))) return true
  if (mode === 64 && byte !== 0x64 && byte !== 0x65) return false
  return operands.some(({ kind }, n) => kind === 'mem' && !/^Y|DI/.test(row.operands[n]!))
}

export function usesOperandSize({ row, mode }: Insn, rex: number): boolean {
  if (row.encoding.prefix === '66') return true
  if (row.mnemonic === 'nop' && row.encoding.opcode === 0x90) return true
  if (row.operands[0] === 'Jb') return false
  return (rex & 8) === 0 && sizesOf(row, mode).includes(2)
}

function rexUnused(insn: Insn, rex: number, modrm: number): boolean {
  const { row, mode } = insn
  const entry = entryOf(row)
  const sizes = sizesOf(row, mode)
  const w = sizes.includes(8) && !entry.d64 && entry.sizeType !== 'p' && entry.sizeType !== 'n'
  const rm = entry.hasModrm && entry.operands.some(({ method }) => 'EMRWUQN'.includes(method))
  const sib = rm && modrm < 0xc0 && (modrm & 7) === 4
  const reg = entry.operands.some(({ method }) => 'GVCD'.includes(method))
  const short = modrm >= 0xc0 && entry.operands.some(({ method }) => ['Q', 'N', 'STi'].includes(method))
  const base = (entry.takesRegister || (rm && modrm < 0xc0)) && !short
  const used = (w ? 8 : 0) | (reg ? 4 : 0) | (sib ? 2 : 0) | (base ? 1 : 0)
  const bytes = entry.operands.some(({ method, type }) => type === 'b' && 'EGRZ'.includes(method))
  return (rex & 15 & ~used) !== 0 || ((rex & 15) === 0 && !bytes)
}

const rexLetters = (rex: number): string =>
  `${rex & 8 ? 'W' : ''}${rex & 4 ? 'R' : ''}${rex & 2 ? 'X' : ''}${rex & 1 ? 'B' : ''}`
