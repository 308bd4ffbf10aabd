/** Jumps through a table, as compilers make them of `switch`: translated code finds out where they lead, and then no longer leaves for them. */
import { expect, test } from 'vitest'
import { RBX, RCX } from '#cpu/isa/insn.ts'
import { Exit, S_INDIRECT } from '#cpu/state.ts'
import { gpr } from '#cpu/state-access.ts'
import { hex, PagedMachine } from './paged-machine.ts'

const CODE = 0x400000n
const TABLE = 0x10000n
/** mov %ecx,%eax; and $3,%eax; jmp *TABLE(,%rax,8); four times add $1, $3, $5, $7,%rbx, and on; dec %rcx; jnz; hlt */
const LOOP = hex(
  '89c883e003ff24c500000100' + '4883c301eb10' + '4883c303eb0a' + '4883c305eb04' + '4883c307' + '48ffc975d9f4',
)
const TARGETS = [12n, 18n, 24n, 30n]
const ROUNDS = 4000n

function machine(threshold?: number): PagedMachine {
  const made = new PagedMachine(threshold)
  made.map(TABLE, 16)
  for (const [n, target] of TARGETS.entries()) made.view.setBigUint64(16 * 4096 + 8 * n, CODE + target, true)
  made.load(CODE, LOOP, 1)
  made.set([
    [RCX, ROUNDS],
    [RBX, 0n],
  ])
  return made
}

test('a table of jumps ends alike in both tiers', () => {
  const sums = [machine(), machine(4)].map((made) => {
    expect(made.vcpu.run(1_000_000)).toBe(Exit.privileged)
    return gpr(made.vcpu, RBX)
  })
  expect(sums).toEqual([16n * (ROUNDS / 4n), 16n * (ROUNDS / 4n)])
})

test('once its targets are known, and time is spent there, translated code stays where it is', () => {
  const { vcpu, view, base } = machine(4)
  for (let n = 0; n < 50; n++) vcpu.run(201)
  expect(view.getUint32(base + S_INDIRECT, true)).not.toBe(0)
  view.setUint32(base + S_INDIRECT, 0, true)
  expect(vcpu.run(10_000)).toBe(Exit.budget)
  expect(view.getUint32(base + S_INDIRECT, true)).toBe(0)
})
