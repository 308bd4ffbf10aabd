/** xen/common/keyhandler.c: one letter from the console, one dump. The table is xen/keyhandlers.ts. */
import type { Steps } from '../steps.ts'
import type { Xen } from '../xen.ts'
import { TASKLET_SOFTIRQ } from './softirq.ts'

export interface Keyhandler {
  readonly key: string
  /** What `h` prints. */
  readonly help: string
  /** Run in the interrupt itself, at once, also on a host that hangs. The others wait for the tasklet. */
  readonly irqCallback?: true
  /** Registered only on a host that has what it shows. */
  readonly present?: (xen: Xen) => boolean
  readonly run: (xen: Xen, key: string) => undefined | Steps
}

/** By ASCII code. */
export function tableOf(handlers: readonly Keyhandler[]): ReadonlyMap<number, Keyhandler> {
  const table = new Map<number, Keyhandler>()
  for (const handler of [...handlers].sort((a, b) => a.key.charCodeAt(0) - b.key.charCodeAt(0)))
    table.set(handler.key.charCodeAt(0), handler)
  return table
}

function handlerOf(xen: Xen, code: number): Keyhandler | undefined {
  const handler = xen.keyTable.get(code)
  return handler?.present?.(xen) === false ? undefined : handler
}

/** handle_keypress. Whether the tasklet is to do the rest. */
function pressed(xen: Xen, code: number): boolean {
  const handler = handlerOf(xen, code)
  if (handler?.irqCallback) {
    xen.console.startLogEverything()
    handler.run(xen, handler.key)
    xen.console.endLogEverything()
    return false
  }
  // One key waits at most: what is pressed before the last one was served replaces it.
  xen.pendingKey = code
  return true
}

/** `code` came from the serial line while input was Xen's. */
export function keypress(xen: Xen, code: number): void {
  if (pressed(xen, code)) xen.current.raise(TASKLET_SOFTIRQ)
}

/** Keys that dom0 sends. The tasklet is served on the way back to it, so that it finds in the ring what they say; only waiting comes later. */
export function keypresses(xen: Xen, codes: readonly number[]): void {
  let waiting = false
  for (const code of codes) waiting = pressed(xen, code) || waiting
  if (!waiting) return
  const steps = keypressAction(xen)
  if (!steps.next().done) xen.current.push(steps)
}

/** keypress_action, in the tasklet. */
export function* keypressAction(xen: Xen): Steps {
  const handler = handlerOf(xen, xen.pendingKey)
  xen.console.startLogEverything()
  const steps = handler?.run(xen, handler.key)
  if (steps) yield* steps
  // With everything logged a full transmit buffer is waited for, not dropped: until then this key is not done.
  yield* xen.current.drain()
  xen.console.endLogEverything()
}
