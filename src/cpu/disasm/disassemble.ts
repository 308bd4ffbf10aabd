/**
 * The disassembler: an instruction as GNU objdump writes it, in AT&T's syntax (binutils, "AT&T Syntax versus Intel Syntax"): sources first, and a suffix for the size where no
 * register tells it.
 */
import { Fault } from '../fault.ts'
import { decode } from '../isa/decode.ts'
import type { Insn, Mode } from '../isa/insn.ts'
import { mnemonicOf, predicate } from './mnemonic.ts'
import { comment, operandText } from './operand-text.ts'
import { hint, type Prefixes, prefixNames, scanPrefixes } from './prefixes.ts'

export interface Line {
  /** 1 where there is no instruction. */
  readonly length: number
  readonly text: string
}

class OutOfBytes extends Error {}

export function disassemble(bytes: ArrayLike<number>, address: bigint, mode: Mode): Line {
  const insn = decodeBytes(bytes, mode)
  return insn ? { length: insn.length, text: textOf(insn, bytes, address) } : { length: 1, text: '(bad)' }
}

function decodeBytes(bytes: ArrayLike<number>, mode: Mode): Insn | undefined {
  try {
    return decode((offset) => {
      const byte = bytes[offset]
      if (byte === undefined) throw new OutOfBytes()
      return byte
    }, mode)
  } catch (error) {
    if (error instanceof OutOfBytes || error instanceof Fault) return undefined
    throw error
  }
}

export function textOf(insn: Insn, bytes: ArrayLike<number>, address: bigint): string {
  const prefixes = scanPrefixes(insn, bytes)
  const next = address + BigInt(insn.length)
  const words = [...prefixNames(insn, prefixes, bytes), mnemonicOf(insn) + hint(insn, prefixes)].join(' ')
  const operands = operandTexts(insn, prefixes, bytes, next)
  return operands === '' ? words : `${words.padEnd(6)} ${operands}${comment(insn, next)}`
}

/** Of them, those that are written: not what is implied, the 1 of a shift by one, and a predicate that is in the mnemonic. */
function operandTexts(insn: Insn, prefixes: Prefixes, bytes: ArrayLike<number>, next: bigint): string {
  const { row, operands } = insn
  if (row.encoding.opcode === 0x90 && row.mnemonic === 'nop') return prefixes.legacy.includes(0x66) ? '%ax,%ax' : ''
  const shown = operands.filter((_, n) => {
    const notation = row.operands[n]!
    return !(notation === '1' || notation === '(DI)' || (n === 2 && predicate(insn) !== undefined))
  })
  const texts = shown.map((operand) => operandText(insn, operand, prefixes, bytes, next))
  if (/^(?:in|out)s?$/.test(row.mnemonic))
    for (const [n, text] of texts.entries()) if (text === '%dx') texts[n] = '(%dx)'
  if (row.mnemonic !== 'enter' && row.mnemonic !== 'bound') texts.reverse()
  const indirect = /^(?:call|jmp)f?$/.test(row.mnemonic) && /^[EM]/.test(row.operands[0]!)
  return (indirect ? '*' : '') + texts.join(',')
}
