/** What observers hear of domains: what getdomaininfo would say, whenever it changes, in few words, and nothing when nothing happens. */
import { describe, expect, test } from 'vitest'
import {
  XEN_DOMCTL_destroydomain,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_pausedomain,
  XEN_DOMCTL_setdomainhandle,
  XEN_DOMCTL_unpausedomain,
  XEN_DOMINF_blocked,
  XEN_DOMINF_paused,
  XEN_DOMINF_running,
  XEN_DOMINF_shutdown,
  XEN_DOMINF_shutdownshift,
  xen_domctl_max_mem,
  xen_domctl_setdomainhandle,
} from '#abi/xen/domctl.ts'
import type { VcpuCode } from '#abi/xen/guest.ts'
import { SHUTDOWN_crash } from '#abi/xen/sched.ts'
import { buildDomain, domainInfo, domctl, nothing, play, populate, turns } from '#testing/xen-builder.ts'
import { addDomain, scriptHost } from '#testing/xen-domain.ts'
import { kernel, loaded } from '#testing/xen-guest.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK, RUN, type ScriptGuest, YIELD } from '#testing/xen-script.ts'
import { domainShutdown } from './domain-shutdown.ts'

const simple = (g: ScriptGuest, cmd: number, domid: number): number => domctl(g, cmd, domid, nothing, {}).result
const busy = loaded(kernel(() => RUN))

const toldOf = (host: TestHost, domid: number) =>
  host.probes.filter((probe) => probe.kind === 'domain').filter((probe) => probe.domid === domid)

const guest = (exit: () => ReturnType<VcpuCode['run']>) => (): VcpuCode => ({ run: exit, upcall() {} })

describe('a domain', () => {
  test('is told of as getdomaininfo has it, at every turn of its life; then that it is gone', () => {
    play(function* (g, host) {
      const { domid } = buildDomain(g)
      const last = () => toldOf(host, domid).at(-1)
      function* agrees() {
        yield YIELD
        const info = domainInfo(g, domid)!
        expect(last()).toMatchObject({
          flags: info.flags,
          onlineVcpus: info.nr_online_vcpus,
          totPages: info.tot_pages,
          maxPages: info.max_pages,
        })
        return info
      }
      const built = yield* agrees()
      expect(built.flags & XEN_DOMINF_paused).toBeTruthy()
      domctl(g, XEN_DOMCTL_max_mem, domid, xen_domctl_max_mem, { max_memkb: BigInt((built.tot_pages + 3) * 4) })
      expect((yield* agrees()).max_pages).toBe(built.tot_pages + 3)
      expect(populate(g, domid, 3).got).toBe(3)
      expect((yield* agrees()).tot_pages).toBe(built.tot_pages + 3)
      const handle = Uint8Array.from({ length: 16 }, (_, i) => 16 * i + 1)
      domctl(g, XEN_DOMCTL_setdomainhandle, domid, xen_domctl_setdomainhandle, { handle })
      yield* agrees()
      expect(last()!.handle).toBe('01112131415161718191a1b1c1d1e1f1')
      simple(g, XEN_DOMCTL_unpausedomain, domid)
      yield* turns(20)
      yield YIELD
      expect(toldOf(host, domid).some(({ flags }) => flags & XEN_DOMINF_running)).toBe(true)
      simple(g, XEN_DOMCTL_pausedomain, domid)
      expect((yield* agrees()).flags & XEN_DOMINF_paused).toBeTruthy()
      expect(last()!.cpuNs).toBeGreaterThan(0)
      simple(g, XEN_DOMCTL_destroydomain, domid)
      yield YIELD
      const about = host.probes.filter((probe) => 'domid' in probe && probe.domid === domid)
      expect(about.at(-1)).toEqual({ kind: 'domain-gone', domid })
      expect(about.filter(({ kind }) => kind === 'domain-gone')).toHaveLength(1)
    }, busy)
  })

  test('is told of once for all that dom0 does to it in one turn', () => {
    play(function* (g, host) {
      const { domid } = buildDomain(g)
      domctl(g, XEN_DOMCTL_max_mem, domid, xen_domctl_max_mem, { max_memkb: 4096n })
      yield YIELD
      const before = toldOf(host, domid).length
      for (let i = 0; i < 50; i++) populate(g, domid, 1)
      yield YIELD
      expect(toldOf(host, domid)).toHaveLength(before + 1)
    }, busy)
  })

  test('that sleeps is told of as blocked, and then no more', () => {
    const host = scriptHost(function* () {
      for (;;) yield BLOCK
    })
    addDomain(
      host,
      1,
      guest(() => BLOCK),
    )
    host.runFor(1e9)
    expect(toldOf(host, 1).at(-1)!.flags & XEN_DOMINF_blocked).toBeTruthy()
    expect(toldOf(host, 0).at(-1)!.flags & XEN_DOMINF_blocked).toBeTruthy()
    const before = host.probes.length
    host.runFor(60e9)
    expect(host.probes).toHaveLength(before)
  })

  test('that computes is told of a hundred times a second, not at each of its turns', () => {
    const host = scriptHost(function* () {
      for (;;) yield BLOCK
    })
    const computes = guest(() => {
      host.xen.current.metal.cpu.charge(19_000)
      return YIELD
    })
    addDomain(host, 1, computes)
    host.runFor(0.1e9)
    const before = toldOf(host, 1).length
    host.runFor(1e9)
    const told = toldOf(host, 1).slice(before)
    expect(told.length).toBeGreaterThan(50)
    expect(told.length).toBeLessThan(120)
    const [first, last] = [told[0]!, told.at(-1)!]
    // It has the processor to itself, but for Xen's own work.
    expect((last.cpuNs - first.cpuNs) / (last.atNs - first.atNs)).toBeGreaterThan(0.9)
    expect((last.cpuNs - first.cpuNs) / (last.atNs - first.atNs)).toBeLessThan(1.001)
  })

  test('that has shut down is told of with the reason', () => {
    const host = scriptHost(function* () {
      for (;;) yield RUN
    })
    const domain = addDomain(
      host,
      1,
      guest(() => BLOCK),
    )
    host.runFor(0.1e9)
    host.inXen((xen) => domainShutdown(xen, domain, SHUTDOWN_crash))
    host.runFor(0.1e9)
    const { flags } = toldOf(host, 1).at(-1)!
    expect(flags & XEN_DOMINF_shutdown).toBeTruthy()
    expect(flags >>> XEN_DOMINF_shutdownshift).toBe(SHUTDOWN_crash)
  })
})
