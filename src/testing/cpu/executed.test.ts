/** Only what has been executed is translated: the rest of a function costs nothing until somebody comes there. */
import { expect, test } from 'vitest'
import { RBX, RCX, RDX } from '#cpu/isa/insn.ts'
import { Exit } from '#cpu/state.ts'
import { gpr } from '#cpu/state-access.ts'
import { hex, PagedMachine } from './paged-machine.ts'

const CODE = 0x400000n
/** inc %rbx; cmp %rdx,%rbx; je to what is behind hlt; dec %rcx; jnz to the beginning; hlt; and there: add $1,%rbx; jmp to the beginning */
const LOOP = hex('48ffc3' + '4839d3' + '7406' + '48ffc9' + '75f3' + 'f4' + '4883c301' + 'ebec')
const IN_LOOP = 5
const ROUNDS = 1000n
const THRESHOLD = 4

function machine(threshold?: number): PagedMachine {
  const made = new PagedMachine(threshold)
  made.load(CODE, LOOP, 1)
  made.set([
    [RCX, ROUNDS],
    [RBX, 0n],
    [RDX, 500n],
  ])
  return made
}

test('a way that nobody has gone is not translated', () => {
  const { vcpu, translator } = machine(THRESHOLD)
  expect(vcpu.run(100)).toBe(Exit.budget)
  expect(translator!.counts.instructions).toBe(IN_LOOP)
})

test('it is there when somebody goes it', () => {
  const ends = [machine(), machine(THRESHOLD)].map(({ vcpu }) => {
    expect(vcpu.run(1_000_000)).toBe(Exit.privileged)
    return [gpr(vcpu, RBX), vcpu.executed]
  })
  expect(ends[1]).toEqual(ends[0])
  expect(ends[0]![0]).toBe(ROUNDS + 2n)
})
