/** One seed: a well-behaved domain, and beside it, one after the other, hostile ones of machine code. Of all that they do only they themselves may die. */

import { RCX, RDX } from '#abi/pc/ring3.ts'
import { XEN_DOMCTL_destroydomain, XEN_DOMCTL_unpausedomain } from '#abi/xen/domctl.ts'
import { SCHEDOP_yield } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_sched_op } from '#abi/xen/xen.ts'
import { createRng, type Rng } from '#lib/prng.ts'
import { hostileKernel } from '../../fuzz/hostile.ts'
import { complaints } from '../../fuzz/invariants.ts'
import { patternWord } from '../../fuzz/neighbour.ts'
import { books, changes, domctl, nothing } from '../../xen-builder.ts'
import { X86Host } from '../dom0.ts'
import { PFN, va } from '../layout.ts'
import { SmallGuest } from '../small-guest.ts'
import { Gone, HostileCalls } from './hostile-calls.ts'
import { HostileCode } from './hostile-code.ts'
import { reachComplaints } from './reachable.ts'

/** A life of random code is over after so much time, or when nothing new is begun for so long. */
const LIFE_NS = 400_000
const STUCK_NS = 40_000
const LOOKS = 8
const CALL_TURNS = 12
/** What the neighbour must have done in the meantime. */
const STARVED_NS = 200e6

export type Kind = 'kernel' | 'user' | 'calls'

export interface X86Outcome {
  readonly lives: number
  /** Pieces of code begun, and hypercalls made. */
  readonly pieces: number
  readonly calls: number
  /** Hostile domains that ended by crashing. */
  readonly crashed: number
  readonly wrong?: string
}

class X86Campaign {
  readonly host = new X86Host({ cmdline: 'guest_loglvl=none', memoryMiB: 160 })
  readonly #rng: Rng
  readonly #neighbour: SmallGuest
  #rounds = 0n
  #roundsNs = 0
  lives = 0
  pieces = 0
  calls = 0
  crashed = 0
  wrong: string | undefined

  constructor(seed: number) {
    this.#rng = createRng(seed)
    // It counts, for ever.
    this.#neighbour = new SmallGuest(this.host, (k) =>
      k
        .label('again')
        .set(RCX, va(PFN.results))
        .load(RDX, RCX, 0)
        .aluImm('add', RDX, 1)
        .store(RCX, 0, RDX)
        .hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0)
        .jmp('again'),
    )
    for (const pfn of [PFN.data, PFN.spare])
      for (let at = 0; at < PAGE_SIZE; at += 8) this.#neighbour.poke(pfn, at, BigInt(patternWord(pfn, at)))
    this.#neighbour.start()
    this.host.host.runFor(1e6)
  }

  /** What must hold, whatever happens. */
  look(): void {
    const { host } = this.host
    this.wrong ??= complaints(host.xen)[0] ?? reachComplaints(host)[0]
    const said = /.*(?:BUG|Panic|FATAL|unexpected).*/.exec(host.serial.slice(-4000))
    if (said) this.wrong ??= said[0]
    if (host.resets > 0 || host.powerOffs > 0) this.wrong ??= 'the host was reset'
    if (host.xen.domains.get(0)!.shuttingDown) this.wrong ??= 'dom0 is shut down'
    if (this.#neighbour.domain.shuttingDown) this.wrong ??= 'the neighbour is dead'
    for (const pfn of [PFN.data, PFN.spare])
      for (let at = 0; at < PAGE_SIZE; at += 64)
        if (this.#neighbour.peek(pfn, at) !== BigInt(patternWord(pfn, at)))
          this.wrong ??= `the neighbour's page ${pfn} has changed`
    const rounds = this.#neighbour.peek(PFN.results, 0)
    if (rounds !== this.#rounds) this.#roundsNs = host.nowNs
    else if (host.nowNs > this.#roundsNs + STARVED_NS)
      this.wrong ??= 'the neighbour does not get the processor any more'
    this.#rounds = rounds
  }

  life(kind: Kind): void {
    const { xen } = this.host.host
    const before = books(xen)
    const rng = this.#rng.fork(`life ${this.lives} ${kind}`)
    this.lives++
    const domid = kind === 'calls' ? this.#calls(rng) : this.#code(rng, kind === 'user')
    if (xen.domains.get(domid)!.shuttingDown) this.crashed++
    this.host.ask((dom0) => domctl(dom0, XEN_DOMCTL_destroydomain, domid, nothing, {}))
    this.look()
    if (xen.domains.has(domid)) this.wrong ??= `domain ${domid} does not go away`
    const found = changes(before, books(xen))
    if (found.length > 0) this.wrong ??= `it has left: ${found.join('; ')}`
  }

  #code(rng: Rng, user: boolean): number {
    const hostile = new HostileCode(this.host, rng, user)
    const { host } = this.host
    const { guest } = hostile
    guest.start()
    let begun = 0
    let begunNs = host.nowNs
    const over = (): boolean => {
      if (guest.domain.shuttingDown) return true
      if (hostile.begun !== begun) begunNs = host.nowNs
      begun = hostile.begun
      return host.nowNs > begunNs + STUCK_NS
    }
    for (let i = 0; i < LOOKS && this.wrong === undefined; i++) {
      if (host.runUntil(over, LIFE_NS / LOOKS)) break
      this.look()
    }
    this.pieces += begun
    return guest.domid
  }

  #calls(rng: Rng): number {
    const { xen } = this.host.host
    const hostile = new HostileCalls(this.host, rng)
    const { domid, mfns } = hostile
    const { owner } = xen.heap.frames
    const foreign = [0, 1, 0xa0, xen.heap.xenHeapStart, ...this.#neighbour.mfns, owner.indexOf(0, 0x4000)]
    for (const domain of xen.domains.values()) foreign.push(domain.sharedInfo, domain.own)
    const lore = {
      rng,
      self: domid,
      domids: [0, this.#neighbour.domid, domid],
      own: mfns.slice(0, 32),
      foreign,
      ports: [],
      handles: [],
      offers: { ports: [], refs: [], accepts: [] },
    }
    this.host.ask((dom0) => domctl(dom0, XEN_DOMCTL_unpausedomain, domid, nothing, {}))
    const scribe = {
      before: () => this.wrong === undefined && !hostile.domain.shuttingDown,
      after: () => {
        this.calls++
      },
    }
    const kernel = hostileKernel(lore, scribe)(hostile.vcpu)
    try {
      for (let i = 0; i < CALL_TURNS && this.wrong === undefined; i++) {
        kernel.run(this.host.host.nowNs, 0)
        this.look()
        if (hostile.domain.shuttingDown) break
      }
    } catch (thrown) {
      if (!(thrown instanceof Gone)) throw thrown
    }
    return domid
  }
}

/** So many lives of each kind. The same seed always gives the same outcome. */
export function runX86Seed(seed: number, lives: number): X86Outcome {
  const campaign = new X86Campaign(seed)
  try {
    for (let i = 0; i < lives && campaign.wrong === undefined; i++)
      for (const kind of ['kernel', 'user', 'calls'] as const) if (campaign.wrong === undefined) campaign.life(kind)
  } catch (thrown) {
    campaign.wrong ??= `thrown: ${thrown instanceof Error ? thrown.stack : JSON.stringify(thrown)}`
  }
  const { pieces, calls, crashed, wrong } = campaign
  const outcome = { lives: campaign.lives, pieces, calls, crashed }
  return wrong === undefined ? outcome : { ...outcome, wrong: `seed ${seed}, life ${campaign.lives}: ${wrong}` }
}
