/**
 * A row of the instruction table: how it is written, and what it becomes.
 *
 *   80/2    adc     Eb,Ib       <c =oszapc lock
 *
 * Opcode: bytes in hex with dots. `0f`, `0f.38` and `0f.3a` lead to further maps; `66`, `f2` or `f3` before them is a mandatory prefix, `np` says that there must be none, and a row without any of these
 * takes what no other row of its opcode takes. `/2` is ModRM's reg field, `/2r` and `/2m` want a register or memory besides, a further byte is all of ModRM. `+r` has a
 * register in the opcode's low bits, `+cc` a condition, which then is part of the mnemonic (`jcc`: `jo` to `jg`) and says which flags are read.
 *
 * Operands, as in the manuals' opcode maps, by how they are found
 *   E G R M  general register or memory, register of reg, register of rm, memory alone
 *   Z        register in the opcode
 *   I J O    immediate, distance of a jump, offset of memory (A0 to A3)
 *   X Y      memory at rSI and rDI, of strings
 *   S C D    segment, control and debug register
 *   V W U    XMM register of reg, register or memory, register of rm
 *   P Q N    the same for MMX registers
 * and by what they are
 *   b w d q dq  1, 2, 4, 8, 16 bytes             v  2, 4 or 8: the operation's size      z  2 or 4       y  4 or 8     n  the mode's 4 or 8
 *   bs          byte that is sign-extended       p  far pointer    a  pair of bounds     s  limit and base      t  10 bytes
 *   e f x       x87's environment, all of x87, the area of FXSAVE
 *   ss sd ps pd scalars of 4 and 8 bytes and vectors of 16
 * or are named: AL CL DX rAX (v) eAX (z), segment registers, 1, ST, STi, and BX and DI for the memory there. What stands in parentheses is implied: decoded, but with no bytes of
 * its own. `-`: none.
 *
 * Then: `<` flags that are read, `=` set, `?` left undefined; and attributes:
 *   lock       takes LOCK with memory as the first operand
 *   rep, repz  takes REP; REPE and REPNE
 *   d64        has 64 bits in 64-bit mode, or with 66 sixteen
 *   i64, o64   not in 64-bit mode, only there
 *   w0, w1     without, with REX.W
 *   nocs       CS is no destination
 *   anymod     ModRM's mod does not count: it is a register
 *   priv       of CPL 0, or I/O
 *   undoc      is in no manual, but in every processor
 *   name:      how the disassembler calls it
 * and what it needs of CPUID (CPUID_ATTRIBUTES).
 */
import type { OpcodeMap, Row } from './insn.ts'

/** Condition codes by number. */
export const CONDITIONS = [
  'o',
  'no',
  'b',
  'ae',
  'e',
  'ne',
  'be',
  'a',
  's',
  'ns',
  'p',
  'np',
  'l',
  'ge',
  'le',
  'g',
] as const
const CONDITION_FLAGS = ['o', 'c', 'z', 'cz', 's', 'p', 'so', 'zso'] as const

/** Names of CPUID's bits, as Linux has them. */
export const CPUID_ATTRIBUTES: ReadonlySet<string> = new Set(
  'fpu tsc cx8 cx16 cmov sep clfsh mmx fxsr sse sse2 sse3 ssse3 popcnt lahf rdtscp syscall prefetchw'.split(' '),
)
const ATTRIBUTES = new Set([
  ...CPUID_ATTRIBUTES,
  ...'lock rep repz d64 i64 o64 w0 w1 nocs anymod priv undoc'.split(' '),
])

const MAPS = ['', '0f.', '0f.38.', '0f.3a.']
const OPCODE =
  /^(?:(np|66|f2|f3)\.)?(0f\.(?:38\.|3a\.)?)?([0-9a-f]{2})(?:\.([0-9a-f]{2})|\/([0-7])([rm])?)?(\+r|\+cc)?$/
const OPERAND =
  /^\(?(?:[EGRMZIJOXYSCDVWUPQN](?:b|w|d|q|dq|v|z|y|n|bs|p|a|s|t|e|f|x|ss|sd|ps|pd)?|[ACD][LX]|[er]AX|[C-GS]S|1|STi?|BX|DI)\)?$/

function parseRow(text: string): Row[] {
  const [opcodes = '', mnemonic = '', list = '', ...rest] = text.trim().split(/\s+/)
  const found = OPCODE.exec(opcodes)
  if (!found) throw new Error(`no opcode: ${text}`)
  const [, prefix = '', map = '', opcode = '', modrm, reg, kind, plus] = found
  const operands = list === '-' ? [] : list.split(',')
  for (const operand of operands) if (!OPERAND.test(operand)) throw new Error(`no operand: ${operand} in ${text}`)
  const flags: Record<string, string> = {}
  const attributes = new Set<string>()
  let name = mnemonic
  for (const word of rest) {
    if (/^[<=?][oszapcd]+$/.test(word)) flags[word[0]!] = word.slice(1)
    else if (word.startsWith('name:')) name = word.slice(5)
    else if (ATTRIBUTES.has(word)) attributes.add(word)
    else throw new Error(`no attribute: ${word} in ${text}`)
  }
  const row: Row = {
    mnemonic,
    name,
    operands,
    reads: flags['<'] ?? '',
    writes: flags['='] ?? '',
    undefined: flags['?'] ?? '',
    attributes,
    encoding: {
      prefix: prefix as Row['encoding']['prefix'],
      map: MAPS.indexOf(map) as OpcodeMap,
      opcode: Number.parseInt(opcode, 16),
      registerInOpcode: plus === '+r',
      modrm: modrm === undefined ? -1 : Number.parseInt(modrm, 16),
      reg: reg === undefined ? -1 : Number(reg),
      rm: rmOf(operands, kind, attributes),
    },
    text: text.trim(),
  }
  return plus === '+cc' ? CONDITIONS.map((condition, n) => withCondition(row, condition, n)) : [row]
}

/** Whether ModRM's mod field chooses between rows. */
function rmOf(
  operands: readonly string[],
  kind: string | undefined,
  attributes: ReadonlySet<string>,
): 'reg' | 'mem' | 'any' {
  if (attributes.has('anymod')) return 'any'
  if (kind === 'r' || operands.some((operand) => /^[RUN]/.test(operand) || operand === 'STi')) return 'reg'
  if (kind === 'm' || operands.some((operand) => operand.startsWith('M'))) return 'mem'
  return 'any'
}

function withCondition(row: Row, condition: string, n: number): Row {
  const mnemonic = row.mnemonic.replace('cc', condition)
  const encoding = { ...row.encoding, opcode: row.encoding.opcode + n }
  const text = row.text.replace(row.mnemonic, mnemonic)
  return { ...row, mnemonic, name: mnemonic, text, reads: CONDITION_FLAGS[n >> 1]!, encoding }
}

export function parseRows(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap(parseRow)
}
