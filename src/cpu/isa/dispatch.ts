/** From opcodes to rows: the tables that the decoder looks into, made once of the instruction table. */
import type { Mode, OpcodeMap, Row } from './insn.ts'
import { ROWS } from './rows.ts'

/** An operand's notation, taken apart: the letter of its method, or a name as it is; its type. */
export interface OperandSpec {
  readonly method: string
  readonly type: string
}

/** A row as the decoder wants it. */
export interface Entry {
  readonly row: Row
  readonly operands: readonly OperandSpec[]
  readonly hasModrm: boolean
  /** An operand is the register of ModRM's rm or of the opcode. */
  readonly takesRegister: boolean
  /** What the operation's size comes from: a type `y`, or the type of the first operand that is no immediate, or `v`. */
  readonly sizeType: string
  /** 66 is its mandatory prefix, and says nothing about the operation's size. */
  readonly asksFor66: boolean
  readonly lockable: boolean
  readonly repeatable: boolean
  readonly d64: boolean
  readonly nocs: boolean
  readonly anymod: boolean
}

/** What an opcode may be by the value of ModRM. */
type ByModrm = readonly (Entry | undefined)[]

/** Slots of mandatory prefixes. */
export const NO_PREFIX = 0
export const OPERAND_SIZE_PREFIX = 1
export const REPE_PREFIX = 2
export const REPNE_PREFIX = 3
const PREFIXES = ['np', '66', 'f3', 'f2'] as const

/** Opcodes of a mode, by `slotOf`: each is one row, or one by ModRM, or nothing. */
export interface Dispatch {
  readonly entries: readonly (Entry | undefined)[]
  readonly byModrm: readonly (ByModrm | undefined)[]
  /** 90 with REX.B is not NOP. */
  readonly xchg: Entry
}

/** Four maps of 256 opcodes with four prefixes. */
const SLOTS = 4096

export const slotOf = (map: OpcodeMap, opcode: number, prefix: number): number => map * 1024 + opcode * 4 + prefix

const NAMED = /^(?:[ACD][LX]|[er]AX|[C-GS]S|1|STi?|BX|DI)$/

export function operandSpec(notation: string): OperandSpec {
  const bare = notation.replace(/[()]/g, '')
  return NAMED.test(bare) ? { method: bare, type: '' } : { method: bare[0]!, type: bare.slice(1) }
}

const NAMED_TYPES: Record<string, string> = { AL: 'b', BX: 'b', rAX: 'v', eAX: 'z' }

const entries = new Map<Row, Entry>()

/** A row's entry: the same one each time. */
export function entryOf(row: Row): Entry {
  const known = entries.get(row)
  if (known) return known
  const entry = makeEntry(row)
  entries.set(row, entry)
  return entry
}

function makeEntry(row: Row): Entry {
  const operands = row.operands.map(operandSpec)
  const { attributes, encoding } = row
  const sized =
    operands.find(({ type }) => type === 'y') ??
    operands.find(({ method }) => !'IJ1'.includes(method) && method !== 'DX')
  return {
    row,
    operands,
    hasModrm:
      encoding.reg >= 0 ||
      encoding.modrm >= 0 ||
      encoding.rm !== 'any' ||
      operands.some(({ method }) => 'EGMRSCDVWUPQN'.includes(method)),
    takesRegister:
      encoding.registerInOpcode || operands.some(({ method }) => 'ERWUQN'.includes(method) || method === 'STi'),
    sizeType: (sized && (NAMED_TYPES[sized.method] ?? sized.type)) || 'v',
    asksFor66: encoding.prefix === '66',
    lockable: attributes.has('lock'),
    repeatable: attributes.has('rep') || attributes.has('repz'),
    d64: attributes.has('d64'),
    nocs: attributes.has('nocs'),
    anymod: attributes.has('anymod'),
  }
}

/** Of the rows that fit, the one that asks for most. */
function best(candidates: readonly Entry[]): Entry | undefined {
  const asks = ({ row: { encoding: e } }: Entry): number =>
    (e.prefix === '' ? 0 : 32) +
    (e.modrm >= 0 ? 16 : 0) +
    (e.reg >= 0 ? 8 : 0) +
    (e.rm === 'any' ? 0 : 4) -
    (e.registerInOpcode ? 1 : 0)
  let found: Entry | undefined
  for (const entry of candidates) {
    if (!found || asks(entry) > asks(found)) found = entry
    else if (asks(entry) === asks(found))
      throw new Error(`two rows for one opcode: ${found.row.text} | ${entry.row.text}`)
  }
  return found
}

function takesModrm({ row: { encoding } }: Entry, modrm: number): boolean {
  if (encoding.modrm >= 0 && encoding.modrm !== modrm) return false
  if (encoding.reg >= 0 && encoding.reg !== ((modrm >> 3) & 7)) return false
  return encoding.rm === 'any' || (encoding.rm === 'reg') === modrm >= 0xc0
}

const asksModrm = ({ row: { encoding } }: Entry): boolean =>
  encoding.modrm >= 0 || encoding.reg >= 0 || encoding.rm !== 'any'

function modrmTable(entries: readonly Entry[]): ByModrm {
  // Where no row wants all of ModRM, rm does not choose, nor whether mod is 0, 1 or 2.
  const wantsAll = entries.some(({ row }) => row.encoding.modrm >= 0)
  const table: (Entry | undefined)[] = []
  for (let modrm = 0; modrm < 256; modrm++) {
    const like = wantsAll ? modrm : modrm & (modrm < 0xc0 ? 0x38 : 0xf8)
    table.push(like < modrm ? table[like] : best(entries.filter((entry) => takesModrm(entry, modrm))))
  }
  return table
}

function dispatchOf(all: readonly Entry[]): Dispatch {
  const byOpcode = new Map<number, Entry[]>()
  for (const entry of all) {
    const { map, opcode, registerInOpcode } = entry.row.encoding
    for (let n = 0; n < (registerInOpcode ? 8 : 1); n++) {
      const key = slotOf(map, opcode + n, 0)
      const list = byOpcode.get(key)
      if (list) list.push(entry)
      else byOpcode.set(key, [entry])
    }
  }
  const entries: (Entry | undefined)[] = Array.from({ length: SLOTS }, () => undefined)
  const byModrm: (ByModrm | undefined)[] = Array.from({ length: SLOTS }, () => undefined)
  for (const [key, list] of byOpcode) {
    // Most have one table for all prefixes.
    const isSame = list.every(({ row }) => row.encoding.prefix === '')
    const shared = isSame && list.some(asksModrm) ? modrmTable(list) : undefined
    for (const [n, prefix] of PREFIXES.entries()) {
      const fit = isSame ? list : list.filter(({ row }) => ['', prefix].includes(row.encoding.prefix))
      if (fit.some(asksModrm)) byModrm[key + n] = shared ?? modrmTable(fit)
      else entries[key + n] = best(fit)
    }
  }
  const xchg = all.find(({ row }) => row.encoding.opcode === 0x90 && row.encoding.registerInOpcode)!
  return { entries, byModrm, xchg }
}

let dispatches: readonly Dispatch[] | undefined

/** For a mode, and whether REX.W is there. */
export function dispatchFor(mode: Mode, w: boolean): Dispatch {
  if (!dispatches) {
    const without = (...attributes: string[]): Entry[] =>
      ROWS.filter((row) => !attributes.some((attribute) => row.attributes.has(attribute))).map(entryOf)
    dispatches = [dispatchOf(without('o64', 'w1')), dispatchOf(without('i64', 'w1')), dispatchOf(without('i64', 'w0'))]
  }
  return dispatches[mode === 32 ? 0 : w ? 2 : 1]!
}
