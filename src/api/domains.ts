/** `playground.domains`: seen by probes, acted on by xend, through a host link (design D9). */
import type { DomainView } from '#protocol/domains.ts'
import type { DomainsApi } from '#protocol/playground.ts'
import { xendAct } from '#protocol/xend-client.ts'
import { domainAct, domainName, listener, timeout } from './check.ts'
import type { PlaygroundHost } from './host.ts'
import { waitUntil } from './wait.ts'

export function domainsApi(host: PlaygroundHost): DomainsApi {
  const list = (): DomainView[] => [...host.facts().domains]
  return {
    list,
    async act(act) {
      await xendAct(host.openLink, domainAct(act))
    },
    async waitFor(name, test, options) {
      const wanted = domainName(name)
      listener(test)
      const domain = (): DomainView | undefined => list().find((each) => each.name === wanted)
      const met = await waitUntil({
        look: () => {
          const now = domain()
          return test(now) ? { domain: now } : undefined
        },
        onNews: host.onFacts,
        why: (ms) => {
          const now = domain()
          return `${wanted} did not become so within ${ms} ms; it is ${now ? JSON.stringify(now) : 'not there'}`
        },
        timeoutMs: timeout(options),
        timers: host.timers,
      })
      return met.domain
    },
  }
}
