import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { R_GPR, R_RIP, R_SELECTORS, RAX, RDI, SEG_CS } from '#abi/pc/ring3.ts'
import { PAGE_SIZE, unsignedVaddr } from '#abi/xen/types.ts'
import { FLAT_KERNEL_CS } from '#abi/xen/vcpu.ts'
import { complaints } from '#testing/fuzz/invariants.ts'
import { entry, type TableDomain, tableDomain, X86, X86_BASE } from '#testing/x86-domain.ts'
import { books, changes } from '#testing/xen-builder.ts'
import { scriptHost } from '#testing/xen-domain.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK } from '#testing/xen-script.ts'
import { isX86 } from './guest-regs.ts'
import { ptwrDoPageFault } from './ptwr.ts'

const CODE = X86_BASE + 8 * PAGE_SIZE
const TABLE = X86_BASE + X86.l1 * PAGE_SIZE
/** %rax to (%rdi), 8 to 1 bytes of it, and both exchanged. */
const STORE = [0x48, 0x89, 0x07]
const STORE4 = [0x89, 0x07]
const STORE1 = [0x88, 0x07]
const XCHG = [0x48, 0x87, 0x07]

let host: TestHost
let d: TableDomain
let next = 1
beforeAll(() => {
  host = scriptHost(function* () {
    yield BLOCK
  })
})
beforeEach(() => {
  d = tableDomain(host, next++)
})

const slot = (n: number): bigint => host.xen.mem.read64(d.mfns[X86.l1]! * PAGE_SIZE + 8 * n)
/** The instruction, with that in %rax, and its page fault at `va`. Whether it was emulated: RIP is behind it then. */
function write(code: readonly number[], va: number, rax: bigint, cr2 = va): boolean {
  const { vcpu } = d
  if (!isX86(vcpu)) throw new Error('no processor')
  const { registers } = vcpu.ring3
  vcpu.mem.copyIn(CODE, Uint8Array.from(code))
  registers.write64(R_RIP, unsignedVaddr(CODE))
  registers.write64(R_GPR + 8 * RDI, unsignedVaddr(va))
  registers.write64(R_GPR + 8 * RAX, rax)
  registers.write16(R_SELECTORS + 2 * SEG_CS, FLAT_KERNEL_CS)
  let done = false
  host.inXen((xen) => {
    done = ptwrDoPageFault(xen, vcpu, cr2)
  })
  expect(registers.read64(R_RIP) === unsignedVaddr(CODE + code.length)).toBe(done)
  return done
}

describe('a write to a table of the first level', () => {
  test('of a whole entry: what it names is held, and adjusted', () => {
    expect(write(STORE, TABLE + 8 * 20, entry(d.mfns[5]!, 0x63))).toBe(true)
    expect(slot(20)).toBe(entry(d.mfns[5]!, 0x67) | (1n << 52n))
    expect(complaints(host.xen)).toEqual([])
    d.vcpu.mem.write32(X86_BASE + 20 * PAGE_SIZE, 5)
    expect(d.vcpu.mem.read32(X86_BASE + 5 * PAGE_SIZE)).toBe(5)
    // What was there comes back, as it was.
    expect(write(XCHG, TABLE + 8 * 20, 0n)).toBe(true)
    expect(d.vcpu.ring3!.registers.read64(R_GPR + 8 * RAX)).toBe(entry(d.mfns[5]!, 0x67) | (1n << 52n))
    expect(slot(20)).toBe(0n)
    expect(complaints(host.xen)).toEqual([])
  })

  test('of a part: the rest stays', () => {
    expect(write(STORE4, TABLE + 8 * 20 + 4, 0x80000000n)).toBe(true)
    expect(slot(20)).toBe(1n << 63n)
    expect(write(STORE4, TABLE + 8 * 20, entry(d.mfns[5]!, 0x61))).toBe(true)
    expect(slot(20)).toBe((1n << 63n) | (1n << 52n) | entry(d.mfns[5]!, 0x65))
    expect(write(STORE1, TABLE + 8 * 20, 0n)).toBe(true)
    expect(slot(20)).toBe((1n << 63n) | (1n << 52n) | entry(d.mfns[5]!, 0))
    expect(complaints(host.xen)).toEqual([])
  })

  test.each<[string, () => boolean]>([
    ['of an entry that may not be', () => write(STORE, TABLE + 8 * 20, entry(d.mfns[X86.l2]!, 0x63))],
    ['across two entries', () => write(STORE, TABLE + 8 * 20 + 4, 0n)],
    ['beyond the page that has faulted', () => write(STORE, TABLE + PAGE_SIZE - 8, 0n, TABLE - PAGE_SIZE)],
    ['to a table of the second level', () => write(STORE, X86_BASE + X86.l2 * PAGE_SIZE, 0n)],
    ['to what can be written anyway', () => write(STORE, X86_BASE + 5 * PAGE_SIZE, 0n)],
    ['to nothing', () => write(STORE, X86_BASE + 100 * PAGE_SIZE, 0n)],
    ['by no instruction', () => write([0x0f, 0x0b], TABLE, 0n)],
  ])('not %s', (_name, run) => {
    const before = books(host.xen)
    const tables = host.xen.mem.copyOut(d.mfns[X86.l1]! * PAGE_SIZE, PAGE_SIZE)
    expect(run()).toBe(false)
    expect(changes(before, books(host.xen))).toEqual([])
    const now = host.xen.mem.copyOut(d.mfns[X86.l1]! * PAGE_SIZE, PAGE_SIZE)
    // Accessed and dirty are the processor's, of the page with the code.
    now[8 * 8] = tables[8 * 8]!
    expect(now).toEqual(tables)
  })
})
