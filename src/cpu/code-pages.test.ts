/** What a vCPU remembers of fetched pages across flushes: all of it where a walk would find the same without a trace, else nothing; and the same whether code is translated. */
import { describe, expect, test } from 'vitest'
import { hex, NO_EXECUTE, PagedMachine, PRESENT, USER, WRITABLE } from '#testing/cpu/paged-machine.ts'
import { PF, PF_FETCH, PF_PRESENT, PF_USER } from './fault.ts'
import { RAX, RBX, RCX } from './isa/insn.ts'
import { Exit, S_EXIT_CODE, S_EXIT_VECTOR, S_GENERATION } from './state.ts'
import { gpr, setRip } from './state-access.ts'

const CODE = 0x400000n
const FAR = 0x40000000n
const ALL = PRESENT | WRITABLE | USER
const ACCESSED = 0x20n
const DIRTY = 0x40n
const OF_SOFTWARE = 0xe00n
/** Where another top page table is put, and the tables that PagedMachine makes. */
const ROOT = 1024
const OTHER_ROOT = 1000

/** inc %rax; dec %rcx; jnz; hlt: at CODE on frame 1, with $2 on frame 2. */
const ONE = hex('48ffc048ffc975f8f4')
const TWO = hex('4883c00248ffc975f7f4')

function made(threshold: number | undefined): PagedMachine {
  const machine = new PagedMachine(threshold)
  machine.load(CODE, ONE, 1)
  machine.bytes.set(TWO, 2 * 4096)
  return machine
}
/** What RAX is after ten rounds; -1n: there was a fault. */
function run(machine: PagedMachine, at = CODE): bigint {
  machine.set([
    [RAX, 0n],
    [RCX, 10n],
  ])
  setRip(machine.vcpu, at)
  return machine.vcpu.run(1000) === Exit.privileged ? gpr(machine.vcpu, RAX) : -1n
}
const generation = ({ view, base }: PagedMachine): number => view.getUint32(base + S_GENERATION, true)
const page = (machine: PagedMachine, address = CODE): number => machine.vcpu.codePage(Number(address >> 12n))
function change({ view }: PagedMachine, at: number, set: bigint, clear = 0n): void {
  view.setBigUint64(at, (view.getBigUint64(at, true) & ~clear) | set, true)
}
/** The top table's entry for low addresses, as it is in another one. */
function copyRoot(machine: PagedMachine): void {
  machine.bytes.copyWithin(OTHER_ROOT * 4096, ROOT * 4096, (ROOT + 1) * 4096)
}

describe.each([undefined, 1, 20])('at threshold %s', (threshold) => {
  test('what is as it was stays, chained as it is', () => {
    const machine = made(threshold)
    for (let n = 0; n < 50; n++) expect(run(machine)).toBe(10n)
    const before = generation(machine)
    machine.vcpu.flush()
    machine.vcpu.flushAll()
    machine.vcpu.setRoot(0, ROOT)
    copyRoot(machine)
    machine.vcpu.setRoot(0, OTHER_ROOT)
    change(machine, machine.entry(CODE), DIRTY | OF_SOFTWARE, WRITABLE)
    machine.vcpu.flush()
    expect([page(machine), generation(machine)]).toEqual([4096, before])
    expect(run(machine)).toBe(10n)
  })

  test.each<readonly [string, (machine: PagedMachine) => void, bigint]>([
    ['another frame', (machine) => machine.map(CODE, 2), 20n],
    ['no page', (machine) => machine.map(CODE, 1, 0n), -1n],
    ['no page to execute', (machine) => machine.map(CODE, 1, ALL | NO_EXECUTE | ACCESSED), -1n],
    ['a page of the supervisor', (machine) => machine.map(CODE, 1, PRESENT | ACCESSED), -1n],
    ['a page nobody has looked at', (machine) => change(machine, machine.entry(CODE), 0n, ACCESSED), 10n],
    ['a table nobody has looked at', (machine) => change(machine, ROOT * 4096, 0n, ACCESSED), 10n],
    ['a table less', (machine) => machine.view.setBigUint64(ROOT * 4096, 0n, true), -1n],
  ])('%s: seen after a flush, not before', (_, changed, after) => {
    const machine = made(threshold)
    for (let n = 0; n < 50; n++) run(machine)
    const before = generation(machine)
    changed(machine)
    expect([run(machine), page(machine)]).toEqual([10n, 4096])
    machine.vcpu.flush()
    expect([page(machine), generation(machine) > before]).toEqual([-1, true])
    expect(run(machine)).toBe(after)
    if (after >= 0n) expect(machine.view.getBigUint64(machine.entry(CODE), true) & ACCESSED).toBe(ACCESSED)
    else {
      expect(machine.view.getUint32(machine.base + S_EXIT_VECTOR, true)).toBe(PF)
      const present = machine.view.getInt32(machine.base + S_EXIT_CODE, true) & PF_PRESENT
      expect(machine.view.getInt32(machine.base + S_EXIT_CODE, true)).toBe(PF_USER | PF_FETCH | present)
    }
  })

  test('another top table with another page there, or none of RAM', () => {
    const machine = made(threshold)
    for (let n = 0; n < 50; n++) run(machine)
    machine.vcpu.setRoot(0, OTHER_ROOT)
    expect([page(machine), run(machine)]).toEqual([-1, -1n])
    machine.vcpu.setRoot(0, ROOT)
    expect(run(machine)).toBe(10n)
    machine.vcpu.setRoot(0, 0xfffffff)
    expect([page(machine), run(machine)]).toEqual([-1, -1n])
  })

  test('an entry that has been something else in the meantime', () => {
    const machine = made(threshold)
    machine.load(CODE + 4096n, TWO, 2)
    const above = Number((machine.view.getBigUint64(ROOT * 4096, true) >> 12n) & 0xfffffn) * 4096
    const middle = Number((machine.view.getBigUint64(above, true) >> 12n) & 0xfffffn) * 4096
    // The entry of CODE's 2 MiB, and a table beside the one it leads to.
    const at = middle + 2 * 8
    const entry = machine.view.getBigUint64(at, true)
    expect(run(machine)).toBe(10n)
    machine.bytes.copyWithin(900 * 4096, Number((entry >> 12n) & 0xfffffn) * 4096, (Number(entry >> 12n) + 1) * 4096)
    machine.view.setBigUint64(900 * 4096 + 8, (2n << 12n) | ALL, true)
    machine.view.setBigUint64(at, (900n << 12n) | ALL, true)
    machine.map(CODE + 4096n, 3)
    expect(run(machine, CODE + 4096n)).toBe(-1n)
    machine.view.setBigUint64(at, entry | ACCESSED, true)
    machine.vcpu.flush()
    expect([page(machine), page(machine, CODE + 4096n)]).toEqual([-1, -1])
  })

  test('the context that is not selected forgets with all; INVLPG of a fetched page forgets, too', () => {
    const machine = made(threshold)
    machine.load(FAR, TWO, 2)
    run(machine)
    machine.vcpu.selectContext(1)
    run(machine)
    machine.vcpu.flushAll()
    expect(page(machine)).toBe(4096)
    machine.vcpu.selectContext(0)
    expect(page(machine)).toBe(-1)
    run(machine)
    machine.vcpu.flushPage(FAR)
    expect(page(machine)).toBe(4096)
    machine.vcpu.flushPage(CODE)
    expect(page(machine)).toBe(-1)
  })

  test('more pages than are looked at: all are forgotten', () => {
    const machine = made(threshold)
    // hlt, on thousands of pages of one frame
    machine.bytes[3 * 4096] = 0xf4
    const pages = 4200n
    for (let n = 0n; n < pages; n++) {
      machine.map(FAR + n * 4096n, 3)
      run(machine, FAR + n * 4096n)
    }
    expect(page(machine, FAR + (pages - 1n) * 4096n)).toBe(3 * 4096)
    machine.vcpu.flush()
    expect([page(machine, FAR), run(machine)]).toEqual([-1, 10n])
    machine.vcpu.flush()
    expect(page(machine)).toBe(4096)
  })
})

test('no region begins where a budget has ended in a block', () => {
  const machine = new PagedMachine(4)
  // 1: inc %rax; inc %rbx; inc %rdx; inc %rsi; jmp 1b
  machine.load(CODE, hex('48ffc048ffc348ffc248ffc6ebf2'), 1)
  for (let n = 0; n < 400; n++) machine.vcpu.run(97 + (n % 5))
  expect(machine.translator!.counts.regions).toBe(1)
  expect(gpr(machine.vcpu, RBX)).toBeGreaterThan(7000n)
})
