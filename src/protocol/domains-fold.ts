/**
 * Domains as they are seen from outside: a fold of Xen's probes and of XenStore's changes (design D9). Xen says what a domain is and does, XenStore
 * what it is called and how much memory it should have; either may come first.
 */
import type { DomainProbe } from '#abi/probe.ts'
import {
  XEN_DOMINF_blocked,
  XEN_DOMINF_dying,
  XEN_DOMINF_paused,
  XEN_DOMINF_running,
  XEN_DOMINF_shutdown,
  XEN_DOMINF_shutdownshift,
} from '#abi/xen/domctl.ts'
import { SHUTDOWN_crash, SHUTDOWN_poweroff, SHUTDOWN_reboot, SHUTDOWN_suspend } from '#abi/xen/sched.ts'
import { bytesOfString, utf8Decode } from '#lib/utf8.ts'
import type { DomainState, DomainView } from './domains.ts'
import type { StoreChange } from './xenstore-tree.ts'

const PAGE_KIB = 4
/** Xen's word for as much as there is: all bits of the field. */
const NO_LIMIT_PAGES = 0xffffffff

/** What /local/domain/N says that a view shows. */
interface StoreSays {
  readonly name?: string
  readonly targetKiB?: number
}

/** Never changed, but replaced: whoever holds one holds a moment. */
export interface Domains {
  /** By number. */
  readonly views: ReadonlyMap<number, DomainView>
  /** Of domains that Xen may not have told of yet, too. */
  readonly store: ReadonlyMap<number, StoreSays>
}

export const NO_DOMAINS: Domains = { views: new Map(), store: new Map() }

const SHUTDOWN_WORDS: Readonly<Record<number, string>> = {
  [SHUTDOWN_poweroff]: 'poweroff',
  [SHUTDOWN_reboot]: 'reboot',
  [SHUTDOWN_suspend]: 'suspend',
  [SHUTDOWN_crash]: 'crash',
}

const shutdownCode = (flags: number): number => (flags >>> XEN_DOMINF_shutdownshift) & 0xff

/**
 * `xm list` shows several flags; a word is one: the one that tells most of what comes next. A domain that could run and waits for a processor
 * has none of them, and is running to whoever looks from outside.
 */
export function domainState(flags: number): DomainState {
  if (flags & XEN_DOMINF_dying) return 'dying'
  if (flags & XEN_DOMINF_shutdown) return shutdownCode(flags) === SHUTDOWN_crash ? 'crashed' : 'shutdown'
  if (flags & XEN_DOMINF_paused) return 'paused'
  if (flags & XEN_DOMINF_running) return 'running'
  return flags & XEN_DOMINF_blocked ? 'blocked' : 'running'
}

/** 8-4-4-4-12, as tools print it. */
const uuidOf = (handle: string): string => handle.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')

function viewOf(probe: DomainProbe, before: DomainView | undefined, store: StoreSays | undefined): DomainView {
  const { domid, handle, flags, totPages, maxPages, onlineVcpus, cpuNs, atNs } = probe
  return {
    domid,
    name: store?.name,
    uuid: uuidOf(handle),
    state: domainState(flags),
    shutdownReason: flags & XEN_DOMINF_shutdown ? SHUTDOWN_WORDS[shutdownCode(flags)] : undefined,
    vcpus: onlineVcpus,
    memoryKiB: totPages * PAGE_KIB,
    maxMemoryKiB: maxPages === NO_LIMIT_PAGES ? undefined : maxPages * PAGE_KIB,
    targetKiB: store?.targetKiB,
    cpuNs,
    sinceNs: before?.sinceNs ?? atNs,
    atNs,
  }
}

/** `gone`, then `changed`, as messages have it. */
export function foldDomains(
  domains: Domains,
  { changed, gone }: { readonly changed: readonly DomainProbe[]; readonly gone: readonly number[] },
): Domains {
  const { store } = domains
  const views = new Map(domains.views)
  for (const domid of gone) views.delete(domid)
  for (const probe of changed) views.set(probe.domid, viewOf(probe, views.get(probe.domid), store.get(probe.domid)))
  return { store, views: ordered(views) }
}

const ordered = (views: ReadonlyMap<number, DomainView>): ReadonlyMap<number, DomainView> =>
  new Map([...views].sort(([a], [b]) => a - b))

const NODE = /^\/local\/domain\/(\d+)(?:\/(name|memory\/target|memory))?$/

export function foldStore(domains: Domains, changes: readonly StoreChange[]): Domains {
  let store: Map<number, StoreSays> | undefined
  for (const change of changes) {
    // A daemon that begins anew knows nothing.
    if (change.kind === 'conn') continue
    if (change.kind === 'new') store = new Map()
    else if (change.kind === 'rm' && /^\/(local(\/domain)?)?$/.test(change.path)) store = new Map()
    else {
      const found = NODE.exec(change.path)
      if (!found) continue
      const domid = Number(found[1])
      const before = (store ?? domains.store).get(domid)
      const after = storeSays(before, found[2], change.kind === 'set' ? change.value : undefined)
      if (after === before) continue
      store ??= new Map(domains.store)
      if (after) store.set(domid, after)
      else store.delete(domid)
    }
  }
  if (!store) return domains
  const views = new Map(domains.views)
  for (const [domid, view] of views) {
    const { name, targetKiB } = store.get(domid) ?? {}
    if (name !== view.name || targetKiB !== view.targetKiB) views.set(domid, { ...view, name, targetKiB })
  }
  return { store, views }
}

/** What is said of a domain after `node` (undefined: its directory) was set to `value`, or removed. */
function storeSays(
  before: StoreSays | undefined,
  node: string | undefined,
  value: string | undefined,
): StoreSays | undefined {
  const { name: _name, ...nameless } = before ?? {}
  const { targetKiB: _target, ...targetless } = before ?? {}
  switch (node) {
    case 'name':
      return value === undefined ? nameless : { ...nameless, name: utf8Decode(bytesOfString(value)) }
    case 'memory/target':
      return value !== undefined && /^\d+$/.test(value) ? { ...targetless, targetKiB: Number(value) } : targetless
    case 'memory':
      return value === undefined && before ? targetless : before
    default:
      return value === undefined ? undefined : before
  }
}
