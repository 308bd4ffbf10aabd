/** Answers to what the page asks of a powered machine. */
import type { Reply, Request } from '#protocol/messages.ts'
import type { Machine } from './room.ts'

type Answer = (reply: Reply) => void

/** Answer `request`, now or when virtual time has come that far. Whatever is refused is refused in words. */
export function answer({ world, loop }: Machine, request: Request, reply: Answer): void {
  const value = (found: Extract<Reply, { ok: true }>['value']) => reply({ ok: true, value: found })
  const refuse = (error: unknown) => reply({ ok: false, error: error instanceof Error ? error.message : String(error) })
  try {
    switch (request.kind) {
      case 'run-for':
        return loop.runFor(request.ns, value)
      case 'settled':
        return loop.whenSettled(value)
      case 'digest':
        return value(world.digest())
      case 'record':
        return value(world.record())
      default:
        return refuse('not known: ' + request.kind)
    }
  } catch (error) {
    refuse(error)
  }
}
