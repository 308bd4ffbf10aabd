/**
 * The machine's worker. It is started in an opaque origin (design D2) from one classic script, gets a port to the page in its first message, locks
 * the realm and waits for power-on.
 */

import { known } from 'virtual:known-images'
import type { FromWorker, ToWorker } from '#protocol/messages.ts'
import { lockdown } from '#world/realm/lockdown.ts'
import type { CreateRing3s } from '#world/ring3.ts'
import { workerHost } from './host.ts'
import type * as MachineCode from './machine-code.ts'
import { createRoom } from './room.ts'

const host = workerHost()

/** The script of machine-code.ts, whose one variable is what that exports. Taken before the realm is locked. */
const FunctionConstructor = Function as unknown as new (text: string) => () => typeof MachineCode
function evaluate(text: string, translations: Uint8Array<ArrayBuffer> | undefined): CreateRing3s {
  const { createRing3s, withTranslations } = new FunctionConstructor(`${text}\nreturn machineCode`)()
  return translations ? withTranslations(translations) : createRing3s
}

self.addEventListener('message', function first(event: MessageEvent) {
  const port = event.ports[0]
  if (!port) return
  self.removeEventListener('message', first)
  const post = port.postMessage.bind(port)
  const send = (message: FromWorker, transfer: Transferable[] = []) => post(message, transfer)
  const fault = (error: unknown) => send({ type: 'fault', message: describe(error) })
  self.addEventListener('error', (failure) => fault(failure.error ?? failure.message))
  self.addEventListener('unhandledrejection', (failure) => fault(failure.reason))
  const room = createRoom({ host, known, evaluate, send, fault })
  port.onmessage = ({ data }: MessageEvent<ToWorker>) => room.receive(data)
  try {
    lockdown()
    send({ type: 'ready' })
  } catch (error) {
    fault(error)
  }
})

function describe(error: unknown): string {
  if (error instanceof Error) return error.stack?.includes(error.message) ? error.stack : String(error)
  return String(error)
}
