/** `playground.xenstore`: acts by the daemon itself, through a host link; waiting by its trace, which costs the machine nothing (design D9). */
import type { XenstoreApi } from '#protocol/playground.ts'
import { textOfValue, valueOfText, XenstoreClient } from '#protocol/xenstore-client.ts'
import { pattern as checkedPattern, text, timeout } from './check.ts'
import type { PlaygroundHost } from './host.ts'
import { found, waitUntil } from './wait.ts'

export function xenstoreApi(host: PlaygroundHost): XenstoreApi {
  const client = new XenstoreClient(host.openLink)
  const wire = (path: unknown): string => valueOfText(text('path', path))
  return {
    async read(path) {
      return textOfValue(await client.read(wire(path)))
    },
    async list(path) {
      return (await client.directory(wire(path))).map(textOfValue)
    },
    async write(path, value) {
      await client.write(wire(path), valueOfText(text('value', value)))
    },
    async mkdir(path) {
      await client.mkdir(wire(path))
    },
    async rm(path) {
      await client.rm(wire(path))
    },
    async perms(path, next) {
      const at = wire(path)
      if (next !== undefined) {
        if (!Array.isArray(next)) throw new TypeError('perms: a list such as ["n0", "r5"] is expected')
        await client.setPerms(
          at,
          next.map((perm) => text('perms', perm)),
        )
      }
      return client.getPerms(at)
    },
    async waitFor(path, wanted, options) {
      const at = wire(path)
      const pattern = checkedPattern(wanted)
      const value = (): string | undefined => {
        const bytes = host.xenstore.read(at)
        return bytes === undefined ? undefined : textOfValue(bytes)
      }
      return waitUntil({
        look: () => {
          const now = value()
          return now === undefined ? undefined : found(pattern, now)
        },
        onNews: host.onXenstore,
        why: (ms) => {
          const now = value()
          const is = now === undefined ? 'there is no such node' : `it is ${JSON.stringify(now)}`
          return `${path} did not become ${pattern} within ${ms} ms; ${is}`
        },
        timeoutMs: timeout(options),
        timers: host.timers,
      })
    },
  }
}
