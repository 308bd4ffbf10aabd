/** The domains: Xen's probes, and what XenStore's trace says of each. */
import type { DomainView } from '#protocol/domains.ts'
import { defineSlice } from '../../store/slice.ts'

export interface DomainsSlice {
  readonly domains: Readonly<Record<number, DomainView>>
}

export const domainsSlice = defineSlice<DomainsSlice>({ domains: {} }, { powering: () => ({ domains: {} }) })
