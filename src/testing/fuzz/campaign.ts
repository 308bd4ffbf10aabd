/**
 * One seed of the fuzz: dom0's script builds a well-behaved domain and, beside it, hostile ones that live and are destroyed in whatever
 * state they are, again and again until so many hypercalls were made. The books are looked through all the while.
 */
import {
  XEN_DOMCTL_destroydomain,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_unpausedomain,
  xen_domctl_max_mem,
} from '#abi/xen/domctl.ts'
import type { GuestEntry } from '#abi/xen/guest.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { start_info } from '#abi/xen/xen.ts'
import { createRng, type Rng } from '#lib/prng.ts'
import type { Domain } from '#xen/common/domain.ts'
import type { Xen } from '#xen/xen.ts'
import { books, buildDomain, changes, domctl, nothing, room, turns } from '../xen-builder.ts'
import { scriptHost } from '../xen-domain.ts'
import { loaded } from '../xen-guest.ts'
import type { TestHost } from '../xen-host.ts'
import { RUN, type ScriptGuest } from '../xen-script.ts'
import { hostileKernel, type Scribe } from './hostile.ts'
import { complaints } from './invariants.ts'
import { NEIGHBOUR_PAGES, type NeighbourReport, neighbourKernel, PATTERN_PAGES, patternWord } from './neighbour.ts'
import type { Shot } from './shot.ts'
import { HOSTILE_PAGES, type Lore } from './values.ts'

export interface SeedOptions {
  readonly seed: number
  /** Hypercalls to be made, those inside a multicall not counted. */
  readonly calls: number
  /** The books are looked through after so many. */
  readonly every?: number
  /** From this call on, after each. */
  readonly closelyFrom?: number
}

export interface SeedOutcome {
  readonly seed: number
  readonly calls: number
  /** Pairs of hostile domains that were built and destroyed. */
  readonly lives: number
  /** Results that were not negative, and those that were, by hypercall and command. */
  readonly tally: ReadonlyMap<string, { okay: number; refused: number }>
  /** What broke. */
  readonly wrong?: { readonly text: string; readonly call: number; readonly recent: readonly string[] }
}

const NEIGHBOUR = 1
const HOSTILES: readonly number[] = [2, 3]
const SPARE_PAGES = 8
const LIFE_MIN = 400
const LIFE_MAX = 4000
/** Turns of dom0 without a call: all of them sleep. */
const STILL_TURNS = 400
const RECENT = 24
const DOM0_PATTERN_PAGES = 8
const FOR_EVER_NS = 1e15
/** Two microseconds for a call. */
const RUN_NS = 50_000
/** A domain that has not run for so long is starved. */
const STARVED_NS = 500e6

const hexWord = (value: number): string =>
  Number.isInteger(value) ? `${value < 0 ? '-' : ''}0x${Math.abs(value).toString(16)}` : `${value}`

class Campaign implements Scribe {
  readonly #options: SeedOptions
  readonly #rng: Rng
  readonly tally = new Map<string, { okay: number; refused: number }>()
  readonly report: NeighbourReport = { rounds: 0, wrong: undefined }
  readonly #lores = new Map<number, Lore>()
  readonly #recent: string[] = []
  made = 0
  lives = 0
  wrong: string | undefined
  done = false
  #nextCheck = 0
  #roundsSeen = 0
  #roundsSeenNs = 0
  #host: TestHost | undefined

  constructor(options: SeedOptions) {
    this.#options = options
    this.#rng = createRng(options.seed)
  }

  get recent(): readonly string[] {
    return this.#recent
  }

  // --- The scribe ---

  before(domid: number, { nr, args }: Shot): boolean {
    if (this.made >= this.#options.calls || this.wrong !== undefined) return false
    this.made++
    this.#recent.push(`d${domid} ${nr}(${args.map(hexWord).join(', ')})`)
    if (this.#recent.length > RECENT) this.#recent.shift()
    return true
  }

  after(_domid: number, { nr, args, command = args[0] ?? 0 }: Shot, result: number): void {
    if (!Number.isInteger(result)) this.wrong ??= `hypercall ${nr} gave ${result}`
    const known = nr >= 0 && nr < 64
    const name = known && command >= 0 && command < 64 ? `${nr}/${Math.floor(command)}` : known ? `${nr}` : 'none'
    const counts = this.tally.get(name) ?? { okay: 0, refused: 0 }
    this.tally.set(name, counts)
    if (result >= 0) counts.okay++
    else counts.refused++
    this.#recent[this.#recent.length - 1] += ` = ${result}`
    if (this.made >= (this.#options.closelyFrom ?? Number.POSITIVE_INFINITY)) this.look()
  }

  // --- The checks ---

  look(): void {
    const { xen, serial } = this.#host!
    this.wrong ??= complaints(xen)[0] ?? this.report.wrong
    const said = /.*(?:BUG|Panic|FATAL|unexpected).*/.exec(serial.slice(-4000))
    if (said) this.wrong ??= said[0]
    if (this.#host!.resets > 0 || this.#host!.powerOffs > 0) this.wrong ??= 'the host was reset'
    if (xen.domains.get(0)!.shuttingDown) this.wrong ??= 'dom0 is shut down'
  }

  /** What of dom0's and the neighbour's nobody may have changed, read from outside. */
  #bystanders(g: ScriptGuest, xen: Xen, mfns: readonly number[]): void {
    const { mem } = g.vcpu
    for (let page = 0; page < DOM0_PATTERN_PAGES; page++)
      for (let at = 0; at < PAGE_SIZE; at += 64)
        if (mem.read32(room(g, 16 + page) + at) !== patternWord(page, at)) this.wrong ??= `dom0's memory has changed`
    const { owner, m2p } = xen.heap.frames
    for (const [pfn, mfn] of mfns.entries()) {
      if (owner[mfn] !== NEIGHBOUR || m2p.get(mfn) !== pfn)
        this.wrong ??= `the neighbour's frame ${hexWord(mfn)} is not its own`
    }
    for (const pfn of PATTERN_PAGES)
      for (let at = 0; at < PAGE_SIZE; at += 64)
        if (xen.mem.read32(mfns[pfn]! * PAGE_SIZE + at) !== patternWord(pfn, at))
          this.wrong ??= `the neighbour's page ${pfn} has changed`
    const { nowNs } = this.#host!
    if (this.report.rounds > this.#roundsSeen) this.#roundsSeenNs = nowNs
    else if (nowNs > this.#roundsSeenNs + STARVED_NS) this.wrong ??= 'the neighbour does not get the processor any more'
    this.#roundsSeen = this.report.rounds
  }

  // --- The guests ---

  readonly entry: GuestEntry = (vcpu) => {
    const bytes = start_info.fields.cmd_line.get(vcpu.mem, vcpu.startInfo)
    const domid = bytes[0]! - 0x30
    if (domid === NEIGHBOUR) return neighbourKernel(HOSTILES, this.report)(vcpu)
    const lore = this.#lores.get(domid)
    // A vCPU that was given another start_info knows nothing.
    return lore ? hostileKernel(lore, this)(vcpu) : { run: () => RUN, upcall() {} }
  }

  /** Frames that a hostile domain has no right to. */
  #foreign(xen: Xen, others: readonly number[]): number[] {
    const { heap } = xen
    const found = [0, 1, 0xa0, 0xb8, 0x100, heap.xenHeapStart, heap.xenHeapEnd - 1, heap.frames.maxPage - 1, ...others]
    const add = (domain: Domain | undefined): void => {
      if (!domain) return
      found.push(domain.sharedInfo, domain.own, ...domain.grantTable!.shared, ...domain.grantTable!.activeFrames)
    }
    for (const domain of xen.domains.values()) add(domain)
    for (const [at, who] of [
      [0x4000, 0],
      [0x6000, 0],
      [0x1000, 0xffff],
    ] as const) {
      const mfn = heap.frames.owner.indexOf(who, at)
      if (mfn >= 0) found.push(mfn, mfn + 1)
    }
    return found
  }

  #build(g: ScriptGuest, xen: Xen, neighbours: readonly number[]): void {
    const built = HOSTILES.map((id) => buildDomain(g, { id, pages: HOSTILE_PAGES, vcpus: 2, cmdline: `${id}` }))
    const neighbourPorts = HOSTILES.map((_, i) => ({ dom: NEIGHBOUR, at: i + 1 }))
    const neighbourRefs = [8, 9, 10, 11].map((at) => ({ dom: NEIGHBOUR, at }))
    const offers = { ports: neighbourPorts, refs: neighbourRefs, accepts: [] }
    for (const [i, { domid, mfns }] of built.entries()) {
      domctl(g, XEN_DOMCTL_max_mem, domid, xen_domctl_max_mem, { max_memkb: BigInt((HOSTILE_PAGES + SPARE_PAGES) * 4) })
      this.#lores.set(domid, {
        rng: this.#rng.fork(`life ${this.lives} of ${domid}`),
        self: domid,
        domids: [0, NEIGHBOUR, ...HOSTILES],
        own: [...mfns],
        foreign: this.#foreign(xen, [...neighbours, ...built[1 - i]!.mfns]),
        ports: [],
        handles: [],
        offers,
      })
    }
    this.lives++
    for (const { domid } of built) domctl(g, XEN_DOMCTL_unpausedomain, domid, nothing, {})
  }

  *#live(g: ScriptGuest, xen: Xen, neighbours: readonly number[]): Generator<typeof RUN, void, number> {
    const end = this.made + LIFE_MIN + this.#rng.below(LIFE_MAX)
    let still = 0
    while (this.made < Math.min(end, this.#options.calls) && still < STILL_TURNS && this.wrong === undefined) {
      const before = this.made
      yield RUN
      still = this.made === before ? still + 1 : 0
      if (HOSTILES.every((id) => xen.domains.get(id)?.shuttingDown ?? true)) still = STILL_TURNS
      if (this.made < this.#nextCheck) continue
      this.#nextCheck = this.made + (this.#options.every ?? 1000)
      this.look()
      this.#bystanders(g, xen, neighbours)
    }
  }

  #destroy(g: ScriptGuest): void {
    const first = this.#rng.below(2)
    for (const id of [HOSTILES[first]!, HOSTILES[1 - first]!]) {
      domctl(g, XEN_DOMCTL_destroydomain, id, nothing, {})
      this.look()
    }
  }

  *script(g: ScriptGuest, host: TestHost): Generator<typeof RUN, void, number> {
    this.#host = host
    const { xen } = host
    for (let page = 0; page < DOM0_PATTERN_PAGES; page++)
      for (let at = 0; at < PAGE_SIZE; at += 64) g.vcpu.mem.write32(room(g, 16 + page) + at, patternWord(page, at))
    const { mfns } = buildDomain(g, { id: NEIGHBOUR, pages: NEIGHBOUR_PAGES, cmdline: `${NEIGHBOUR}` })
    const { m2p } = xen.heap.frames
    domctl(g, XEN_DOMCTL_unpausedomain, NEIGHBOUR, nothing, {})
    yield* turns(50)
    for (const [pfn, mfn] of mfns.entries()) if (m2p.get(mfn) !== pfn) this.wrong ??= 'the neighbour is built otherwise'
    while (this.made < this.#options.calls && this.wrong === undefined) {
      const before = books(xen)
      this.#build(g, xen, mfns)
      yield* this.#live(g, xen, mfns)
      this.#destroy(g)
      // The neighbour lets go of what its ports were bound to by itself.
      yield* turns(2)
      const left = HOSTILES.filter((id) => xen.domains.has(id))
      if (left.length > 0) this.wrong ??= `domains ${left.join(', ')} do not go away`
      const found = changes(before, books(xen))
      if (found.length > 0) this.wrong ??= `life ${this.lives} has left: ${found.join('; ')}`
    }
    this.done = true
  }
}

/** Run one seed. The same options always give the same outcome. */
export function runSeed(options: SeedOptions): SeedOutcome {
  const campaign = new Campaign(options)
  let host: TestHost | undefined
  try {
    host = scriptHost(
      function* (g) {
        while (!host) yield RUN
        yield* campaign.script(g, host)
        for (;;) yield RUN
      },
      'guest_loglvl=none',
      loaded(campaign.entry),
      { runNs: RUN_NS },
    )
    const ended = host.runUntil(() => campaign.done, FOR_EVER_NS)
    if (!ended) campaign.wrong ??= `everything has stopped:\n${host.serial.slice(-1500)}`
  } catch (thrown) {
    campaign.wrong ??= `thrown out of the hypervisor: ${thrown instanceof Error ? thrown.stack : JSON.stringify(thrown)}`
  }
  const { made: calls, lives, tally, wrong, recent } = campaign
  const outcome = { seed: options.seed, calls, lives, tally }
  return wrong === undefined ? outcome : { ...outcome, wrong: { text: wrong, call: calls, recent } }
}

/** What broke, and how to see it again. A failing seed is run once more with a look after each call, from the last that was well on. */
export function explain(options: SeedOptions, { wrong }: SeedOutcome): string {
  if (!wrong) return ''
  const every = options.every ?? 1000
  const near = runSeed({ ...options, closelyFrom: Math.max(1, wrong.call - every - 100) }).wrong ?? wrong
  return [
    `seed ${options.seed}, call ${near.call}: ${near.text}`,
    ...near.recent.map((shot) => `  ${shot}`),
    `again: npm run soak -- --seed ${options.seed} --calls ${near.call}`,
  ].join('\n')
}
