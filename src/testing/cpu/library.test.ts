/** What has been translated once serves whoever has the same bytes at the same address, in this process and in others, and nobody else. */
import { describe, expect, test } from 'vitest'
import { RAX, RBX, RCX, RDI } from '#cpu/isa/insn.ts'
import { S_MXCSR, S_XMM } from '#cpu/state.ts'
import { gpr, setRip } from '#cpu/state-access.ts'
import { keyOfAddress, Library } from '#cpu/translate/library.ts'
import { readTranslations, writeTranslations } from '#cpu/translate/translations.ts'
import { hex, PagedMachine } from './paged-machine.ts'

const CODE = 0x400000n
/** add $1,%rbx; dec %rcx; jnz; hlt */
const LOOP = '4883c30148ffc975f7f4'
/** The same with another addend. */
const OTHER = '4883c30248ffc975f7f4'
/** push %rbx; cpuid; pop %rbx; add $1,%rbx; dec %rdi; jnz; hlt */
const HELPED = '530fa25b4883c30148ffcf75f3f4'

/** mulsd %xmm1,%xmm0; addsd %xmm2,%xmm0; add $1,%rbx; dec %rcx; jnz; hlt */
const FLOATS = 'f20f59c1f20f58c24883c30148ffc975eff4'

function run(machine: PagedMachine, register = RCX): bigint {
  machine.set([
    [RBX, 0n],
    [register, 50n],
  ])
  setRip(machine.vcpu, CODE)
  machine.vcpu.run(5000)
  return gpr(machine.vcpu, RBX)
}

function loaded(code: string, library: Library, at = CODE, frame = 1): PagedMachine {
  const machine = new PagedMachine(4, {}, { library })
  machine.load(at, hex(code), frame)
  return machine
}

/** As another process has it. */
const handedOn = (library: Library): Library => new Library(readTranslations(writeTranslations(library)))

function recorded(code: string): Library {
  const library = new Library([], true)
  const machine = loaded(code, library)
  machine.map(0x10000n, 32)
  machine.set([[4, 0x10800n]])
  run(machine)
  run(machine, RDI)
  expect(machine.translator!.counts.regions).toBeGreaterThan(0)
  return library
}

describe('another machine with the same bytes', () => {
  test('translates nothing, wherever they lie', () => {
    const machine = loaded(LOOP, handedOn(recorded(LOOP)), CODE, 7)
    expect(run(machine)).toBe(50n)
    expect(machine.translator!.counts).toMatchObject({ instructions: 0, modules: 0 })
    expect(machine.translator!.counts.taken).toBeGreaterThan(0)
  })

  test('finds helpers by their names', () => {
    const machine = loaded(HELPED, handedOn(recorded(HELPED)))
    machine.map(0x10000n, 32)
    machine.set([[4, 0x10800n]])
    expect(run(machine, RDI)).toBe(50n)
    expect(gpr(machine.vcpu, RAX)).toBe(1n)
    expect(machine.translator!.counts.instructions).toBe(0)
  })

  test('finds calculations by their names', () => {
    const begin = ({ view, base }: PagedMachine): void => {
      view.setUint32(base + S_MXCSR, 0x1fa0, true)
      for (const [xmm, value] of [1, 0.5, 3].entries()) view.setFloat64(base + S_XMM + 16 * xmm, value, true)
    }
    // What is calculated goes from there halfway to 6, again and again: a zero is out of line, infinity the helper's.
    for (const [first, last] of [
      [1, 6 - 5 * 2 ** -50],
      [0, 6 - 6 * 2 ** -50],
      [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ] as const) {
      const machine = loaded(FLOATS, handedOn(recorded(FLOATS)))
      begin(machine)
      machine.view.setFloat64(machine.base + S_XMM, first, true)
      expect(run(machine)).toBe(50n)
      expect(machine.view.getFloat64(machine.base + S_XMM, true)).toBe(last)
      expect(machine.translator!.counts.instructions).toBe(0)
    }
  })

  test('in another mode has nothing of it', () => {
    const machine = loaded(LOOP, handedOn(recorded(LOOP)))
    machine.setMode(32)
    run(machine)
    expect(machine.translator!.counts.taken).toBe(0)
  })
})

test('what is whole comes first, also for those that it is handed on to', () => {
  const library = recorded(LOOP)
  const [region] = library.all
  library.keep({ ...region!, isWhole: true })
  for (const each of [library, handedOn(library)])
    expect(each.at(keyOfAddress(region!.rip)).map(({ isWhole }) => isWhole)).toEqual([true, false])
})

test('other bytes are translated anew, and both are kept', () => {
  const library = handedOn(recorded(LOOP))
  const machine = loaded(OTHER, library)
  expect(run(machine)).toBe(100n)
  const { counts } = machine.translator!
  expect(counts).toMatchObject({ taken: 0 })
  expect(counts.regions).toBeGreaterThan(0)
  const before = counts.regions
  for (const code of [LOOP, OTHER, LOOP]) {
    // Written by somebody who says so, as a loader's writes are.
    machine.bytes.set(hex(code), 4096)
    machine.translator!.written(4096, 64)
    expect(run(machine)).toBe(code === LOOP ? 50n : 100n)
  }
  expect(counts.regions).toBe(before)
  expect(counts.taken).toBeGreaterThanOrEqual(3)
})

test('code on two pages waits until both have been fetched from', () => {
  const at = 0x400ffcn
  const library = new Library([], true)
  const runAt = (machine: PagedMachine): bigint => {
    machine.set([
      [RBX, 0n],
      [RCX, 50n],
    ])
    setRip(machine.vcpu, at)
    machine.vcpu.run(5000)
    return gpr(machine.vcpu, RBX)
  }
  expect(runAt(loaded(LOOP, library, at))).toBe(50n)
  const machine = loaded(LOOP, handedOn(library), at, 3)
  expect(runAt(machine)).toBe(50n)
  expect(machine.translator!.counts.taken).toBeGreaterThan(0)
  // The second page is another, where the loop does not go back.
  machine.bytes.set(hex('48ffc99090f4'), 9 * 4096)
  machine.map(0x401000n, 9)
  machine.vcpu.flush()
  expect(runAt(machine)).toBe(1n)
})

describe('a file', () => {
  test.each([
    ['of something else', new Uint8Array(100), 'this is not translated code'],
    ['of nothing', new Uint8Array(0), 'this is not translated code'],
    ['cut short', writeTranslations(recorded(LOOP)).slice(0, -1), 'translated code ends early'],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => readTranslations(bytes)).toThrow(message)
  })

  test('that asks for what is not here is refused', () => {
    const file = writeTranslations(recorded(HELPED))
    const at = Buffer.from(file).indexOf('"name":"') + 8
    file[at] = 0x23
    expect(() => readTranslations(file)).toThrow('there is no helper #')
  })

  test('of what was not recorded cannot be written', () => {
    const library = new Library()
    run(loaded(LOOP, library))
    expect(() => writeTranslations(library)).toThrow('kept their bytes')
  })
})
