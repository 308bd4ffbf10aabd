import { describe, expect, test } from 'vitest'
import { CONDITIONS, CPUID_ATTRIBUTES, parseRows } from './row.ts'
import { ROWS } from './rows.ts'

describe('a row', () => {
  test('has an opcode, operands, flags and attributes', () => {
    const [row] = parseRows('80/2    adc     Eb,Ib       <c =oszapc lock')
    expect(row).toMatchObject({
      mnemonic: 'adc',
      name: 'adc',
      operands: ['Eb', 'Ib'],
      reads: 'c',
      writes: 'oszapc',
      undefined: '',
      attributes: new Set(['lock']),
      encoding: { prefix: '', map: 0, opcode: 0x80, registerInOpcode: false, modrm: -1, reg: 2, rm: 'any' },
    })
  })

  test('may want a prefix, all of ModRM, a register or memory', () => {
    const encodings = parseRows(
      'f3.0f.1e.fa nop - name:endbr64\nnp.0f.ae/5r lfence - sse2\n66.0f.12 movlpd Vq,Mq\n50+r push Zv',
    )
    expect(encodings.map(({ encoding }) => encoding)).toEqual([
      { prefix: 'f3', map: 1, opcode: 0x1e, registerInOpcode: false, modrm: 0xfa, reg: -1, rm: 'any' },
      { prefix: 'np', map: 1, opcode: 0xae, registerInOpcode: false, modrm: -1, reg: 5, rm: 'reg' },
      { prefix: '66', map: 1, opcode: 0x12, registerInOpcode: false, modrm: -1, reg: -1, rm: 'mem' },
      { prefix: '', map: 0, opcode: 0x50, registerInOpcode: true, modrm: -1, reg: -1, rm: 'any' },
    ])
  })

  test('with a condition is sixteen, and each knows the flags that it reads', () => {
    const rows = parseRows('70+cc jcc Jb d64')
    expect(rows.map(({ mnemonic }) => mnemonic.slice(1))).toEqual([...CONDITIONS])
    expect(rows.map(({ encoding }) => encoding.opcode)).toEqual(CONDITIONS.map((_, n) => 0x70 + n))
    expect(rows[7]).toMatchObject({ mnemonic: 'ja', reads: 'cz', text: '70+cc ja Jb d64' })
    expect(rows[12]).toMatchObject({ mnemonic: 'jl', reads: 'so' })
  })

  test.each([
    ['8 add Eb,Gb', 'no opcode'],
    ['0f.0f.0f.01 add Eb,Gb', 'no opcode'],
    ['00/8 add Eb,Gb', 'no opcode'],
    ['00 add Kb,Gb', 'no operand: Kb'],
    ['00 add Eb,Gk', 'no operand: Gk'],
    ['00 add Eb,Gb =k', 'no attribute: =k'],
    ['00 add Eb,Gb locks', 'no attribute: locks'],
  ])('%s is refused', (text, why) => expect(() => parseRows(text)).toThrow(why))
})

describe('the table', () => {
  test('says no row twice', () => {
    const texts = ROWS.map(({ text }) => text)
    expect(texts.length - new Set(texts).size).toBe(0)
  })

  test('knows what of CPUID floating point needs', () => {
    const needs = (test: RegExp): string[] => {
      const rows = ROWS.filter(({ operands }) => operands.some((operand) => test.test(operand)))
      return rows
        .filter(({ attributes }) => ![...attributes].some((name) => CPUID_ATTRIBUTES.has(name)))
        .map(({ text }) => text)
    }
    expect(needs(/^(?:[VWUPQN]|ST|M(?:ss|sd|t|e|f|x)$)/)).toEqual([])
  })
})
