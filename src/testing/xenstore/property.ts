/** Chance against the model: clients of all kinds, their transactions, domains that come and go, and other daemons, in any order. */
import { Fold } from './fold.ts'
import { Model, type ModelQuotas } from './model.ts'
import { ENDED, SETUP, SOCKETS, type Step, stepsOf } from './property-steps.ts'
import { WireWorld } from './wire-world.ts'

const CHECK_EVERY = 100

export interface Rules {
  /** The daemon is killed, ended and updated now and then. */
  readonly restarts?: boolean
  readonly merges: boolean
  readonly quotas: ModelQuotas
}

export const ERA: Rules = { merges: false, quotas: { entryNb: 12, entrySize: 200, watchNb: 3, transaction: 2 } }
export const RESTARTED: Rules = { ...ERA, restarts: true }
/** Quotas that nobody reaches: whether a transaction reached one depends on what happened meanwhile. */
export const LATER: Rules = {
  merges: true,
  quotas: { entryNb: 1e6, entrySize: 1e6, watchNb: 1e6, transaction: 1e6 },
}

/** Do them all: undefined, or what went wrong. */
export function run(
  steps: readonly Step[],
  seed: number,
  rules: Rules,
): { readonly at: number; readonly why: string } | undefined {
  const pair = new Pair(seed, rules)
  const all = [...SETUP, ...steps]
  for (let i = 0; i < all.length; i++) {
    try {
      pair.step(all[i]!)
      if (i % CHECK_EVERY === 0 || i === all.length - 1) pair.check()
    } catch (error) {
      return { at: i - SETUP.length, why: error instanceof Error ? error.message : String(error) }
    }
  }
  commits += pair.model.commits
  conflicts += pair.model.conflicts
  return undefined
}

/** Over all runs: that there were any of both. */
export let commits = 0
export let conflicts = 0

/** The daemon and the model side by side. */
class Pair {
  readonly model: Model
  readonly #world: WireWorld
  readonly #fold = new Fold()
  #traced = 0
  #frames = 2000

  constructor(seed: number, { merges, quotas }: Rules) {
    const { entryNb, entrySize, watchNb, transaction } = quotas
    const args = ['-E', entryNb, '-S', entrySize, '-W', watchNb, '-t', transaction].map(String)
    this.#world = new WireWorld({ seed, args: merges ? [...args, '--merge-activate'] : args })
    this.#world.open('t')
    this.model = new Model(quotas, merges)
    for (const name of SOCKETS) this.model.connect(name)
    this.model.connect('0', 0)
  }

  step(step: Step): void {
    const { model } = this
    if (step.do === 'reopen') {
      this.#world.close('t')
      model.disconnect('t')
      this.#world.open('t')
      model.connect('t')
    } else if (step.do === 'restart') this.#restart(step.how, step.dies)
    else if (step.do === 'cut') {
      if (!model.clients.has(step.who)) return
      const { op, path, rest } = step.what
      const got = this.#world.cut(`${step.who} ${op} ${path}|${rest}`, step.steps)
      model.ask(step.who, 0, step.what)
      model.restart(true)
      this.#compare(step.who, got)
    } else if ('domid' in step) this.#life(step.do, step.domid)
    else {
      const client = model.clients.get(step.who)
      if (!client) return
      // Of the open ones, or one that is none any more.
      const open = [...client.transactions.keys()]
      const id = step.tx === 0 ? 0 : step.tx === ENDED ? client.lastId : (open[step.tx % open.length] ?? 0)
      const inside = id === 0 ? step.who : `${step.who}#${id}`
      // What is to be seen in one that can only fail is nobody's business.
      if (step.do === 'ask' && model.isLost(step.who, id)) return
      if (step.do === 'ask') {
        const { op, path, rest } = step.what
        const got = this.#world.say(`${inside} ${op} ${path}|${rest}`)
        model.ask(step.who, id, step.what)
        this.#compare(step.who, got)
      } else if (step.do === 'start') {
        const got = this.#world.say(`${inside} START |`)
        model.start(step.who, id)
        this.#compare(step.who, got)
      } else if (step.do === 'end') {
        const got = this.#world.say(`${inside} END ${step.commit ? 'T' : 'F'}|`)
        model.end(step.who, id, step.commit, got.endsWith('!EAGAIN'))
        this.#compare(step.who, got)
      } else {
        const got = this.#world.say(`${inside} ${step.do.toUpperCase()} ${step.path}|${step.token}|`)
        model[step.do](step.who, id, step.path, step.token)
        this.#compare(step.who, got)
      }
    }
    this.#compare()
  }

  #restart(how: 'kill' | 'terminate' | 'update', dies: number): void {
    const { model } = this
    const world = this.#world
    const ends = dies > 0 && model.clients.has(String(dies)) && how !== 'update'
    world.restart(how, () => {
      if (ends) world.host.xen.end(dies, 'gone')
    })
    if (how === 'update') this.model.clients.get('s')!.told = []
    model.restart(how !== 'update')
    if (!ends) return
    world.clients.delete(String(dies))
    model.disconnect(String(dies))
  }

  #life(what: Extract<Step, { domid: number }>['do'], domid: number): void {
    const { model } = this
    const world = this.#world
    const name = String(domid)
    const alive = model.clients.has(name)
    const finish = (got: string): void => {
      model.clients.get('s')!.told.push('OK|')
      this.#compare('s', got)
    }
    if (what === 'introduce') {
      if (alive) return
      const mfn = ++this.#frames
      world.build(domid, mfn, 10)
      const got = world.say(`s INTRO ${domid}|${mfn}|10|`)
      model.connect(name, domid)
      finish(got)
    } else if (!alive) return
    else if (what === 'again') {
      const ring = world.ring(name)
      const got = world.say(`s INTRO ${domid}|${ring.domain.mfn}|${(ring.port % 20) + 10}|`)
      model.reset(name)
      finish(got)
    } else if (what === 'release') {
      const got = world.say(`s RELEASE ${domid}|`)
      world.clients.delete(name)
      model.disconnect(name)
      finish(got)
    } else if (what === 'resume') {
      world.ring(name).domain.state = 'running'
      const got = world.say(`s RESUME ${domid}|`)
      model.resume(domid)
      finish(got)
    } else {
      world.host.xen.end(domid, what)
      world.settle()
      if (what === 'shutdown') model.shutDown(domid)
      else {
        world.clients.delete(name)
        model.disconnect(name)
      }
    }
  }

  /** What `who` has been told must be what the model says; without a name, all of them. */
  #compare(who?: string, got?: string): void {
    for (const [name, client] of who === undefined
      ? this.model.clients
      : [[who, this.model.clients.get(who)!] as const]) {
      const heard = got ?? this.#world.told(name)
      const wanted = client.told.join(' ')
      client.told = []
      if (heard !== wanted) throw new Error(`${name} was told ${heard || 'nothing'}, not ${wanted || 'nothing'}`)
    }
  }

  /** The access trace's fold is the model's tree, and so is what a client sees; no domain has more than it may. */
  check(): void {
    const { trace } = this.#world.host
    this.#fold.lines(trace.slice(this.#traced))
    this.#traced = trace.length
    const wanted = this.model.shown()
    const folded = this.#fold.shown()
    const i = wanted.findIndex((line, at) => line !== folded[at])
    if (i >= 0 || wanted.length !== folded.length)
      throw new Error(`the access trace has ${folded.find((line) => !wanted.includes(line))}, not ${wanted[i]}`)
    for (const [path, { value }] of this.model.tree) {
      const got = this.#world.say(`s READ ${path}|`)
      if (got !== (value || '_')) throw new Error(`${path} is ${got}, not ${value}`)
    }
    for (const name of SOCKETS) if (this.model.clients.get(name)!.told.length > 0) throw new Error('an event by a read')
  }
}

/** The fewest of these steps that still go wrong. */
export function shrink(steps: readonly Step[], seed: number, rules: Rules, tries = 400): readonly Step[] {
  let best = steps.slice(0, (run(steps, seed, rules)?.at ?? steps.length) + 1)
  let left = tries
  for (let part = Math.ceil(best.length / 2); part >= 1 && left > 0; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    for (let at = 0; at < best.length && left > 0; ) {
      const fewer = [...best.slice(0, at), ...best.slice(at + part)]
      left--
      if (run(fewer, seed, rules)) best = fewer
      else at += part
    }
  }
  return best
}

/** All of it for one seed: undefined, or the smallest failure, and how to see it again. */
export function property(seed: number, count: number, rules: Rules): string | undefined {
  const steps = stepsOf(seed, count, rules.restarts)
  if (!run(steps, seed, rules)) return undefined
  const few = shrink(steps, seed, rules)
  const { why } = run(few, seed, rules)!
  const again = `again: XENSTORE_SEED=${seed} npx vitest run src/toolstack/xenstored/property.test.ts`
  return [why, ...few.map((one) => `  ${JSON.stringify(one)}`), again].join('\n')
}
