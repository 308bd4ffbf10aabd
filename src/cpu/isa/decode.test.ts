/** Bytes to instructions. That all of them agree with objdump is in testing/cpu/objdump.test.ts. */
import { describe, expect, test } from 'vitest'
import { Fault, GP } from '../fault.ts'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import { formName, formsOf } from './forms.ts'
import { DS, ES, FS, type Insn, type Mode, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, SS } from './insn.ts'

const MODES: Mode[] = [64, 32]

function read(text: string, mode: Mode = 64): Insn | undefined {
  const bytes = text.split(' ').map((byte) => Number.parseInt(byte, 16))
  return decode((offset) => {
    const byte = bytes[offset]
    if (byte === undefined) throw new Error(`byte ${offset} is wanted`)
    return byte
  }, mode)
}

const shown = (text: string, mode?: Mode): string => {
  const insn = read(text, mode)
  return insn ? `${insn.row.mnemonic} ${insn.size}` : '#UD'
}

describe.each(MODES)('in %i-bit mode', (mode) => {
  test('the bytes of every form decode to it again', () => {
    const wrong: string[] = []
    const forms = formsOf(mode)
    for (const form of forms) {
      const address = { base: RCX, index: -1, scale: 1, disp: 0 } as const
      const bytes = encode(form, { reg: RBX, rm: RCX, address, immediates: [0x12n, 0x34n] })
      const insn = decode((offset) => bytes[offset]!, mode)
      const same = insn?.row === form.row && insn.size === form.size && insn.length === bytes.length
      if (!same) wrong.push(`${formName(form)}: ${Buffer.from(bytes).toString('hex')} is ${insn?.row.text}`)
    }
    expect(wrong).toEqual([])
    expect(forms.length).toBeGreaterThan(mode === 64 ? 1900 : 1600)
  })
})

describe('bytes', () => {
  test('are asked for only as far as the instruction goes', () => {
    for (const mode of MODES) {
      for (const form of formsOf(mode)) {
        const bytes = encode(form, { address: { base: RBX, index: RSI, scale: 4, disp: 0x1234 }, immediates: [1n, 2n] })
        let last = -1
        const fetch = (offset: number): number => {
          expect(offset).toBe(last + 1)
          last = offset
          return bytes[offset]!
        }
        decode(fetch, mode)
        if (last !== bytes.length - 1) throw new Error(`${formName(form)} ends at ${last}`)
      }
    }
  })

  test('of an opcode that does not exist end with it', () => {
    expect(read('0f 38 ff')).toBeUndefined()
    expect(read('06')).toBeUndefined()
    expect(read('c4')).toBeUndefined()
    expect(read('fe f8')).toBeUndefined()
  })

  test('whoever gives them may fault', () => {
    const fault = new Fault(14, 0, 0x1000n)
    const fetch = (offset: number): number => {
      if (offset === 2) throw fault
      return [0x81, 0x00][offset]!
    }
    expect(() => decode(fetch, 64)).toThrow(fault as never)
  })

  test('may be fifteen, and no more', () => {
    const nop = (prefixes: number) => (offset: number) => (offset < prefixes ? 0x2e : 0x90)
    expect(decode(nop(14), 64)?.length).toBe(15)
    let caught: unknown
    try {
      decode(nop(15), 64)
    } catch (error) {
      caught = error
    }
    expect(caught).toEqual(new Fault(GP, 0))
  })
})

describe('prefixes', () => {
  test.each([
    ['48 01 c8', 'add 8'],
    ['66 01 c8', 'add 2'],
    ['66 48 01 c8', 'add 8'],
    ['48 66 01 c8', 'add 2'], // REX counts directly before the opcode alone.
    ['48 2e 01 c8', 'add 4'],
    ['50', 'push 8'],
    ['66 50', 'push 2'],
    ['41 90', 'xchg 4'],
    ['40 90', 'nop 4'],
    ['f3 90', 'pause 4'],
    ['f3 0f bc c1', 'bsf 4'],
    ['f2 0f bc c1', 'bsf 4'],
    ['f3 0f b8 c1', 'popcnt 4'],
    ['0f b8 c1', '#UD'],
    ['0f 58 c1', 'addps 4'],
    ['66 0f 58 c1', 'addpd 4'],
    ['f3 0f 58 c1', 'addss 4'],
    ['f2 0f 58 c1', 'addsd 4'],
    ['66 f2 0f 58 c1', 'addsd 2'],
    ['f3 f2 0f 58 c1', 'addsd 4'],
    ['f2 f3 0f 58 c1', 'addss 4'],
    ['f3 0f 28 c1', '#UD'],
    ['66 0f 12 c1', '#UD'],
    ['0f 12 c1', 'movhlps 4'],
    ['0f 12 01', 'movlps 4'],
    ['0f c7 08', 'cmpxchg8b 4'],
    ['48 0f c7 08', 'cmpxchg16b 8'],
    ['0f c7 c8', '#UD'],
    ['f3 0f 1e fa', 'nop 4'],
  ])('%s is %s', (bytes, what) => expect(shown(bytes)).toBe(what))

  test.each([
    ['f0 01 08', 'add 4'],
    ['f0 01 c8', '#UD'], // Of memory alone,
    ['f0 03 08', '#UD'], // as the destination,
    ['f0 39 08', '#UD'], // of what reads and writes it.
    ['f0 89 08', '#UD'],
    ['f0 87 08', 'xchg 4'],
    ['f0 0f ba 28 01', 'bts 4'],
    ['f0 0f ba 20 01', '#UD'],
    ['f0 90', '#UD'],
  ])('LOCK: %s is %s', (bytes, what) => expect(shown(bytes)).toBe(what))

  test('of repetition count where there is something to repeat', () => {
    expect(read('f3 a4')?.repeat).toBe('rep')
    expect(read('f2 ae')?.repeat).toBe('repne')
    expect(read('f3 c3')?.repeat).toBeUndefined()
    expect(read('f3 0f 58 c1')?.repeat).toBeUndefined()
  })
})

describe('modes', () => {
  test.each([
    ['40', 32, 'inc 4'],
    ['c4 01', 32, 'les 4'],
    ['c4 c1', 32, '#UD'],
    ['63 c8', 32, 'arpl 4'],
    ['63 c8', 64, 'movsxd 4'],
    ['48 63 c8', 64, 'movsxd 8'],
    ['27', 32, 'daa 4'],
    ['27', 64, '#UD'],
    ['82 c0 01', 32, 'add 1'],
    ['82 c0 01', 64, '#UD'],
    ['0f 01 f8', 64, 'swapgs 4'],
    ['0f 01 f8', 32, '#UD'],
    ['0f 20 c0', 32, 'mov 4'],
    ['0f 20 00', 64, 'mov 8'], // Mod does not count.
    ['0f 20 c8', 64, '#UD'],
    ['44 0f 20 c0', 64, 'mov 8'],
    ['8e c8', 64, '#UD'],
    ['8c c8', 64, 'mov 4'],
    ['8e f0', 64, '#UD'],
  ] as [string, Mode, string][])('%s in %i-bit mode is %s', (bytes, mode, what) =>
    expect(shown(bytes, mode)).toBe(what),
  )
})

describe('operands', () => {
  test('byte registers 4 to 7 are AH to BH without REX', () => {
    expect(read('88 e0')?.operands).toEqual([
      { kind: 'reg', size: 1, n: 0 },
      { kind: 'reg', size: 1, n: 16 },
    ])
    expect(read('40 88 e0')?.operands[1]).toEqual({ kind: 'reg', size: 1, n: 4 })
    expect(read('45 88 f8')?.operands).toEqual([
      { kind: 'reg', size: 1, n: 8 },
      { kind: 'reg', size: 1, n: 15 },
    ])
  })

  test.each([
    ['83 c0 ff', 4, 0xffffffffn],
    ['48 83 c0 80', 8, 0xffffffffffffff80n],
    ['66 83 c0 fe', 2, 0xfffen],
    ['48 81 c0 00 00 00 80', 8, 0xffffffff80000000n],
    ['48 b8 01 02 03 04 05 06 07 f8', 8, 0xf807060504030201n],
    ['c1 e0 ff', 1, 0xffn],
    ['6a ff', 8, 0xffffffffffffffffn],
    ['c2 fe ff', 2, 0xfffen],
  ])('%s has a constant of %i bytes', (bytes, size, value) =>
    expect(read(bytes)?.operands.at(-1)).toEqual({ kind: 'imm', size, value }),
  )

  test.each([
    ['eb fe', -2n],
    ['0f 85 00 00 00 80', -0x80000000n],
    ['66 e8 00 80', -0x8000n],
  ])('%s jumps', (bytes, value) => expect(read(bytes)?.operands).toEqual([{ kind: 'rel', value }]))

  const at = (base: number, index: number, scale: number, disp: bigint, segment: number) => ({
    base,
    index,
    scale,
    disp,
    segment,
  })
  test.each([
    ['8b 00', 64, at(RAX, -1, 1, 0n, DS)],
    ['8b 45 f8', 64, at(RBP, -1, 1, -8n, SS)],
    ['8b 04 24', 64, at(RSP, -1, 1, 0n, SS)],
    ['41 8b 45 00', 64, at(13, -1, 1, 0n, DS)],
    ['41 8b 04 24', 64, at(12, -1, 1, 0n, DS)],
    ['8b 04 cd 10 00 00 00', 64, at(-1, RCX, 8, 16n, DS)],
    ['42 8b 04 20', 64, at(RAX, 12, 1, 0n, DS)],
    ['64 8b 04 25 28 00 00 00', 64, at(-1, -1, 1, 40n, FS)],
    ['64 8b 45 00', 64, at(RBP, -1, 1, 0n, FS)],
    ['26 8b 00', 64, at(RAX, -1, 1, 0n, DS)],
    ['26 8b 00', 32, at(RAX, -1, 1, 0n, ES)],
    ['8b 05 ff ff ff ff', 32, at(-1, -1, 1, -1n, DS)],
    ['67 8b 00', 32, at(RBX, RSI, 1, 0n, DS)],
    ['67 8b 43 80', 32, at(RBP, RDI, 1, -128n, SS)],
    ['67 8b 06 00 80', 32, at(-1, -1, 1, -0x8000n, DS)],
    ['67 8b 86 00 01', 32, at(RBP, -1, 1, 0x100n, SS)],
    ['a1 00 00 00 00 00 00 00 ff', 64, at(-1, -1, 1, -(1n << 56n), DS)],
    ['67 a1 00 00 00 ff', 64, at(-1, -1, 1, 0xff000000n, DS)],
    ['d7', 64, at(RBX, -1, 1, 0n, DS)],
    ['a4', 64, at(RDI, -1, 1, 0n, ES)],
    ['64 a4', 64, at(RDI, -1, 1, 0n, ES)],
    ['0f f7 ca', 64, at(RDI, -1, 1, 0n, DS)],
  ] as [string, Mode, object][])('%s in %i-bit mode addresses memory', (bytes, mode, memory) => {
    const insn = read(bytes, mode)!
    expect(insn.operands.find(({ kind }) => kind === 'mem')).toMatchObject({ ...memory, ripRelative: false })
  })

  test('counts from RIP in 64-bit mode', () => {
    const insn = read('8b 05 f0 ff ff ff')!
    expect(insn.operands[1]).toMatchObject({ base: -1, index: -1, disp: -16n, ripRelative: true, size: 4 })
    expect(read('48 8d 05 00 00 00 00')?.operands[1]).toMatchObject({ ripRelative: true, size: 0 })
  })

  test('a far pointer is its offset and its selector', () => {
    expect(read('ea 78 56 34 12 33 00', 32)?.operands).toEqual([
      { kind: 'imm', size: 4, value: 0x12345678n },
      { kind: 'imm', size: 2, value: 0x33n },
    ])
    expect(read('ff 28')?.operands[0]).toMatchObject({ kind: 'mem', size: 6 })
  })

  test('x87, MMX, XMM and others are of files of their own', () => {
    expect(read('d8 c3')?.operands).toEqual([
      { kind: 'st', n: 0 },
      { kind: 'st', n: 3 },
    ])
    expect(read('45 0f 6f ca')?.operands).toEqual([
      { kind: 'mmx', n: 1 },
      { kind: 'mmx', n: 2 },
    ])
    expect(read('66 45 0f 6f ca')?.operands).toEqual([
      { kind: 'xmm', n: 9 },
      { kind: 'xmm', n: 10 },
    ])
    expect(read('8e e2')?.operands).toEqual([
      { kind: 'sreg', n: FS },
      { kind: 'reg', size: 4, n: RDX },
    ])
  })
})
