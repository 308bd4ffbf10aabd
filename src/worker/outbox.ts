/**
 * What leaves the worker, batched: at most one message a console and animation frame, so that a flood of output costs the page
 * no more than a trickle.
 */
import type { SerialLine, TextScreen } from '#protocol/machine.ts'
import type { FromWorker } from '#protocol/messages.ts'
import { createObserved, type Observed } from './observed.ts'
import { createXray, type Xray } from './xray.ts'

/** One animation frame at 60 Hz. */
const frameMs = 16
/** Between screens that nobody sees. */
const hiddenScreenMs = 1000
/** Bytes that a line sent within this much virtual time have one time. */
const serialTimeNs = 1_000_000

export type Send = (message: FromWorker, transfer?: Transferable[]) => void

export interface Outbox {
  serial(line: SerialLine, byte: number, atNs: number): void
  /** The monitor stands at `version`; `read` fetches it when it is time to send it. */
  screen(version: number, read: () => TextScreen): void
  visible(visible: boolean): void
  readonly observed: Observed
  readonly xray: Xray
  /** Send what is due at `nowMs`, or all there is. Returns when to call again, Infinity when nothing waits. */
  flush(nowMs: number, all?: boolean): number
}

export function createOutbox(send: Send): Outbox {
  const pending: Record<SerialLine, number[]> = { com1: [], com2: [] }
  const times: Record<SerialLine, number[]> = { com1: [], com2: [] }
  let serialSentMs = Number.NEGATIVE_INFINITY
  let screenSentMs = Number.NEGATIVE_INFINITY
  let sentVersion = -1
  let version = -1
  let readScreen: (() => TextScreen) | undefined
  let isVisible = true
  const observed = createObserved(send)
  let observedSentMs = Number.NEGATIVE_INFINITY
  const xray = createXray(send)
  let xraySentMs = Number.NEGATIVE_INFINITY

  function flushSerial(): void {
    for (const line of ['com1', 'com2'] as const) {
      if (pending[line].length === 0) continue
      const bytes = Uint8Array.from(pending[line])
      pending[line] = []
      send({ type: 'serial', line, bytes, times: times[line] }, [bytes.buffer])
      times[line] = []
    }
  }

  return {
    observed,
    xray,
    serial(line, byte, atNs) {
      const last = times[line].at(-1)
      // A machine that took another's place begins at 0.
      if (last === undefined || atNs - last >= serialTimeNs || atNs < last) times[line].push(pending[line].length, atNs)
      pending[line].push(byte)
    },
    screen(next, read) {
      version = next
      readScreen = read
    },
    visible(visible) {
      isVisible = visible
    },
    flush(nowMs, all = false) {
      let nextMs = Number.POSITIVE_INFINITY
      if (pending.com1.length + pending.com2.length > 0) {
        const dueMs = serialSentMs + frameMs
        if (all || nowMs >= dueMs) {
          flushSerial()
          serialSentMs = nowMs
        } else nextMs = dueMs
      }
      if (observed.waits()) {
        const dueMs = observedSentMs + frameMs
        if (all || nowMs >= dueMs) {
          observed.flush()
          observedSentMs = nowMs
        } else nextMs = Math.min(nextMs, dueMs)
      }
      if (xray.waits()) {
        const dueMs = xraySentMs + frameMs
        if (all || nowMs >= dueMs) {
          xray.flush()
          xraySentMs = nowMs
        } else nextMs = Math.min(nextMs, dueMs)
      }
      if (readScreen && version !== sentVersion) {
        const dueMs = screenSentMs + (isVisible ? frameMs : hiddenScreenMs)
        if (all || nowMs >= dueMs) {
          send({ type: 'screen', screen: readScreen() })
          sentVersion = version
          screenSentMs = nowMs
        } else nextMs = Math.min(nextMs, dueMs)
      }
      return nextMs
    },
  }
}
