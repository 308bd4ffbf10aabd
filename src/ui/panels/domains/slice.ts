/** The domains: Xen's probes, and what XenStore's trace says of each. */
import type { DomainView } from '#protocol/domains.ts'
import { type Domains, foldDomains, foldStore, NO_DOMAINS } from '#protocol/domains-fold.ts'
import { defineSlice } from '../../store/slice.ts'
import { addToHistory, type DomainHistory } from './history.ts'

export interface DomainsSlice {
  readonly domains: Readonly<Record<number, DomainView>>
  /** What they are folded from. */
  readonly domainsFold: Domains
  readonly domainHistory: Readonly<Record<number, DomainHistory>>
}

const none: DomainsSlice = { domains: {}, domainsFold: NO_DOMAINS, domainHistory: {} }

const shown = (domainsFold: Domains): Pick<DomainsSlice, 'domains' | 'domainsFold'> => ({
  domainsFold,
  domains: Object.fromEntries(domainsFold.views),
})

export const domainsSlice = defineSlice<DomainsSlice>(none, {
  powering: () => none,
  worker: (_, { status }) => (status === 'dead' ? none : {}),
  // Domains are Xen's: without it there is none.
  state: (_, { state }) => (state === 'xen' ? {} : none),
  domains({ domainsFold, domainHistory }, message) {
    const history = { ...domainHistory }
    for (const domid of message.gone) delete history[domid]
    for (const probe of message.changed) history[probe.domid] = addToHistory(history[probe.domid], probe)
    return { ...shown(foldDomains(domainsFold, message)), domainHistory: history }
  },
  'xenstore-changes'({ domainsFold }, { changes }) {
    const folded = foldStore(domainsFold, changes)
    return folded === domainsFold ? {} : shown(folded)
  },
})
