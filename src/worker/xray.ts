/**
 * The tracer's records on their way to the page (design D9). What is state is folded from power-on, whoever looks; records are gathered only for
 * who watches, and no more of them than a message may bear: of the rest the page learns how many they were, and how things stand now.
 */
import { TRACE_pages, TRACE_WORDS } from '#abi/tracer.ts'
import type { MachineState } from '#protocol/machine.ts'
import { XRAY_BATCH_MAX, type XrayWatch } from '#protocol/xray.ts'
import { XRAY_STATE, XrayFold, xrayEvents } from '#protocol/xray-fold.ts'
import type { TraceListener } from '#world/probes.ts'
import type { Send } from './outbox.ts'

/** A world as far as it is traced. */
export interface TracedWorld {
  onTrace(listener: TraceListener | undefined, events?: number): void
}

export interface Xray {
  /** `world` is what runs from now on; what was before is another life. */
  follow(world: TracedWorld): void
  watch(watch: XrayWatch | undefined): void
  state(state: MachineState): void
  /** The world does once more what another has done, up to `rehearsed`: only how things are then is told. */
  rehearse(): void
  rehearsed(): void
  /** Something is gathered. */
  waits(): boolean
  flush(): void
}

export function createXray(send: Send): Xray {
  const fold = new XrayFold()
  let world: TracedWorld | undefined
  /** Bits of the events that are gathered; 0 while nobody watches. */
  let watched = 0
  let rehearsing = false
  /** Made for whoever watches first. */
  let records = new Float64Array(0)
  let used = 0
  let lost = 0
  let stateLost = false

  const tell: TraceListener = (atNs, event, cpu, a, b, c, d, e) => {
    fold.apply(atNs, event, cpu, a, b, c, d, e)
    if (!(watched & (1 << event)) || rehearsing) return
    if (event === TRACE_pages && extend(a, b, c)) return
    if (used === records.length) {
      lost++
      if (XRAY_STATE & (1 << event)) stateLost = true
      return
    }
    records[used] = atNs
    records[used + 1] = event
    records[used + 2] = cpu
    records[used + 3] = a
    records[used + 4] = b
    records[used + 5] = c
    records[used + 6] = d
    records[used + 7] = e
    used += TRACE_WORDS
  }

  /** A domain gets its frames, and gives them back, one by one: those that follow each other make one record. */
  function extend(first: number, count: number, owner: number): boolean {
    const last = used - TRACE_WORDS
    if (last < 0 || records[last + 1] !== TRACE_pages || records[last + 5] !== owner) return false
    if (records[last + 3]! + records[last + 4]! !== first) return false
    records[last + 4] = records[last + 4]! + count
    return true
  }

  function listen(): void {
    world?.onTrace(tell, XRAY_STATE | watched)
  }

  function forget(): void {
    used = 0
    lost = 0
    stateLost = false
  }

  /** The page begins anew with how things are. */
  function tellSnapshot(): void {
    forget()
    if (!watched || rehearsing) return
    const snapshot = fold.snapshot()
    send({ type: 'xray-snapshot', snapshot }, [snapshot.owners.buffer as ArrayBuffer])
  }

  return {
    follow(followed) {
      world?.onTrace(undefined)
      world = followed
      fold.clear()
      listen()
      tellSnapshot()
    },
    watch(watch) {
      watched = watch ? xrayEvents(watch) : 0
      if (!watched) records = new Float64Array(0)
      else if (records.length === 0) records = new Float64Array(XRAY_BATCH_MAX * TRACE_WORDS)
      listen()
      tellSnapshot()
    },
    state(state) {
      // Who panicked or halted still has all that it had.
      if (state !== 'off' && state !== 'firmware') return
      fold.clear()
      tellSnapshot()
    },
    rehearse() {
      rehearsing = true
    },
    rehearsed() {
      rehearsing = false
      tellSnapshot()
    },
    waits: () => used + lost > 0,
    flush() {
      if (used + lost === 0) return
      const batch = {
        records: records.slice(0, used),
        lost,
        resync: stateLost ? fold.snapshot() : undefined,
      }
      forget()
      const owners = batch.resync ? [batch.resync.owners.buffer as ArrayBuffer] : []
      send({ type: 'xray', batch }, [batch.records.buffer, ...owners])
    },
  }
}
