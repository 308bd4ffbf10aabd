/**
 * Mirrors xen/include/public/io/ring.h: a page in which requests go one way and responses the other. Indexes run freely, an entry's place is
 * the index modulo the ring's size; who writes one says by `req_event` and `rsp_event` from where on it wants to be told. Both ends share a page
 * with somebody they need not trust: an end keeps its own indexes to itself, and looks at the other's with suspicion.
 */
import type { Mem } from '../../mem.ts'
import { PAGE_SIZE } from '../types.ts'

const REQ_PROD = 0
const REQ_EVENT = 4
const RSP_PROD = 8
const RSP_EVENT = 12
/** Behind the indexes and their padding. */
const ENTRIES = 64

/** __RING_SIZE: as many entries, a power of two, as the page has room for. */
export function ringSize(entryBytes: number): number {
  let size = 1
  while (size * 2 * entryBytes <= PAGE_SIZE - ENTRIES) size *= 2
  return size
}

/** Of two free-running indexes: how far `a` is ahead. */
const ahead = (a: number, b: number): number => (a - b) >>> 0
const next = (index: number): number => (index + 1) >>> 0

/** RING_PUSH_*_AND_CHECK_NOTIFY: `event` lies in what has been published now. */
const wanted = (now: number, before: number, event: number): boolean => ahead(now, event) < ahead(now, before)

abstract class Ring {
  protected readonly mem: Mem
  protected readonly at: number
  readonly #entryBytes: number
  readonly size: number

  /** `entryBytes`: of the larger of request and response. */
  constructor(mem: Mem, at: number, entryBytes: number) {
    this.mem = mem
    this.at = at
    this.#entryBytes = entryBytes
    this.size = ringSize(entryBytes)
  }

  protected slot(index: number): number {
    return this.at + ENTRIES + (index & (this.size - 1)) * this.#entryBytes
  }
}

export class FrontRing extends Ring {
  #reqProd = 0
  #rspCons = 0

  /** SHARED_RING_INIT and FRONT_RING_INIT: the page is a ring from now on. */
  constructor(mem: Mem, at: number, entryBytes: number) {
    super(mem, at, entryBytes)
    mem.fill(at, PAGE_SIZE, 0)
    mem.write32(at + REQ_EVENT, 1)
    mem.write32(at + RSP_EVENT, 1)
  }

  /** RING_FREE_REQUESTS */
  get free(): number {
    return this.size - ahead(this.#reqProd, this.#rspCons)
  }

  /** Where the next request is to be written; there must be a free one. The other end sees it after `push`. */
  request(): number {
    const at = this.slot(this.#reqProd)
    this.#reqProd = next(this.#reqProd)
    return at
  }

  /** RING_PUSH_REQUESTS_AND_CHECK_NOTIFY: true where the other end is to be told. */
  push(): boolean {
    const before = this.mem.read32(this.at + REQ_PROD)
    this.mem.write32(this.at + REQ_PROD, this.#reqProd)
    return wanted(this.#reqProd, before, this.mem.read32(this.at + REQ_EVENT))
  }

  /** The other end claims responses to requests that were never made. */
  get broken(): boolean {
    return ahead(this.mem.read32(this.at + RSP_PROD), this.#rspCons) > ahead(this.#reqProd, this.#rspCons)
  }

  /** The next response; undefined: there is none. */
  response(): number | undefined {
    if (this.mem.read32(this.at + RSP_PROD) === this.#rspCons || this.broken) return undefined
    const at = this.slot(this.#rspCons)
    this.#rspCons = next(this.#rspCons)
    return at
  }

  /** RING_FINAL_CHECK_FOR_RESPONSES: asks to be told of the next; true where it is there already. */
  finalCheck(): boolean {
    if (this.mem.read32(this.at + RSP_PROD) !== this.#rspCons) return true
    this.mem.write32(this.at + RSP_EVENT, next(this.#rspCons))
    return this.mem.read32(this.at + RSP_PROD) !== this.#rspCons
  }
}

export class BackRing extends Ring {
  #reqCons = 0
  #rspProd = 0

  /** The front end has published more requests than there are places for: nothing in the ring can be believed. */
  get broken(): boolean {
    return ahead(this.mem.read32(this.at + REQ_PROD), this.#rspProd) > this.size
  }

  /** The next request, to be copied before it is looked at; undefined: there is none, or none that can be. */
  request(): number | undefined {
    if (this.mem.read32(this.at + REQ_PROD) === this.#reqCons || this.broken) return undefined
    const at = this.slot(this.#reqCons)
    this.#reqCons = next(this.#reqCons)
    return at
  }

  /** Where the next response is to be written: one for each request. */
  response(): number {
    const at = this.slot(this.#rspProd)
    this.#rspProd = next(this.#rspProd)
    return at
  }

  /** RING_PUSH_RESPONSES_AND_CHECK_NOTIFY */
  push(): boolean {
    const before = this.mem.read32(this.at + RSP_PROD)
    this.mem.write32(this.at + RSP_PROD, this.#rspProd)
    return wanted(this.#rspProd, before, this.mem.read32(this.at + RSP_EVENT))
  }

  /** RING_FINAL_CHECK_FOR_REQUESTS */
  finalCheck(): boolean {
    if (this.mem.read32(this.at + REQ_PROD) !== this.#reqCons) return true
    this.mem.write32(this.at + REQ_EVENT, next(this.#reqCons))
    return this.mem.read32(this.at + REQ_PROD) !== this.#reqCons
  }
}
