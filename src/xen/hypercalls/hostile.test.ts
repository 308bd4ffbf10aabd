/** A guest that calls Xen with whatever comes to its mind: nobody but itself may come to harm. */
import { describe, expect, test } from 'vitest'
import { EFAULT, ENOSYS } from '#abi/xen/errno.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { VCPUOP_down } from '#abi/xen/vcpu.ts'
import { __HYPERVISOR_vcpu_op, HYPERVISOR_VIRT_START } from '#abi/xen/xen.ts'
import { createRng } from '#lib/prng.ts'
import { addDomain, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import { BLOCK, RUN } from '#testing/xen-script.ts'
import { NO_OWNER, PGC_allocated, PGC_count_mask } from '../common/page-alloc.ts'

const CALLS = 20_000
const PAGES = 8
/** The numbers of all hypercalls but sched_op, and some that are none. */
const NUMBERS = Array.from({ length: 40 }, (_, nr) => nr).filter((nr) => nr !== 29)
const ODD = [
  0,
  1,
  -1,
  2,
  5,
  64,
  0x7ff0,
  0x7ff1,
  0xffffffff,
  2 ** 31,
  2 ** 32,
  2 ** 47,
  2 ** 52,
  2 ** 63,
  -(2 ** 63),
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  HYPERVISOR_VIRT_START,
  TEST_BASE,
  TEST_BASE + PAGE_SIZE - 4,
  TEST_BASE + PAGES * PAGE_SIZE - 8,
  TEST_BASE + PAGES * PAGE_SIZE,
]

describe('hostile hypercalls', () => {
  test.each([1, 2, 3])('seed %d', (seed) => {
    const { below } = createRng(seed)
    const host = scriptHost(function* () {
      for (;;) yield RUN
    }, 'guest_loglvl=none')
    const { xen } = host
    const { frames } = xen.heap
    const theirs = new Set<number>()
    for (let mfn = 0; mfn < frames.maxPage; mfn++) if (frames.owner[mfn] === 0) theirs.add(mfn)
    let made = 0
    const results = new Map<number, number>()
    const domain = addDomain(
      host,
      1,
      (vcpu) => ({
        run() {
          if (made >= CALLS) return BLOCK
          for (let i = 0; i < 100; i++, made++) {
            // Structs full of small numbers, own addresses and noise.
            const at = TEST_BASE + below(PAGES * PAGE_SIZE - 256)
            try {
              for (let n = 0; n < 16; n++) {
                const word =
                  below(3) === 0 ? below(2 ** 32) : below(2) === 0 ? below(40) : 0x80000000 + below(PAGES * PAGE_SIZE)
                vcpu.mem.write32(at + 4 * n, word)
              }
            } catch {
              // It has unmapped its own memory.
            }
            const arg = (): number =>
              below(2) === 0 ? ODD[below(ODD.length)]! : below(3) === 0 ? below(0x20000) * PAGE_SIZE + 0x67 : at
            const nr = NUMBERS[below(NUMBERS.length)]!
            const command = below(2) === 0 ? below(16) : arg()
            // Taking itself down would be its right, and the end of the test.
            if (nr === __HYPERVISOR_vcpu_op && command === VCPUOP_down) continue
            const result = vcpu.hypercall(nr, command, arg(), arg(), arg())
            results.set(result, (results.get(result) ?? 0) + 1)
            vcpu.io.out32(below(70000), below(2 ** 32))
            vcpu.io.in16(below(70000))
          }
          return RUN
        },
        upcall() {},
      }),
      { pages: PAGES },
    )
    host.runFor(2e8)
    expect(made).toBe(CALLS)
    expect(host.serial).not.toMatch(/BUG|Panic|FATAL|unexpected/)
    expect([host.resets, host.powerOffs]).toEqual([0, 0])
    expect(xen.domains.get(0)!.shuttingDown).toBe(false)
    // It got through in places, and was refused in most.
    expect(results.size).toBeGreaterThan(8)
    expect(results.get(-ENOSYS)).toBeGreaterThan(1000)
    expect(results.get(-EFAULT)).toBeGreaterThan(100)
    for (const result of results.keys()) expect(Number.isInteger(result), `${result}`).toBe(true)
    // dom0 has what it had; nobody's frames are somebody's twice; all counts are sane.
    let own = 0
    for (let mfn = 0; mfn < frames.maxPage; mfn++) {
      const owner = frames.owner[mfn]!
      if (theirs.has(mfn) !== (owner === 0)) expect.fail(`frame ${mfn} has changed hands`)
      const count = frames.countInfo[mfn]! & PGC_count_mask
      if (count > 100_000) expect.fail(`frame ${mfn} has ${count} references`)
      if (owner === 1 && !xen.heap.isXenHeap(mfn)) {
        own++
        if (count === 0) expect.fail(`frame ${mfn} is owned and free`)
      }
      if (!frames.allocated[mfn] && owner !== NO_OWNER) expect.fail(`free frame ${mfn} has an owner`)
    }
    expect(own).toBe(domain.totPages)
    expect(domain.totPages).toBeLessThanOrEqual(PAGES)
    expect(frames.countInfo[domain.sharedInfo]! >= PGC_allocated).toBe(true)
  })
})
