/**
 * Terminals are read by several: a page's panel and a script that drives it. Inside, two readers of one terminal would each get a part of what
 * it says, so all who open the same one here have one host link together. Each hears everything from when it came; the slowest sets the pace.
 */
import type { HostLink, LinkHandlers } from './links.ts'
import type { OpenLink } from './open-link.ts'

const isTerminal = (to: string): boolean => to.startsWith('/dev/')

interface Member {
  readonly handlers: LinkHandlers
  /** What it has been given and has not passed on yet. */
  owes: number
}

interface Shared {
  readonly members: Set<Member>
  link: HostLink | undefined
  /** Bytes that have come and for which no credit has been given back. */
  untaken: number
  taken: (count: number) => void
}

/** Gives back what every member has passed on. */
function settle(shared: Shared): void {
  const owed = Math.max(0, ...[...shared.members].map(({ owes }) => owes))
  const count = shared.untaken - owed
  if (count <= 0) return
  shared.untaken = owed
  shared.taken(count)
}

export function shareTerminals(openLink: OpenLink): OpenLink {
  const open = new Map<string, Shared>()

  function join(to: string): Shared {
    const known = open.get(to)
    if (known) return known
    const shared: Shared = { members: new Set(), link: undefined, untaken: 0, taken: () => {} }
    open.set(to, shared)
    return shared
  }

  /** All members are told once, and there is nothing to share any more. */
  function over(to: string, shared: Shared, tell: (handlers: LinkHandlers) => void): void {
    if (open.get(to) === shared) open.delete(to)
    for (const { handlers } of shared.members) tell(handlers)
  }

  function connect(to: string, shared: Shared): void {
    shared.link = openLink(to, {
      data(bytes, taken) {
        shared.taken = taken
        shared.untaken += bytes.length
        for (const member of shared.members) member.owes += bytes.length
        for (const member of [...shared.members])
          member.handlers.data(bytes, (count) => {
            member.owes -= count
            settle(shared)
          })
        settle(shared)
      },
      end: () => over(to, shared, (handlers) => handlers.end()),
      close: (reason) => over(to, shared, (handlers) => handlers.close(reason)),
      drain() {
        for (const { handlers } of shared.members) handlers.drain?.()
      },
    })
  }

  return (to, handlers) => {
    if (!isTerminal(to)) return openLink(to, handlers)
    const shared = join(to)
    const member: Member = { handlers, owes: 0 }
    const isFirst = shared.members.size === 0
    shared.members.add(member)
    if (isFirst) connect(to, shared)
    /** True when it was the last one: then the link itself goes. */
    const leave = (): boolean => {
      if (!shared.members.delete(member)) return false
      if (shared.members.size > 0) settle(shared)
      else if (open.get(to) === shared) open.delete(to)
      return shared.members.size === 0
    }
    return {
      write: (bytes) => (shared.members.has(member) ? (shared.link?.write(bytes) ?? true) : true),
      end() {
        if (leave()) shared.link?.end()
      },
      close() {
        if (leave()) shared.link?.close()
      },
    }
  }
}
