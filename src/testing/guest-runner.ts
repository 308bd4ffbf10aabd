/**
 * Runs the tiny test guests: a host, a dom0 that builds one domain after the other by domctl, reads off their consoles how they ended, and
 * destroys them. What every hypercall of theirs returned is noted.
 */
import {
  XEN_DOMCTL_destroydomain,
  XEN_DOMCTL_unpausedomain,
  XEN_DOMINF_shutdown,
  XEN_DOMINF_shutdownmask,
  XEN_DOMINF_shutdownshift,
} from '#abi/xen/domctl.ts'
import type { GuestEntry, VcpuExit } from '#abi/xen/guest.ts'
import { XENCONS_IN_SIZE, xencons_interface } from '#abi/xen/io/console.ts'
import { XENPF_enter_acpi_sleep } from '#abi/xen/platform.ts'
import { SHUTDOWN_poweroff } from '#abi/xen/sched.ts'
import { __HYPERVISOR_platform_op, start_info } from '#abi/xen/xen.ts'
import { type Observation, observed, observedCpu } from './coverage/observe.ts'
import { Guest, MAIN, type Main, PEER, RESULT, type TestGuest, testKernel, toItsEnd } from './guests/kit.ts'
import { books, buildDomain, CONSOLE, changes, domainInfo, domctl, mapForeign, nothing, unmap } from './xen-builder.ts'
import { scriptHost } from './xen-domain.ts'
import { loaded } from './xen-guest.ts'
import type { TestHost } from './xen-host.ts'
import { RUN, type ScriptGuest } from './xen-script.ts'

export interface GuestReport {
  readonly name: string
  /** `success`, or `failure: why` and the like. */
  readonly outcome: string
  readonly observations: readonly Observation[]
}

const RUN_NS = 20_000
const PAGES = 32
/** A guest that has not ended by then never will: two seconds. */
const TURNS_MAX = 100_000

class Runner {
  readonly reports: GuestReport[] = []
  done = false
  readonly #guests: readonly (readonly [string, TestGuest])[]
  #kernels: Readonly<Record<number, GuestEntry>> = {}
  #noted: Observation[] = []
  readonly #note = (observation: Observation): void => {
    this.#noted.push(observation)
  }

  constructor(guests: readonly (readonly [string, TestGuest])[]) {
    this.#guests = guests
  }

  /** What lies at a built domain's entry: the command line says which domain it is. */
  readonly entry: GuestEntry = (vcpu) => {
    const domid = start_info.fields.cmd_line.get(vcpu.mem, vcpu.startInfo)[0]! - 0x30
    return this.#kernels[domid]!(vcpu)
  }

  #console(g: ScriptGuest, domid: number, mfn: number): string {
    const { mem } = g.vcpu
    mapForeign(g, g.beyond, mfn, domid)
    const length = xencons_interface.fields.out_prod.get(mem, g.beyond)
    const text = String.fromCharCode(...mem.copyOut(g.beyond + XENCONS_IN_SIZE, Math.min(length, 2000)))
    unmap(g, g.beyond)
    return text
  }

  /** How the domain ended, once it has. */
  #ending(g: ScriptGuest, domid: number, console: number, ends = SHUTDOWN_poweroff): string | undefined {
    const { flags } = domainInfo(g, domid)!
    if ((flags & XEN_DOMINF_shutdown) === 0) return undefined
    const reason = (flags >>> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask
    const text = this.#console(g, domid, console)
    const result = text.split('\n').findLast((line) => line.startsWith(RESULT))
    if (result !== undefined) return result.slice(RESULT.length).replace(/^[A-Z]+/, (word) => word.toLowerCase())
    return reason === ends && ends !== SHUTDOWN_poweroff ? 'success' : `error: domain ${domid} has ended with ${reason}`
  }

  *#one(g: ScriptGuest, { dom0, main, peer, vcpus = 1, second, ends }: TestGuest): Generator<VcpuExit, string, number> {
    const idle: Main = function* (guest) {
      for (;;) yield* guest.sleep(1e9)
    }
    this.#kernels = {
      [MAIN]: observed(testKernel(main, second), this.#note),
      [PEER]: observed(testKernel(peer ?? idle), this.#note),
    }
    const wanted = [...(dom0 ? [] : [MAIN]), ...(peer ? [PEER] : [])]
    const consoles = new Map<number, number>()
    for (const id of wanted) {
      const { mfns } = buildDomain(g, { id, pages: PAGES, vcpus, cmdline: `${id}` })
      consoles.set(id, mfns[CONSOLE]!)
    }
    for (const id of wanted) domctl(g, XEN_DOMCTL_unpausedomain, id, nothing, {})
    if (dom0) {
      const cpu = observedCpu(g.vcpu, this.#note)
      const guest = new Guest(cpu.vcpu, {})
      const { how, why } = yield* cpu.steps(toItsEnd(guest, main))
      guest.close()
      return why === '' ? how : `${how}: ${why}`
    }
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      yield RUN
      if (turn % 10 !== 0) continue
      const endings = wanted.map((id) => this.#ending(g, id, consoles.get(id)!, id === MAIN ? ends : undefined))
      const bad = endings.find((ending) => ending !== undefined && ending !== 'success')
      if (bad !== undefined) return bad
      if (endings.every((ending) => ending !== undefined)) return 'success'
    }
    return 'error: it does not end'
  }

  /** The last of the guests has done that, and no call has come back from it. */
  poweredOff(): void {
    const [name, guest] = this.#guests.at(-1)!
    if (!guest.powersOff) return
    const made = { nr: __HYPERVISOR_platform_op, sub: XENPF_enter_acpi_sleep, result: 0 }
    this.reports.push({ name, outcome: 'success', observations: [...this.#noted, made] })
    this.done = true
  }

  *script(g: ScriptGuest, host: TestHost): Generator<VcpuExit, void, number> {
    const { xen } = host
    for (const [name, guest] of this.#guests) {
      this.#noted = []
      const before = books(xen)
      let outcome: string
      try {
        outcome = yield* this.#one(g, guest)
      } catch (thrown) {
        outcome = `error: it cannot be built: ${(thrown as Error).message}`
      }
      for (const id of [...xen.domains.keys()]) if (id !== 0) domctl(g, XEN_DOMCTL_destroydomain, id, nothing, {})
      yield RUN
      const left = changes(before, books(xen))
      if (left.length > 0 && outcome === 'success') outcome = `failure: afterwards ${left.slice(0, 3).join('; ')}`
      this.reports.push({ name, outcome, observations: this.#noted })
    }
    this.done = true
  }
}

/** Run them, one after the other on one host, but those that need another. */
export function runGuests(guests: Readonly<Record<string, TestGuest>>): readonly GuestReport[] {
  const alone = (guest: TestGuest): boolean => guest.options !== undefined || guest.powersOff === true
  const all = Object.entries(guests)
  const reports = runOnHost(all.filter(([, guest]) => !alone(guest)))
  for (const [name, guest] of all) if (alone(guest)) reports.push(...runOnHost([[name, guest]]))
  return reports
}

function runOnHost(guests: readonly (readonly [string, TestGuest])[]): GuestReport[] {
  const runner = new Runner(guests)
  let host: TestHost | undefined
  host = scriptHost(
    function* (g) {
      while (!host) yield RUN
      yield* runner.script(g, host)
    },
    `guest_loglvl=none ${guests[0]?.[1].options ?? ''}`,
    loaded(runner.entry),
    { runNs: RUN_NS },
  )
  host.runUntil(() => runner.done || host!.powerOffs > 0, 1e12)
  if (!runner.done && host.powerOffs > 0) runner.poweredOff()
  if (!runner.done) throw new Error(`the host has stopped:\n${host.serial.slice(-2000)}`)
  return runner.reports
}
