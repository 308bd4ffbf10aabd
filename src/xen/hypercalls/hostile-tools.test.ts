/** A control domain that says whatever comes to its mind: it may destroy domains, but not Xen. */
import { expect, test } from 'vitest'
import { XEN_DOMCTL_INTERFACE_VERSION, XEN_DOMCTL_U, xen_domctl } from '#abi/xen/domctl.ts'
import { XEN_SYSCTL_INTERFACE_VERSION, XEN_SYSCTL_U, xen_sysctl } from '#abi/xen/sysctl.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_domctl,
  __HYPERVISOR_memory_op,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_sysctl,
  __HYPERVISOR_update_va_mapping_otherdomain,
} from '#abi/xen/xen.ts'
import { createRng } from '#lib/prng.ts'
import { buildDomain, createDomain, domctl, nothing, play, room } from '#testing/xen-builder.ts'
import { kernel, loaded } from '#testing/xen-guest.ts'
import { RUN } from '#testing/xen-script.ts'
import { NO_OWNER, PGC_count_mask } from '../common/page-alloc.ts'

const CALLS = 4000

test.each([1, 2, 3])('domctl, sysctl and the memory of others, seed %d', (seed) => {
  const { below } = createRng(seed)
  const results = new Map<number, number>()
  const host = play(
    function* (g, { xen }) {
      const { mem } = g.vcpu
      const mfns: number[] = []
      for (let made = 0; made < CALLS; made++) {
        if (xen.domains.size < 4) mfns.push(...(below(2) ? buildDomain(g) : createDomain(g, { vcpus: 2 })).mfns)
        const word = (): number => {
          switch (below(6)) {
            case 0:
              return below(2 ** 32)
            case 1:
              return below(40)
            case 2:
              return mfns[below(mfns.length)]!
            case 3:
              return below(8)
            default:
              return 0
          }
        }
        const at = g.scratch
        const isSysctl = below(4) === 0
        const u = at + (isSysctl ? XEN_SYSCTL_U : XEN_DOMCTL_U)
        for (let i = 0; i < 16; i++) mem.write64(u + 8 * i, BigInt(word()) | (below(4) ? 0n : BigInt(word()) << 32n))
        if (below(2)) mem.write64(u + 8 * below(4), BigInt.asUintN(64, BigInt(room(g, below(4)) + below(PAGE_SIZE))))
        const domain = below(8) ? below(12) : below(65536)
        xen_domctl.write(mem, at, {
          cmd: below(56),
          interface_version: isSysctl ? XEN_SYSCTL_INTERFACE_VERSION : XEN_DOMCTL_INTERFACE_VERSION,
        })
        if (isSysctl) xen_sysctl.fields.cmd.set(mem, at, below(12))
        else xen_domctl.fields.domain.set(mem, at, domain)
        const nr = [
          isSysctl ? __HYPERVISOR_sysctl : __HYPERVISOR_domctl,
          isSysctl ? __HYPERVISOR_sysctl : __HYPERVISOR_domctl,
          __HYPERVISOR_mmuext_op,
          __HYPERVISOR_update_va_mapping_otherdomain,
          __HYPERVISOR_memory_op,
        ][below(5)]!
        // dom0's own vCPU 0 moved to no processor, or its own end, would be the end of the test.
        if (nr === __HYPERVISOR_domctl && domain === 0) continue
        const args =
          nr === __HYPERVISOR_mmuext_op
            ? [at, 1 + below(3), 0, domain]
            : nr === __HYPERVISOR_update_va_mapping_otherdomain
              ? [g.beyond + below(64) * PAGE_SIZE, word() * PAGE_SIZE + below(4096), 0, domain]
              : nr === __HYPERVISOR_memory_op
                ? [below(15), at]
                : [at]
        const result = g.call(nr, ...args)
        results.set(result, (results.get(result) ?? 0) + 1)
        expect(Number.isInteger(result)).toBe(true)
        if (made % 50 === 0) yield RUN
      }
      // All that can be is put away.
      for (const id of [...xen.domains.keys()]) if (id !== 0) domctl(g, 2, id, nothing, {})
      for (let i = 0; i < 64; i++) g.call(14, g.beyond + i * PAGE_SIZE, 0, 0)
      expect([...xen.domains.keys()]).toEqual([0])
      const { frames } = xen.heap
      for (let mfn = 0; mfn < frames.maxPage; mfn++) {
        const owner = frames.owner[mfn]!
        const count = frames.countInfo[mfn]! & PGC_count_mask
        if (owner !== 0 && owner !== NO_OWNER && owner < 0x7ff0) expect.fail(`frame ${mfn} is still domain ${owner}'s`)
        if (owner === 0 && (count === 0 || count > 10_000)) expect.fail(`frame ${mfn} has ${count} references`)
      }
    },
    loaded(kernel(() => RUN)),
  )
  expect(host.serial).not.toMatch(/BUG|Panic|FATAL/)
  expect(results.size).toBeGreaterThan(6)
  expect(results.get(0)).toBeGreaterThan(100)
})
