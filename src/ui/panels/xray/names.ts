/** What the owners of frames, ports and vCPUs are called. */
import { useCallback } from 'react'
import { useShallow } from 'zustand/react/shallow'
import { TRACE_FREE, TRACE_NO_RAM } from '#abi/tracer.ts'
import { DOMID_XEN } from '#abi/xen/xen.ts'
import { usePlayground } from '../../session-context.tsx'
import { useWords } from './use-words.ts'

export interface Names {
  /** `sebastian`, or `dom3` of one that has no name yet. */
  readonly domain: (domid: number) => string
  /** `sebastian (1)`, `Xen`, `free`. */
  readonly owner: (owner: number) => string
}

export function useNames(): Names {
  const say = useWords()
  const names = usePlayground(
    useShallow(({ domains }) => Object.fromEntries(Object.values(domains).map(({ domid, name }) => [domid, name]))),
  )
  const domain = useCallback((domid: number) => names[domid] ?? say('owner.unnamed', { domid }), [names, say])
  const owner = useCallback(
    (of: number) => {
      if (of === DOMID_XEN) return say('owner.xen')
      if (of === TRACE_FREE) return say('owner.free')
      if (of === TRACE_NO_RAM) return say('owner.none')
      return say('owner.domain', { name: domain(of), domid: of })
    },
    [domain, say],
  )
  return { domain, owner }
}

/** Xen, domains by number, what is free. */
export const ownerOrder = (owner: number): number => (owner === DOMID_XEN ? -1 : owner)
