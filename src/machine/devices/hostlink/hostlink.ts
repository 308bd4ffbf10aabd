/** The host link chip (abi/pc/hostlink.ts): queues what comes from outside, and tells outside what is sent. */
import type { Mem } from '#abi/mem.ts'
import type { LinkInput, LinkOutput } from '#abi/pc/hostlink.ts'
import * as hl from '#abi/pc/hostlink.ts'
import type { Chip, Line } from '../../device.ts'
import type { AccessBytes } from '../../memory.ts'

/** Links at a time. One more is refused. */
const LINKS_MAX = 256
/** Credit that anybody may have. */
const CREDIT_MAX = 2 ** 30

interface Link {
  readonly id: number
  /** Bytes that the inside may still send. */
  window: number
  insideEnded: boolean
  outsideEnded: boolean
}

interface HostlinkState {
  enabled: boolean
  address: number
  refused: boolean
  links: Link[]
  /** Frames to be received. */
  queue: Uint8Array[]
}

export interface HostlinkPins {
  readonly irq: Line
  readonly mem: Mem
  /** What leaves the machine on link `id`. */
  readonly output: (id: number, output: LinkOutput) => void
  readonly trace: (bytes: Uint8Array) => void
}

export interface Hostlink extends Chip<HostlinkState> {
  read(offset: number, bytes: AccessBytes): number
  write(offset: number, bytes: AccessBytes, value: number): void
  receive(id: number, input: LinkInput): void
}

const NOTHING = new Uint8Array(0)

export function hostlink({ irq, mem, output, trace }: HostlinkPins): Hostlink {
  const state: HostlinkState = { enabled: false, address: 0, refused: false, links: [], queue: [] }
  const find = (id: number): Link | undefined => state.links.find((link) => link.id === id)
  const forget = (gone: Link): void => {
    state.links = state.links.filter((link) => link !== gone)
  }
  const enqueue = (kind: number, link: number, data: Uint8Array): void => {
    state.queue.push(hl.frameBytes({ kind, link, data }))
    irq(true)
  }

  /** Every link is gone, and nothing waits. */
  function closeAll(reason: string): void {
    const { links } = state
    state.links = []
    state.queue = []
    irq(false)
    for (const { id } of links) output(id, { kind: 'close', reason })
  }

  function ended(link: Link): void {
    if (link.insideEnded && link.outsideEnded) forget(link)
  }

  /** A frame from inside. False: it makes no sense. */
  function send(): boolean {
    const length = Math.min(mem.read16(state.address + hl.HOSTLINK_LENGTH), hl.HOSTLINK_DATA_BYTES)
    const frame = hl.readFrame(mem.copyOut(state.address, hl.HOSTLINK_HEADER_BYTES + length))
    if (!frame) return false
    const { kind, data } = frame
    if (kind === hl.HOSTLINK_TRACE) {
      trace(data)
      return true
    }
    const link = find(frame.link)
    // It has gone meanwhile.
    if (!link) return true
    switch (kind) {
      case hl.HOSTLINK_DATA:
        if (link.insideEnded || data.length > link.window) return false
        link.window -= data.length
        output(link.id, { kind: 'data', bytes: data })
        return true
      case hl.HOSTLINK_END:
        if (link.insideEnded) return false
        link.insideEnded = true
        output(link.id, { kind: 'end' })
        ended(link)
        return true
      case hl.HOSTLINK_CLOSE:
        forget(link)
        output(link.id, { kind: 'close', reason: String.fromCharCode(...data) })
        return true
      case hl.HOSTLINK_CREDIT:
        output(link.id, { kind: 'credit', bytes: hl.creditOf(frame) })
        return true
      default:
        return false
    }
  }

  function receiveFrame(): boolean {
    const frame = state.queue.shift()
    if (frame) mem.copyIn(state.address, frame)
    irq(state.queue.length > 0)
    return frame !== undefined
  }

  function command(value: number): boolean {
    switch (value) {
      case hl.HOSTLINK_ENABLE:
      case hl.HOSTLINK_DISABLE:
        state.enabled = value === hl.HOSTLINK_ENABLE
        closeAll('nobody serves links any more')
        return true
      case hl.HOSTLINK_RECEIVE:
        return receiveFrame()
      case hl.HOSTLINK_SEND:
        return send()
      default:
        return false
    }
  }

  function whyNot(to: string): string | undefined {
    if (!state.enabled) return 'nobody serves links in this machine'
    if (state.links.length >= LINKS_MAX) return 'too many links'
    return to.length > hl.HOSTLINK_DATA_BYTES ? 'the name is too long' : undefined
  }

  function open(id: number, to: string): void {
    if (find(id)) return
    const reason = whyNot(to)
    if (reason !== undefined) {
      output(id, { kind: 'close', reason })
      return
    }
    state.links.push({ id, window: hl.HOSTLINK_WINDOW, insideEnded: false, outsideEnded: false })
    enqueue(
      hl.HOSTLINK_OPEN,
      id,
      Uint8Array.from(to, (letter) => letter.charCodeAt(0)),
    )
  }

  function received(link: Link, input: Exclude<LinkInput, { kind: 'open' }>): void {
    const { id } = link
    switch (input.kind) {
      case 'data':
        for (let at = 0; at < input.bytes.length; at += hl.HOSTLINK_DATA_BYTES)
          enqueue(hl.HOSTLINK_DATA, id, Uint8Array.from(input.bytes.slice(at, at + hl.HOSTLINK_DATA_BYTES)))
        break
      case 'end':
        if (link.outsideEnded) return
        link.outsideEnded = true
        enqueue(hl.HOSTLINK_END, id, NOTHING)
        ended(link)
        break
      case 'close':
        forget(link)
        enqueue(hl.HOSTLINK_CLOSE, id, NOTHING)
        break
      case 'credit':
        link.window = Math.min(link.window + input.bytes, CREDIT_MAX)
        enqueue(hl.HOSTLINK_CREDIT, id, hl.creditBytes(input.bytes))
    }
  }

  return {
    state,
    reset() {
      state.enabled = false
      state.address = 0
      state.refused = false
      closeAll('the machine was reset')
    },
    read(offset, bytes) {
      if (bytes !== 4) return bytes === 2 ? 0xffff : 0xff
      if (offset === hl.HOSTLINK_ID) return hl.HOSTLINK_SIGNATURE
      if (offset === hl.HOSTLINK_ADDRESS) return state.address
      if (offset !== hl.HOSTLINK_STATUS) return 0
      return (state.queue.length > 0 ? hl.HOSTLINK_RECEIVABLE : 0) | (state.refused ? hl.HOSTLINK_REFUSED : 0)
    },
    write(offset, bytes, value) {
      if (bytes !== 4) return
      if (offset === hl.HOSTLINK_ADDRESS) state.address = value
      else if (offset === hl.HOSTLINK_COMMAND) state.refused = !command(value)
    },
    receive(id, input) {
      if (input.kind === 'open') open(id, input.to)
      // It may have gone meanwhile; whoever sent this has been told.
      else if (find(id)) received(find(id)!, input)
    },
  }
}
