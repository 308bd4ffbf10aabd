/**
 * What observers of the machine are told (design D9), on its way to the page: domains and XenStore's lines are gathered, since a busy host says
 * a thousand times in a frame what one message tells; everything else goes at once.
 */
import type { DomainProbe, Probe } from '#abi/probe.ts'
import type { MachineState } from '#protocol/machine.ts'
import type { FromWorker } from '#protocol/messages.ts'

/** One message brings no more: a page has other things to do, too. */
const LINES_MAX = 1000

export interface Observed {
  probe(probe: Probe): void
  /** What was before it is sent before it. */
  state(state: MachineState): void
  /** The machine does once more what it has done, up to `rehearsed`: of that, only how domains and XenStore are in the end is told. */
  rehearse(): void
  rehearsed(): void
  /** Something is gathered. */
  waits(): boolean
  flush(): void
}

export function createObserved(send: (message: FromWorker) => void): Observed {
  let changed = new Map<number, DomainProbe>()
  let gone = new Set<number>()
  let lines: string[] = []
  let times: number[] = []
  /** Domains that the page has been told of. */
  const known = new Set<number>()
  let rehearsing = false

  function flush(): void {
    if (changed.size + gone.size > 0) {
      send({ type: 'domains', changed: [...changed.values()], gone: [...gone] })
      for (const domid of gone) known.delete(domid)
      for (const domid of changed.keys()) known.add(domid)
      changed = new Map()
      gone = new Set()
    }
    for (let at = 0; at < lines.length; at += LINES_MAX)
      send({ type: 'xenstore', lines: lines.slice(at, at + LINES_MAX), atNs: times.slice(at, at + LINES_MAX) })
    lines = []
    times = []
  }

  return {
    flush,
    waits: () => changed.size + gone.size + lines.length > 0,
    probe(probe) {
      switch (probe.kind) {
        case 'domain': {
          const { kind: _, ...domain } = probe
          changed.set(domain.domid, domain)
          break
        }
        case 'domain-gone':
          changed.delete(probe.domid)
          gone.add(probe.domid)
          break
        case 'xenstore':
          lines.push(probe.line)
          times.push(probe.atNs)
          break
        default:
          if (!rehearsing) send({ type: 'probe', probe })
      }
    },
    state(state) {
      if (rehearsing) {
        // Another life of the machine's: what was of the one before is not to be told.
        changed = new Map()
        lines = []
        times = []
        return
      }
      flush()
      // With Xen all domains are gone: the page knows.
      if (state !== 'xen') known.clear()
      send({ type: 'state', state })
    },
    rehearse() {
      flush()
      gone = new Set(known)
      rehearsing = true
    },
    rehearsed() {
      rehearsing = false
    },
  }
}
