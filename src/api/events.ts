/** `playground.on`: what happens, one call each, also where the worker sends many at once. */
import type { PlaygroundEvents } from '#protocol/playground.ts'
import { listener as checkedListener, oneOf } from './check.ts'
import type { PlaygroundHost, Unsubscribe } from './host.ts'

type Listen<T> = (listener: (value: T) => void) => Unsubscribe
type Sources = { readonly [K in keyof PlaygroundEvents]: Listen<PlaygroundEvents[K]> }

export function events(host: PlaygroundHost) {
  const sources: Sources = {
    state: (tell) => host.onMessage((message) => message.type === 'state' && tell(message.state)),
    crash: (tell) => host.onMessage((message) => message.type === 'crash' && tell(message.report)),
    probe: (tell) =>
      host.onMessage((message) => {
        if (message.type === 'probe') tell(message.probe)
        else if (message.type === 'xenstore')
          for (const [i, line] of message.lines.entries()) tell({ kind: 'xenstore', line, atNs: message.atNs[i]! })
        else if (message.type === 'domains') {
          for (const domain of message.changed) tell({ kind: 'domain', ...domain })
          for (const domid of message.gone) tell({ kind: 'domain-gone', domid })
        }
      }),
    xenstore: (tell) =>
      host.onXenstore((changes) => {
        for (const change of changes) tell(change)
      }),
    domains: (tell) => changesOf(host, () => host.facts().domains, tell),
    disk: (tell) => changesOf(host, () => host.facts().disk, tell),
  }
  return <K extends keyof PlaygroundEvents>(event: K, listener: (value: PlaygroundEvents[K]) => void): Unsubscribe => {
    const source = sources[oneOf('event', event, 'state', 'crash', 'probe', 'xenstore', 'domains', 'disk') as K]
    return source(checkedListener(listener))
  }
}

function changesOf<T>(host: PlaygroundHost, read: () => T, tell: (value: T) => void): Unsubscribe {
  let before = read()
  return host.onFacts(() => {
    const now = read()
    if (now === before) return
    before = now
    tell(now)
  })
}
