/**
 * The whole daemon and its clients, spoken to by lines of text (cases.ts): what a line says goes as bytes, in portions of any size, over a socket or a ring
 * to the program's own loop, and what comes back is put into words again.
 */
import { XS_INTRODUCE, XS_WATCH_EVENT } from '#abi/xen/io/xs_wire.ts'
import { createRng, type Rng } from '#lib/prng.ts'
import { type Client, type Heard, message, RingClient, SocketClient } from './clients.ts'
import { DaemonHost, type DaemonHostOptions } from './daemon-host.ts'
import { inWords, parsed } from './ops.ts'

/** So often everybody may move something before all of it must have come to rest. */
const ROUNDS_MAX = 10_000
/** An answer has come after so many turns of the daemon. */
const TURNS_MAX = 8
/** So long an answer may keep somebody waiting. */
const WAIT_SECONDS = 0.2

export interface WireWorldOptions extends DaemonHostOptions {
  /** Of portions and cut reads. */
  readonly seed?: number
}

export class WireWorld {
  readonly host: DaemonHost
  readonly clients = new Map<string, Client>()
  readonly #rng: Rng
  #reqId = 100

  constructor({ seed = 1, ...options }: WireWorldOptions = {}) {
    this.#rng = createRng(seed)
    const short = (bytes: number): number => (this.#rng.below(8) === 0 ? 1 + this.#rng.below(bytes) : bytes)
    this.host = new DaemonHost({ short, ...options })
    this.host.start()
    this.clients.set('0', new RingClient(this.host.xen, this.host.xen.dom0, this.host.xen.dom0Port))
    this.open('s')
    this.open('r', true)
  }

  open(name: string, readOnly = false, bytes?: number): SocketClient {
    const stream = this.host.connect(readOnly, bytes)
    if (!stream) throw new Error('nobody listens')
    const client = new SocketClient(stream)
    this.clients.set(name, client)
    return client
  }

  close(name: string): void {
    const client = this.clients.get(name)
    if (client instanceof SocketClient) client.close()
    this.clients.delete(name)
    this.settle()
  }

  /** Another daemon in the place of this one; an update keeps the sockets, all else ends them. The answer that there is one. */
  restart(how: 'kill' | 'terminate' | 'update', meanwhile: () => void = () => {}): void {
    if (how === 'update') {
      meanwhile()
      const told = this.say('s DEBUG live-update|-s|-t|60|')
      if (!told.endsWith('OK|')) throw new Error(`live-update: ${told}`)
      return
    }
    this.host[how]()
    meanwhile()
    this.host.start()
    for (const [name, client] of [...this.clients]) if (client instanceof SocketClient) this.open(name, name === 'r')
    this.settle()
  }

  /** A domain's request, in the midst of which the daemon is killed. */
  cut(line: string, steps: number): string {
    const { who, txId, type, payload } = parsed(line)
    const request = { reqId: ++this.#reqId, txId }
    const client = this.ring(who)
    client.send(message(type, request.reqId, txId, payload))
    client.pump()
    this.host.steps(steps)
    this.restart('kill')
    return this.told(who, request)
  }

  ring(name: string): RingClient {
    const client = this.clients.get(name)
    if (!(client instanceof RingClient)) throw new Error(`${name} has no ring`)
    return client
  }

  /** A domain begins to live: built, and introduced by socket s. */
  introduce(domid: number, mfn = 1000 + domid, port = 10 + domid): RingClient {
    const client = this.build(domid, mfn, port)
    const told = this.say(`s INTRO ${domid}|${mfn}|${port}|`)
    if (!told.endsWith('OK|')) throw new Error(`INTRODUCE of ${domid}: ${told}`)
    return client
  }

  build(domid: number, mfn: number, port: number): RingClient {
    const client = new RingClient(this.host.xen, this.host.xen.build(domid, mfn), port)
    this.clients.set(String(domid), client)
    return client
  }

  /** Until nobody has anything more to do. */
  settle(): void {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      this.host.turn()
      let moved = false
      for (const client of this.clients.values()) if (client.pump()) moved = true
      if (!moved) return
    }
    throw new Error('it does not come to rest')
  }

  /** Send bytes in portions, and let the daemon look in between, or not. */
  #portions(client: Client, bytes: Uint8Array): void {
    const portion = this.#rng.pick([bytes.length, bytes.length, 7, bytes.length > 400 ? 16 : 1])
    for (let at = 0; at < bytes.length; at += portion) {
      client.send(bytes.subarray(at, at + portion))
      client.pump()
      if (portion < bytes.length && this.#rng.below(3) > 0) this.host.turn()
    }
  }

  say(line: string): string {
    const { who: name, txId, type, payload } = parsed(line)
    const client = this.clients.get(name)
    if (!client) throw new Error(`nobody is ${name}`)
    const request = { reqId: ++this.#reqId, txId }
    this.#portions(client, message(type, request.reqId, txId, payload))
    this.settle()
    const introduced = type === XS_INTRODUCE ? /^(\d+)\0(\d+)\0(\d+)\0$/.exec(payload) : null
    let heard = client.take()
    // A domain in dom0's way waits for a while.
    if (!client.closed && !heard.some(({ reqId }) => reqId === request.reqId)) {
      this.host.pass(WAIT_SECONDS)
      this.settle()
      heard = [...heard, ...client.take()]
    }
    const told = heard.map((one) => checked(one, request)).join(' ')
    // A domain that got another channel listens there from now on.
    const ring = introduced && this.clients.get(introduced[1]!)
    if (ring instanceof RingClient && told.endsWith('OK|')) ring.port = Number(introduced![3])
    return told
  }

  /** The same among others who may never come to rest: the answer must come within few turns, whatever they do. */
  sayPromptly(line: string): string {
    const { who, txId, type, payload } = parsed(line)
    const client = this.clients.get(who)!
    const request = { reqId: ++this.#reqId, txId }
    client.send(message(type, request.reqId, txId, payload))
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      client.pump()
      if (turn === TURNS_MAX / 2) this.host.pass(WAIT_SECONDS)
      this.host.turn()
      client.pump()
      const answer = client.take().find(({ reqId }) => reqId === request.reqId)
      if (answer) return checked(answer, request)
    }
    return ''
  }

  told(name: string, request?: { readonly reqId: number; readonly txId: number }): string {
    return this.clients
      .get(name)!
      .take()
      .map((heard) => checked(heard, request))
      .join(' ')
  }

  /** Each line `WHO OP PAYLOAD => MESSAGES`, or `WHO => MESSAGES`. */
  run(script: string): void {
    for (const raw of script.trim().split('\n')) {
      const line = raw.trim()
      const arrow = line.indexOf('=>')
      const request = line.slice(0, arrow).trim()
      const got = request.includes(' ') ? this.say(request) : this.told(request)
      const wanted = line.slice(arrow + 2).trim()
      if (got !== wanted) throw new Error(`${clipped(request)} => ${clipped(got)}, not ${clipped(wanted)}`)
    }
  }
}

const clipped = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}... (${text.length})` : text)

function checked(
  { type, reqId, txId, payload }: Heard,
  request?: { readonly reqId: number; readonly txId: number },
): string {
  const right = type === XS_WATCH_EVENT ? { reqId: 0, txId: 0 } : request
  if (reqId !== right?.reqId || txId !== right.txId)
    throw new Error(`an answer to ${reqId}/${txId}, not ${right?.reqId}`)
  return inWords(type, payload)
}
