/**
 * The outer ends of host links: numbers them, keeps both directions' credit, and turns calls into inputs. Whoever has a world, or a worker that has one, uses
 * this: the headless command's --forward, the page's panels.
 */
import { HOSTLINK_WINDOW, type LinkOutput } from '#abi/pc/hostlink.ts'
import type { Input } from './machine.ts'

/** One input brings no more than this. */
const INPUT_BYTES_MAX = 65536
/** Credit is given in pieces of this. */
const CREDIT_STEP = 16384

export interface LinkHandlers {
  /** Call `taken` with how many bytes have been passed on: the inside may send so many more. */
  readonly data: (bytes: Uint8Array, taken: (count: number) => void) => void
  /** No more will come; what is written still arrives. */
  readonly end: () => void
  /** Over, from inside. Nothing is called any more. */
  readonly close: (reason: string) => void
  /** All that was written has been sent on. */
  readonly drain?: () => void
}

export interface HostLink {
  /** False: part of it waits for credit; `drain` is called when it has gone. */
  write(bytes: Uint8Array): boolean
  end(): void
  /** Over, at once. */
  close(): void
}

interface Open {
  readonly id: number
  readonly handlers: LinkHandlers
  window: number
  waiting: Uint8Array[]
  ending: boolean
  ended: boolean
  insideEnded: boolean
  taken: number
}

export class HostLinks {
  readonly #input: (input: Input) => void
  readonly #links = new Map<number, Open>()
  #next: number

  /** `first`: no link of that number or a higher one has ever been in the world. */
  constructor(input: (input: Input) => void, first = 1) {
    this.#input = input
    this.#next = first
  }

  /** `to`: a path of a unix socket in domain 0; a byte string. Refusals come as `close`. */
  open(to: string, handlers: LinkHandlers): HostLink {
    const id = this.#next++
    const link: Open = {
      id,
      handlers,
      window: HOSTLINK_WINDOW,
      waiting: [],
      ending: false,
      ended: false,
      insideEnded: false,
      taken: 0,
    }
    this.#links.set(id, link)
    this.#input({ kind: 'link', link: id, event: { kind: 'open', to } })
    return {
      write: (bytes) => {
        if (bytes.length > 0) link.waiting.push(bytes)
        this.#flush(link)
        return link.waiting.length === 0
      },
      end: () => {
        link.ending = true
        this.#flush(link)
      },
      close: () => {
        if (this.#links.delete(id)) this.#input({ kind: 'link', link: id, event: { kind: 'close' } })
      },
    }
  }

  /** What has come out of the machine. */
  receive(id: number, output: LinkOutput): void {
    const link = this.#links.get(id)
    if (!link) return
    switch (output.kind) {
      case 'data':
        link.handlers.data(output.bytes, (count) => this.#credit(link, count))
        break
      case 'credit': {
        link.window += output.bytes
        const waited = link.waiting.length > 0
        this.#flush(link)
        if (waited && link.waiting.length === 0) link.handlers.drain?.()
        break
      }
      case 'end':
        link.insideEnded = true
        if (link.ended) this.#links.delete(id)
        link.handlers.end()
        break
      case 'close':
        this.#links.delete(id)
        link.handlers.close(output.reason)
    }
  }

  /** The machine is gone, and all links with it. */
  closeAll(reason: string): void {
    const links = [...this.#links.values()]
    this.#links.clear()
    for (const { handlers } of links) handlers.close(reason)
  }

  #flush(link: Open): void {
    const { id } = link
    if (link.ended || !this.#links.has(id)) return
    while (link.waiting.length > 0 && link.window > 0) {
      const first = link.waiting[0]!
      const count = Math.min(first.length, link.window, INPUT_BYTES_MAX)
      if (count === first.length) link.waiting.shift()
      else link.waiting[0] = first.subarray(count)
      link.window -= count
      this.#input({ kind: 'link', link: id, event: { kind: 'data', bytes: first.slice(0, count) } })
    }
    if (!link.ending || link.waiting.length > 0) return
    link.ended = true
    if (link.insideEnded) this.#links.delete(id)
    this.#input({ kind: 'link', link: id, event: { kind: 'end' } })
  }

  #credit(link: Open, count: number): void {
    link.taken += count
    if (link.taken < CREDIT_STEP || link.insideEnded || !this.#links.has(link.id)) return
    const bytes = link.taken
    link.taken = 0
    this.#input({ kind: 'link', link: link.id, event: { kind: 'credit', bytes } })
  }
}
