/**
 * A domain's console from outside: the pseudo terminal that xenconsoled made for it, by a host link. XenStore's trace says which one that is, and
 * when a domain of the same name has another. Two readers of one terminal share what it says, so let go of it while nobody looks: what nobody
 * reads waits in xenconsoled.
 */
import type { HostLink } from './links.ts'
import type { OpenLink } from './open-link.ts'
import type { StoreTree } from './xenstore-tree.ts'

/** Where the console of a domain is, or why it is nowhere. */
export type ConsolePlace =
  | { readonly kind: 'no-store' }
  | { readonly kind: 'no-domain' }
  | { readonly kind: 'no-console'; readonly domid: number }
  | { readonly kind: 'there'; readonly domid: number; readonly tty: string }

const DOMAINS = '/local/domain'

export function findDomainConsole(tree: StoreTree, name: string): ConsolePlace {
  if (!tree.root) return { kind: 'no-store' }
  let domid = -1
  // One that is being destroyed may still be there beside its successor.
  for (const [id, node] of tree.get(DOMAINS)?.children ?? [])
    if (node.children.get('name')?.value === name) domid = Math.max(domid, Number(id))
  if (!(domid >= 0)) return { kind: 'no-domain' }
  const base = `${DOMAINS}/${domid}`
  const tty = tree.read(`${base}/console/tty`) || tree.read(`${base}/serial/0/tty`)
  return tty ? { kind: 'there', domid, tty } : { kind: 'no-console', domid }
}

export interface DomainConsoleHandlers {
  /** Call `taken` with how many bytes have been passed on: more comes then. */
  readonly data: (bytes: Uint8Array, taken: (count: number) => void) => void
  /** Over, from inside. */
  readonly close: (reason: string) => void
  /** All that was written has been sent on. */
  readonly drain?: () => void
}

export interface DomainConsole {
  readonly domid: number
  readonly tty: string
  /** False: part of it waits; `drain` is called when it has gone. */
  write(bytes: Uint8Array): boolean
  /** Let go of the terminal. What is on its way here still comes; nothing else is called. */
  close(): void
}

export type OpenedConsole =
  | { readonly ok: true; readonly console: DomainConsole }
  | { readonly ok: false; readonly why: Exclude<ConsolePlace, { kind: 'there' }> }

export function openDomainConsole(
  openLink: OpenLink,
  tree: StoreTree,
  name: string,
  handlers: DomainConsoleHandlers,
): OpenedConsole {
  const place = findDomainConsole(tree, name)
  return place.kind === 'there' ? { ok: true, console: attach(openLink, place, handlers) } : { ok: false, why: place }
}

function attach(
  openLink: OpenLink,
  { domid, tty }: Extract<ConsolePlace, { kind: 'there' }>,
  handlers: DomainConsoleHandlers,
): DomainConsole {
  let closed = false
  let waiting = false
  const over = (reason: string): void => {
    if (closed) return
    closed = true
    handlers.close(reason)
  }
  const link: HostLink = openLink(tty, {
    data: handlers.data,
    end: () => over(''),
    close: over,
    drain() {
      waiting = false
      if (!closed) handlers.drain?.()
    },
  })
  return {
    domid,
    tty,
    write(bytes) {
      if (closed) return true
      waiting = !link.write(bytes)
      return !waiting
    },
    close() {
      if (closed) return
      closed = true
      // An end is in order, and so loses nothing; but it would wait behind what the domain does not take.
      if (waiting) link.close()
      else link.end()
    },
  }
}

/** `closed`: it hung up, and the store knows no other yet. */
export type FollowedPlace = ConsolePlace | { readonly kind: 'closed'; readonly domid: number; readonly reason: string }

/** For an error's text. */
export function whyNowhere(place: Exclude<FollowedPlace, { kind: 'there' }>): string {
  switch (place.kind) {
    case 'no-store':
      return 'XenStore does not run'
    case 'no-domain':
      return 'there is no such domain'
    case 'no-console':
      return `domain ${place.domid} has no console yet`
    case 'closed':
      return place.reason || 'it has hung up'
  }
}

export interface FollowHandlers {
  readonly data: DomainConsoleHandlers['data']
  /** The place has changed. At `there`, it is attached. */
  readonly place: (place: FollowedPlace) => void
  readonly drain?: () => void
}

export interface FollowedConsole {
  readonly place: FollowedPlace
  /** XenStore has changed. */
  look(): void
  /** After it was closed: try the same terminal again. */
  retry(): void
  /** As DomainConsole's; what is written while it is attached to nothing is lost, as on an unplugged line. */
  write(bytes: Uint8Array): boolean
  stop(): void
}

/** Attached to the console of whichever domain has that name, now and after it was made anew. */
export function followDomainConsole(
  openLink: OpenLink,
  tree: StoreTree,
  name: string,
  handlers: FollowHandlers,
): FollowedConsole {
  let place: FollowedPlace = { kind: 'no-store' }
  let found: ConsolePlace | undefined
  let attached: DomainConsole | undefined
  let stopped = false

  function enter(next: FollowedPlace): void {
    place = next
    handlers.place(next)
  }

  function look(): void {
    if (stopped) return
    const next = findDomainConsole(tree, name)
    if (found && samePlace(found, next)) return
    found = next
    attached?.close()
    attached = undefined
    if (next.kind === 'there') attached = connect(next)
    // A link that was refused at once has said so already.
    if (next.kind !== 'there' || attached) enter(next)
  }

  function connect(next: Extract<ConsolePlace, { kind: 'there' }>): DomainConsole | undefined {
    let refused = false
    // One that was let go of calls nothing any more.
    const opened = attach(openLink, next, {
      data: handlers.data,
      close(reason) {
        refused = true
        attached = undefined
        if (!stopped) enter({ kind: 'closed', domid: next.domid, reason })
      },
      drain: () => handlers.drain?.(),
    })
    return refused ? undefined : opened
  }

  look()
  return {
    get place() {
      return place
    },
    look,
    retry() {
      found = undefined
      look()
    },
    write: (bytes) => attached?.write(bytes) ?? true,
    stop() {
      stopped = true
      attached?.close()
      attached = undefined
    },
  }
}

function samePlace(a: ConsolePlace, b: ConsolePlace): boolean {
  if (a.kind !== b.kind) return false
  if (a.kind === 'there' && b.kind === 'there') return a.domid === b.domid && a.tty === b.tty
  return a.kind !== 'no-console' || (b.kind === 'no-console' && a.domid === b.domid)
}
