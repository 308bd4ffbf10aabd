/** Page tables under a kernel of machine code that does what it likes with them: whatever it asks for, the books are right, and nothing stays behind. */
import { beforeAll, describe, expect, test } from 'vitest'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import * as x from '#abi/xen/xen.ts'
import { createRng } from '#lib/prng.ts'
import { domainKill } from '#xen/common/domain-destroy.ts'
import { hypercall } from '#xen/hypercalls/index.ts'
import { tableDomain, X86, X86_BASE } from '../x86-domain.ts'
import { scriptHost } from '../xen-domain.ts'
import type { TestHost } from '../xen-host.ts'
import { BLOCK } from '../xen-script.ts'
import { complaints } from './invariants.ts'

const PAGES = 24
const CALLS = 4000
const EVERY = 400
/** Pages that it keeps as they are: its tables, and one for arguments. */
const KEPT = X86.data + 1
const ARGS = X86_BASE + X86.data * PAGE_SIZE
const FLAGS = [0x61, 0x63, 0x65, 0x67, 0x67, 0x67, 0x71, 0xe7, 0x163, 0]

let host: TestHost
beforeAll(() => {
  host = scriptHost(function* () {
    yield BLOCK
  })
})

describe('hostile tables', () => {
  test.each([1, 2, 3, 4])('seed %d', (seed) => {
    const rng = createRng(seed)
    const below = (n: number): number => rng.below(n)
    const one = <T>(list: readonly T[]): T => rng.pick(list)
    const { domains, heap } = host.xen
    const before = heap.availDomHeapPages()
    const { domain, vcpu, mfns } = tableDomain(host, seed, PAGES)
    const dom0 = domains.get(0)!
    const okay: Record<number, number> = {}
    const call = (nr: number, ...args: number[]): void => {
      host.inXen((xen) => {
        if (hypercall(xen, vcpu, nr, args) === 0) okay[nr] = (okay[nr] ?? 0) + 1
      })
    }
    /** Mostly a frame of its own that it may lose. */
    const frame = (): number =>
      below(30) === 0 ? one([dom0.root, 0, 2 ** 30, mfns[0]!]) : mfns[KEPT + below(PAGES - KEPT)]!
    const slot = (): number => one([0, 1, 2, 3, 255, 256, 260, 511, below(512)])
    const value = (): number => frame() * PAGE_SIZE + one(FLAGS)
    const mapping = (page: number): number => X86_BASE + page * PAGE_SIZE
    for (let i = 0; i < CALLS; i++) {
      const page = KEPT + below(PAGES - KEPT)
      switch (below(6)) {
        case 0:
          // By its own hand, where it can.
          try {
            vcpu.mem.write64(mapping(page) + 8 * slot(), BigInt(value()))
          } catch {}
          break
        case 1:
          call(x.__HYPERVISOR_update_va_mapping, mapping(page), mfns[page]! * PAGE_SIZE + one([0x61, 0x63, 0]), 0)
          break
        case 2:
          call(
            x.__HYPERVISOR_update_va_mapping,
            mapping(below(40) + KEPT),
            value(),
            one([0, x.UVMF_INVLPG, x.UVMF_TLB_FLUSH]),
          )
          break
        case 3:
          x.mmu_update.write(vcpu.mem, ARGS, {
            ptr: BigInt(mfns[page]! * PAGE_SIZE + 8 * slot() + below(3)),
            val: BigInt(value()),
          })
          call(x.__HYPERVISOR_mmu_update, ARGS, 1, 0, x.DOMID_SELF)
          break
        case 4: {
          const cmd = one([0, 0, 1, 2, 3, 3, 4, 4, x.MMUEXT_NEW_USER_BASEPTR])
          x.mmuext_op.write(vcpu.mem, ARGS, { cmd, arg1: BigInt(frame()), arg2: 0n })
          call(x.__HYPERVISOR_mmuext_op, ARGS, 1, 0, x.DOMID_SELF)
          break
        }
        default: {
          // A table of what is there, to be pinned later.
          const table = mapping(page)
          call(x.__HYPERVISOR_update_va_mapping, table, mfns[page]! * PAGE_SIZE + 0x63, 0)
          try {
            vcpu.mem.fill(table, PAGE_SIZE, 0)
            vcpu.mem.write64(table + 8 * slot(), BigInt(value()))
          } catch {}
          call(x.__HYPERVISOR_update_va_mapping, table, mfns[page]! * PAGE_SIZE + 0x61, 0)
        }
      }
      if (i % EVERY === 0) expect(complaints(host.xen), `after ${i}`).toEqual([])
    }
    for (const nr of [x.__HYPERVISOR_update_va_mapping, x.__HYPERVISOR_mmu_update, x.__HYPERVISOR_mmuext_op])
      expect(okay[nr], `${nr}`).toBeGreaterThan(50)
    expect(complaints(host.xen)).toEqual([])
    host.inXen((xen) => domainKill(xen, dom0, domain))
    expect(domains.has(seed)).toBe(false)
    expect(heap.availDomHeapPages()).toBe(before)
    expect(complaints(host.xen)).toEqual([])
  })
})
