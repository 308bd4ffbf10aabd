/** Asking xend to do something to a domain: what was asked last of each, and what came of it. */
import { useRef, useState } from 'react'
import type { DomainAct } from '#protocol/domains.ts'
import { xendAct, xendCommand } from '#protocol/xend-client.ts'
import { usePage } from '../../session-context.tsx'

export interface ActOutcome {
  readonly kind: DomainAct['kind']
  /** The command that does the same. */
  readonly command: string
  readonly state: 'waiting' | 'done' | 'refused'
  /** Xend's words, or why it was not reached. */
  readonly why: string
}

export interface Acts {
  readonly outcomes: ReadonlyMap<number, ActOutcome>
  readonly act: (domid: number, act: DomainAct) => void
  readonly dismiss: (domid: number) => void
}

export function useActs(): Acts {
  const { session } = usePage()
  const [outcomes, setOutcomes] = useState<ReadonlyMap<number, ActOutcome>>(new Map())
  const set = (domid: number, outcome: ActOutcome | undefined): void =>
    setOutcomes((before) => {
      const after = new Map(before)
      if (outcome) after.set(domid, outcome)
      else after.delete(domid)
      return after
    })
  /** By domain the last request: what an earlier one answers is no news. */
  const last = useRef(new Map<number, DomainAct>())
  return {
    outcomes,
    dismiss: (domid) => set(domid, undefined),
    act(domid, act) {
      const { kind } = act
      const command = xendCommand(act)
      last.current.set(domid, act)
      const tell = (state: ActOutcome['state'], why = ''): void => {
        if (last.current.get(domid) === act) set(domid, { kind, command, state, why })
      }
      tell('waiting')
      xendAct(session.openLink, act).then(
        () => tell('done'),
        (error: unknown) => tell('refused', error instanceof Error ? error.message : String(error)),
      )
    },
  }
}
