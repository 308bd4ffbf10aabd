/** Regions end where others begin, so that nothing is translated once for each address that leads to it; but where time is spent they are made whole. */
import { expect, test } from 'vitest'
import { RBX, RCX } from '#cpu/isa/insn.ts'
import { Exit } from '#cpu/state.ts'
import { gpr, setRip } from '#cpu/state-access.ts'
import { hex, PagedMachine } from './paged-machine.ts'

const CODE = 0x400000n
const THRESHOLD = 4
/** More than often enough for what begins there to be translated. */
const OFTEN = 3 * THRESHOLD

const instructions = ({ translator }: PagedMachine): number => translator!.counts.instructions

function machine(code: string, threshold?: number): PagedMachine {
  const made = new PagedMachine(threshold)
  made.load(CODE, hex(code), 1)
  return made
}

/** Runs from there to HLT, with so many rounds in RCX. */
function runOften(made: PagedMachine, at: bigint, rounds: bigint): void {
  for (let n = 0; n < OFTEN; n++) {
    made.set([[RCX, rounds]])
    setRip(made.vcpu, CODE + at)
    expect(made.vcpu.run(1000)).toBe(Exit.privileged)
  }
}

test('what another region begins with is not translated again', () => {
  // add $1,%rbx; add $2,%rbx; and at 8: add $4,%rbx; dec %rcx; hlt
  const made = machine('4883c301' + '4883c302' + '4883c304' + '48ffc9' + 'f4', THRESHOLD)
  runOften(made, 8n, 1n)
  const before = instructions(made)
  expect(before).toBeGreaterThanOrEqual(2)
  runOften(made, 0n, 1n)
  expect(instructions(made) - before).toBe(2)
  expect(gpr(made.vcpu, RBX)).toBe(BigInt(OFTEN * (4 + 7)))
})

/** add $1,%rbx; and at 4: dec %rcx; jnz to the beginning; hlt */
const ENTERED_TWICE = '4883c301' + '48ffc9' + '75f7' + 'f4'
const IN_LOOP = 3

test('but a loop that is entered in two places is whole in both', () => {
  const made = machine(ENTERED_TWICE, THRESHOLD)
  runOften(made, 0n, 3n)
  const before = instructions(made)
  runOften(made, 4n, 3n)
  expect(instructions(made) - before).toBeGreaterThanOrEqual(IN_LOOP)
})

/** At 0: add $1,%rbx; add $2,%rbx; at 8: add $4,%rbx; dec %rcx; jnz to the beginning; hlt */
const TWO_HALVES = '4883c301' + '4883c302' + '4883c304' + '48ffc9' + '75ef' + 'f4'

test('a loop of two regions becomes one where time is spent', () => {
  const made = machine(TWO_HALVES, THRESHOLD)
  // The jump back has not been taken when the second half is translated.
  runOften(made, 8n, 1n)
  made.set([[RCX, 1_000_000n]])
  setRip(made.vcpu, CODE)
  made.vcpu.run(200)
  const { regions } = made.translator!.counts
  expect(instructions(made)).toBeLessThan(2 * IN_TWO_HALVES)
  for (let n = 0; n < 100; n++) made.vcpu.run(1001)
  expect(made.translator!.counts.regions).toBeGreaterThan(regions)
  const whole = instructions(made)
  expect(whole).toBeGreaterThanOrEqual(2 * IN_TWO_HALVES)
  for (let n = 0; n < 100; n++) made.vcpu.run(1001)
  expect(instructions(made)).toBe(whole)
})
const IN_TWO_HALVES = 5

test('and nobody can tell', () => {
  const ends = [machine(TWO_HALVES), machine(TWO_HALVES, THRESHOLD)].map((made) => {
    runOften(made, 8n, 1n)
    made.set([[RCX, 30_000n]])
    setRip(made.vcpu, CODE)
    while (made.vcpu.run(777) !== Exit.privileged);
    return [gpr(made.vcpu, RBX), made.vcpu.executed]
  })
  expect(ends[1]).toEqual(ends[0])
})
