/**
 * Clients that send anything at all, over sockets and rings whose indexes are whatever they like, that never listen, vanish in the middle of a word and
 * come back; domains that are released, die and are introduced again meanwhile. Between them a socket and a domain that want nothing but their own
 * nodes: these must get them, in few turns, and what the daemon holds must stay within what it allows.
 */
import { createRng, type Rng } from '#lib/prng.ts'
import { byteString } from '#lib/utf8.ts'
import { QUOTAS } from '#toolstack/xenstored/requests.ts'
import { OUTPUT_BYTES_MAX, Store } from '#toolstack/xenstored/store.ts'
import { type Client, message, RingClient, SocketClient } from './clients.ts'
import { WireWorld } from './wire-world.ts'

const HOSTILE_DOMAINS = [1, 2, 3]
const HOSTILE_SOCKETS = ['h1', 'h2', 'h3']
/** The domain that behaves. */
const GUEST = 4
const CHECK_EVERY = 40
/** The biggest answer to one message: an event for each of a domain's watches, and the reply. */
const ROUND_BYTES = (QUOTAS.watchNb + 2) * 2 * 4200
/** A message that has not come whole, and a round's reading. */
const INPUT_MAX = 64 * 1024
/** Descriptors, pages and the like that are nobody's own, and those of connections that have just ended. */
const SPARE = 40
const HEAP_MAX = 8 << 20

const WORDS = [
  '/',
  '/h',
  '/h/a',
  '/h/a/b',
  '/h/c',
  'x',
  'x/y',
  '/local/domain/1',
  '/local/domain/2/d',
  '/tool',
  '@releaseDomain',
  '@introduceDomain',
]
const ENDS = ['\0', '\0', '\0', '\0', '', '\0\0']
const ARGUMENTS = [
  '',
  'T\0',
  'F\0',
  'n0\0',
  'r1\0b2\0',
  '1\0',
  '2\0',
  '3\0',
  '99\0',
  '1001\0',
  '7\0',
  'print\0x\0',
  'check\0',
  't\0',
  'u\0',
]

export interface FuzzOptions {
  readonly seed: number
  readonly messages: number
  /** The daemon is killed, or told to end, and started again now and then. */
  readonly restarts?: boolean
}

export interface FuzzOutcome {
  /** What broke; the same seed breaks it again. */
  readonly broken: string | undefined
  /** Messages that came to be handled. */
  readonly handled: number
}

export function fuzz(options: FuzzOptions): FuzzOutcome {
  const { store, unwatch } = watched()
  try {
    const run = new Run(options, store)
    while (run.sent < options.messages) run.step()
    run.check()
    return { broken: undefined, handled: store.handled }
  } catch (error) {
    const broken = `seed ${options.seed}: ${error instanceof Error ? error.stack : String(error)}`
    return { broken, handled: store.handled }
  } finally {
    unwatch()
  }
}

interface Seen {
  of: Store | undefined
  handled: number
}

/** The store that the daemon has made, once it has handled a message. */
function watched(): { store: Seen; unwatch: () => void } {
  const { handle } = Store.prototype
  const store: Seen = { of: undefined, handled: 0 }
  Store.prototype.handle = function (this: Store, ...args: Parameters<typeof handle>) {
    store.of = this
    store.handled++
    return handle.apply(this, args)
  }
  const unwatch = (): void => {
    Store.prototype.handle = handle
  }
  return { store, unwatch }
}

class Run {
  sent = 0
  readonly #world: WireWorld
  readonly #rng: Rng
  readonly #store: Seen
  readonly #restarts: boolean
  #frames = 5000
  #rounds = 0
  #value = 0

  constructor({ seed, restarts = false }: FuzzOptions, store: Seen) {
    this.#rng = createRng(seed)
    this.#store = store
    this.#restarts = restarts
    this.#world = new WireWorld({ seed })
    this.#world.run(`
      s WRITE /witness/socket|0 => OK|
      s WRITE /witness/guest|0 => OK|
      s CHMOD /witness/guest|n${GUEST}| => OK|
      s WRITE /h|0 => OK|
      s CHMOD /h|b0| => OK|
    `)
    this.#world.introduce(GUEST)
    for (const name of HOSTILE_SOCKETS) this.#world.open(name)
    for (const domid of HOSTILE_DOMAINS) this.#introduce(domid)
  }

  step(): void {
    const rng = this.#rng
    const who = rng.below(3) === 0 ? rng.pick(HOSTILE_SOCKETS) : String(rng.pick(HOSTILE_DOMAINS))
    const client = this.#world.clients.get(who)
    const chance = rng.below(100)
    if (!client || client.closed) this.#comeBack(who)
    else if (chance < 70) this.#talk(client)
    else if (chance < 78) this.#lie(client)
    else if (chance < 82) this.#storm()
    else if (chance < 86) client.deaf = !client.deaf
    else if (chance < 88) this.#vanish(who, client)
    else if (chance < 90) this.#life(rng.pick(HOSTILE_DOMAINS))
    for (const one of this.#world.clients.values()) if (rng.below(2)) one.pump()
    if (rng.below(3) === 0) this.#world.host.steps(1 + rng.below(60))
    else if (rng.below(2) === 0) this.#world.host.turn()
    if (++this.#rounds % CHECK_EVERY === 0) this.check()
  }

  #talk(client: Client): void {
    const rng = this.#rng
    if (client.waiting > 20_000) return
    for (let n = 1 + rng.below(30); n > 0; n--) {
      this.sent++
      if (rng.below(60) === 0) client.send(rng.bytes(1 + rng.below(200)))
      else {
        let payload = rng.pick(WORDS) + rng.pick(ENDS) + rng.pick(ARGUMENTS) + (rng.below(4) ? '' : rng.pick(ARGUMENTS))
        if (rng.below(30) === 0) payload += byteString(rng.bytes(rng.below(40)))
        if (rng.below(60) === 0) payload += 'v'.repeat(rng.below(4000))
        const length = rng.below(150) === 0 ? rng.pick([4096, 4097, 0xffffffff, rng.below(5000)]) : payload.length
        const tx = rng.below(3) ? 0 : rng.below(20)
        client.send(message(rng.below(30) === 0 ? rng.u32() : rng.below(21), rng.u32(), tx, payload, length))
      }
    }
    client.pump()
  }

  /** Anything anywhere in the page. */
  #lie(client: Client): void {
    const rng = this.#rng
    if (!(client instanceof RingClient)) return
    const field = rng.pick(['req_cons', 'req_prod', 'rsp_cons', 'rsp_prod'] as const)
    const near = client.get(field) + rng.below(2100) - 1050
    if (rng.below(4) === 0) client.domain.page.set(rng.bytes(64), rng.below(4096 - 64))
    else client.set(field, rng.below(2) ? near : rng.u32())
    client.kick()
  }

  #storm(): void {
    for (const client of this.#world.clients.values()) if (client instanceof RingClient) client.kick()
    this.#world.host.xen.domainException()
  }

  /** In the middle of a message, mostly. */
  #vanish(who: string, client: Client): void {
    if (client instanceof SocketClient) client.close()
    else this.#world.host.xen.end(Number(who), this.#rng.pick(['gone', 'dying', 'shutdown', 'crashed'] as const))
  }

  #life(domid: number): void {
    const rng = this.#rng
    const ring = this.#world.clients.get(String(domid))
    if (!(ring instanceof RingClient)) return
    if (rng.below(2)) this.#world.say(`s RELEASE ${domid}|`)
    else {
      ring.forget()
      this.#world.say(`s INTRO ${domid}|${ring.domain.mfn}|${10 + rng.below(40)}|`)
    }
  }

  #comeBack(who: string): void {
    if (HOSTILE_SOCKETS.includes(who)) this.#world.open(who, this.#rng.below(4) === 0)
    else this.#introduce(Number(who))
  }

  #introduce(domid: number): void {
    this.#world.clients.delete(String(domid))
    // Should it still be there.
    this.#world.say(`s RELEASE ${domid}|`)
    this.#world.introduce(domid, ++this.#frames)
  }

  #restart(): void {
    const { host } = this.#world
    host[this.#rng.below(2) ? 'kill' : 'terminate']()
    host.start()
    for (const name of ['s', 'r', ...HOSTILE_SOCKETS]) this.#world.open(name, name === 'r')
  }

  /** Those who behave are served, and nobody holds more than is allowed. */
  check(): void {
    if (this.#restarts && this.#rng.below(6) === 0) this.#restart()
    const value = ++this.#value
    this.#served('s', `WRITE /witness/socket|${value}`, 'OK|')
    this.#served(String(GUEST), `WRITE /witness/guest|${value}`, 'OK|')
    this.#served(String(GUEST), 'READ /witness/guest|', String(value))
    this.#served('s', 'DIR /witness|', 'socket|guest|')
    this.#served('s', 'READ /witness/socket|', String(value))
    const store = this.#store.of
    if (!store) return
    for (const conn of store.connections) {
      const held = { out: conn.outBytes, watches: conn.watches.length, transactions: conn.transactions.size }
      const shown = `connection ${conn.serial} of ${conn.id} holds ${JSON.stringify(held)}`
      if (held.out > OUTPUT_BYTES_MAX + ROUND_BYTES) throw new Error(shown)
      if ([...conn.out].reduce((sum, { bytes }) => sum + bytes.length, 0) !== conn.outBytes) throw new Error(shown)
      if (conn.input.length > INPUT_MAX) throw new Error(`${shown}, and ${conn.input.length} bytes of input`)
      if (conn.id === 0) continue
      if (held.watches > QUOTAS.watchNb + 1 || held.transactions > QUOTAS.transaction + 1) throw new Error(shown)
    }
    // Those that have gone may not have been noticed yet.
    const most = this.#world.clients.size + SPARE
    const { fds, pages, channels } = this.#world.host.held
    for (const [what, count] of Object.entries({ connections: store.connections.size, fds, pages, channels }))
      if (count > most) throw new Error(`${count} ${what} for ${this.#world.clients.size} clients`)
    const wrong = store.tree.check()
    if (wrong.length > 0) throw new Error(`the tree is wrong at ${wrong[0]}`)
    for (const { domid, entries } of store.domains)
      if (domid !== 0 && entries > QUOTAS.entryNb) throw new Error(`domain ${domid} has ${entries} nodes`)
    if (this.#world.host.heapBytes > HEAP_MAX) throw new Error(`a heap of ${this.#world.host.heapBytes} bytes`)
  }

  #served(who: string, request: string, wanted: string): void {
    const got = this.#world.sayPromptly(`${who} ${request}`)
    if (got !== wanted) throw new Error(`${who} ${request} => ${got || 'nothing'}, not ${wanted}`)
  }
}
