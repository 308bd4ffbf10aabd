/**
 * `console('domain:NAME')`: the pseudo terminal that xenconsoled made for whichever domain has that name, from the first call on. Nobody listens
 * before that, so what a domain said earlier may have been read by somebody else.
 */
import { followDomainConsole, whyNowhere } from '#protocol/domain-console.ts'
import type { DomainConsoleId } from '#protocol/machine.ts'
import type { Console } from '#protocol/playground.ts'
import { serialBytes } from '#tape/keys.ts'
import { Screen } from '#tape/screen.ts'
import { listener as checkedListener } from './check.ts'
import { chordNamed, typed, written } from './consoles.ts'
import { createHearing, subscribe, waitsFor } from './hearing.ts'
import type { PlaygroundHost } from './host.ts'

export function domainConsole(name: string, host: PlaygroundHost): Console {
  const id: DomainConsoleId = `domain:${name}`
  // The terminal on the page answers queries; this one only watches.
  const screen = new Screen({ answer: () => {} })
  const hearing = createHearing()
  const listeners = new Set<(bytes: Uint8Array) => void>()
  const followed = followDomainConsole(host.openLink, host.xenstore, name, {
    data(bytes, taken) {
      taken(bytes.length)
      screen.write(bytes)
      for (const listener of listeners) listener(bytes)
      hearing.hear(bytes)
    },
    place: () => {},
  })
  host.onXenstore(() => followed.look())

  function send(bytes: Uint8Array): void {
    if (followed.place.kind === 'closed') followed.retry()
    if (followed.place.kind !== 'there') throw new Error(`${id}: ${whyNowhere(followed.place)}`)
    hearing.forget()
    if (bytes.length > 0) followed.write(bytes)
  }

  return {
    id,
    async write(data) {
      send(written(data))
    },
    async type(line) {
      send(typed(line))
    },
    async key(key) {
      send(Uint8Array.from(serialBytes(chordNamed(key), screen.applicationCursor)))
    },
    waitFor: waitsFor(hearing.text, hearing.onNews, host.timers),
    screen: async () => screen.rows(),
    onData: (listener) => subscribe(listeners, checkedListener(listener)),
  }
}
