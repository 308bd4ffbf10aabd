/** For tests: dom0 as a script on a booted host, and further domains put there by hand, as a domain builder would. */
import type { LoadedCode, LoadRefusal } from '#abi/pc/metal.ts'
import type { VcpuCode, VcpuExit, VirtualCpu } from '#abi/xen/guest.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { getPageFromL1e } from '#xen/arch-x86/page-type.ts'
import { virtualCpu } from '#xen/arch-x86/virtual-cpu.ts'
import { type Domain, VPF_down } from '#xen/common/domain.ts'
import { allocVcpu, domainCreate } from '#xen/common/domain-create.ts'
import { allocDomainPages } from '#xen/common/domain-pages.ts'
import { domainUnpauseByController } from '#xen/common/domain-shutdown.ts'
import { kernelFile, loaded } from './xen-guest.ts'
import { TestHost, type TestHostOptions } from './xen-host.ts'
import { type Script, type ScriptGuest, script } from './xen-script.ts'

/** Booted until dom0 runs, everything logged. `guest` is what lies at TEST_BASE, where built domains are entered (xen-builder.ts). */
export function scriptHost(
  body: Script,
  cmdline = '',
  guest?: LoadedCode | LoadRefusal,
  options: Pick<TestHostOptions, 'runNs'> = {},
): TestHost {
  const host = new TestHost({
    ...options,
    memoryMiB: 256,
    cmdline: `/boot/xen.gz com1=115200,8n1 console=com1 dom0_mem=65536 loglvl=all guest_loglvl=all ${cmdline}`,
    modules: [{ bytes: kernelFile() }],
    load: (_mem, at) => (at === TEST_BASE && guest ? guest : loaded(script(body))),
  })
  host.boot()
  host.expect('init memory.')
  return host
}

/** What dom0's script has returned, once it has run to its end. */
export function ask<T>(body: (guest: ScriptGuest) => Generator<VcpuExit, T, number>): T {
  let answer: { readonly value: T } | undefined
  const host = scriptHost(function* (guest) {
    answer = { value: yield* body(guest) }
  })
  host.runUntil(() => answer !== undefined, 5e9)
  if (!answer) throw new Error(`dom0 did not finish:\n${host.serial.slice(-2000)}`)
  return answer.value
}

/** Where a test domain's frames are mapped. */
export const TEST_BASE = -0x80000000

/** One more domain with `pages` frames, mapped from TEST_BASE on, whose single vCPU runs `code`. It starts at once. */
export function addDomain(
  host: TestHost,
  id: number,
  code: (vcpu: VirtualCpu) => VcpuCode,
  options: { readonly pages?: number; readonly processor?: number; readonly weight?: number } = {},
): Domain {
  const { xen } = host
  const { pages = 4, processor = 0, weight = 256 } = options
  const domain = domainCreate(xen, id)
  if (!domain) throw new Error('no Xen heap left')
  domain.maxPages = pages
  domain.pageMapped = true
  domain.sched.weight = weight
  for (let i = 0; i < pages; i++) {
    const mfn = allocDomainPages(xen, domain, 0)
    if (mfn === undefined) throw new Error('no memory left')
    domain.pageMap.set(TEST_BASE / PAGE_SIZE + i, getPageFromL1e(xen, mfn * PAGE_SIZE + 0x67, 0, domain)!)
    xen.heap.frames.m2p.set(mfn, i)
  }
  const vcpu = allocVcpu(xen, domain, 0, processor)
  if (!vcpu) throw new Error('no Xen heap left')
  vcpu.initialised = true
  vcpu.pauseFlags &= ~VPF_down
  vcpu.code = { loaded: loaded(undefined), run: () => code(virtualCpu(xen, vcpu, TEST_BASE)) }
  host.inXen(() => domainUnpauseByController(xen, domain))
  return domain
}
