/** The table read the other way, for tests: every form of an instruction, which is a row, an operation's size, and a register or memory. encode.ts makes bytes of it. */
import { entryOf } from './dispatch.ts'
import type { Mode, Row, Size } from './insn.ts'
import { ROWS } from './rows.ts'

export interface Form {
  readonly row: Row
  readonly mode: Mode
  /** The operation's: what the decoded instruction's `size` will be. */
  readonly size: Size
  /** What ModRM's rm is; `none`: there is no choice. */
  readonly rm: 'reg' | 'mem' | 'none'
}

/** `and Ev,Gv` 8 mem: as a name in reports. */
export const formName = ({ row, mode, size, rm }: Form): string =>
  `${row.text.replace(/\s+/g, ' ').replace(/(?: [<=?]\S+| name:\S+)/g, '')} | ${mode} bit, size ${size}${rm === 'none' ? '' : `, ${rm}`}`

export function formsOf(mode: Mode, rows: readonly Row[] = ROWS): Form[] {
  return rows
    .filter(({ attributes }) => !attributes.has(mode === 64 ? 'i64' : 'o64') && !(mode === 32 && attributes.has('w1')))
    .flatMap((row) => sizesOf(row, mode).flatMap((size) => kindsOf(row).map((rm) => ({ row, mode, size, rm }))))
}

function kindsOf(row: Row): Form['rm'][] {
  if (row.encoding.rm !== 'any') return [row.encoding.rm]
  if (row.attributes.has('anymod')) return ['reg']
  return entryOf(row).operands.some(({ method }) => 'EWQ'.includes(method)) ? ['reg', 'mem'] : ['none']
}

/** Without an operand that says so, these too are about the operation's size. */
const SIZED = new Set('cbw cwd iret retf pusha popa'.split(' '))
/** Of these REX.W is all that counts. */
const WIDENED = new Set('sysret sysexit fxsave fxrstor'.split(' '))
const SIZED_OPERAND = /^\(?(?:[EGMRZIOXYJ](?:v|z|bs|p|a|e|f)|[er]AX)\)?$/

/** The operation's sizes that differ. */
export function sizesOf(row: Row, mode: Mode): Size[] {
  const { attributes, encoding, operands } = row
  const wide = mode === 64
  const type = entryOf(row).sizeType
  if (type === 'b') return [1]
  if (type === 'n') return [wide ? 8 : 4]
  if (type === 'y') return wide && !attributes.has('w0') ? (attributes.has('w1') ? [8] : [4, 8]) : [4]
  if (type === 'z') return [2, 4]
  if (attributes.has('d64')) return wide ? [2, 8] : [2, 4]
  if (attributes.has('w1')) return [8]
  if (WIDENED.has(row.mnemonic)) return wide ? [4, 8] : [4]
  if (attributes.has('w0') || !(SIZED.has(row.mnemonic) || operands.some((operand) => SIZED_OPERAND.test(operand))))
    return [4]
  const narrow: Size[] = encoding.prefix === 'np' || encoding.prefix === '66' ? [] : [2]
  return wide && !/[ef]/.test(type) ? [...narrow, 4, 8] : [...narrow, 4]
}
