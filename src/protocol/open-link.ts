/** What clients of host links are given: a way in. */
import type { HostLink, LinkHandlers } from './links.ts'

/** `to`: a unix socket, a terminal or (`file:PATH`) a file to be written in domain 0. */
export type OpenLink = (to: string, handlers: LinkHandlers) => HostLink
