/** For tests: what the tools of a host say, as data. */
import type { Dom0Host } from '../dom0-host.ts'

export interface DomainRow {
  readonly name: string
  readonly id: number
  readonly mem: number
  readonly vcpus: number
  readonly state: string
  readonly time: number
}

/** `xm list` as rows. */
export function rows(host: Dom0Host): DomainRow[] {
  const [, ...lines] = host.run('xm list').output.split('\n')
  return lines.map((line) => {
    const [name = '', id, mem, vcpus, state = '', time] = line.split(/\s+/)
    return { name, id: Number(id), mem: Number(mem), vcpus: Number(vcpus), state, time: Number(time) }
  })
}

export const row = (host: Dom0Host, name: string): DomainRow | undefined =>
  rows(host).find((found) => found.name === name)

/** `xm info`, one line's value. */
export const info = (host: Dom0Host, key: string): string =>
  /: (.*)$/.exec(host.run(`xm info | grep '^${key} '`).output)?.[1] ?? ''

/** Frames as Xen's own keys q and H count them. */
export interface Frames {
  /** Of each domain. */
  readonly domains: readonly (readonly [id: number, pages: number])[]
  /** Of the heap that domains get theirs from: those of all domains, and the free ones. */
  readonly heap: number
  /** Of Xen's own heap, free. */
  readonly xenHeapFree: number
}

export function frames(host: Dom0Host): Frames {
  host.run('xm dmesg -c > /dev/null; xm debug-keys q > /dev/null; xm debug-keys H')
  const log = host.run('xm dmesg').output
  const domains = [...log.matchAll(/domain (\d+):\n\(XEN\) .*?nr_pages=(\d+)/g)].map(
    ([, id, pages]) => [Number(id), Number(pages)] as const,
  )
  const zones = [...log.matchAll(/\[zone=(\d+)\] -> (\d+) pages/g)].map(([, zone, pages]) => [
    Number(zone),
    Number(pages),
  ])
  const owned = domains.reduce((sum, [, pages]) => sum + pages, 0)
  const free = zones.reduce((sum, [zone, pages]) => (zone === 0 ? sum : sum + pages!), 0)
  if (owned === 0 || free === 0) throw new Error(`no counts in: ${log}`)
  return { domains, heap: owned + free, xenHeapFree: zones[0]![1]! }
}

/** Ports of domain 0 that are in use. */
export const ports = (host: Dom0Host): string =>
  host.run('/usr/lib/xen/bin/lsevtchn | grep -v "Channel is not in use"').output

/** The whole store, without empty directories of back ends, which stay when the last of a class is gone. */
export const store = (host: Dom0Host): string =>
  host.run(`xenstore-ls -f | grep -v '^/local/domain/0/backend[a-z/]* = ""$'`).output

/** All that guests take and give back. */
export const holdings = (host: Dom0Host): Record<string, unknown> => ({
  frames: frames(host),
  ports: ports(host),
  store: store(host),
  loops: host.run('losetup -a').output,
  locks: host.run('ls /var/run/xen-hotplug 2> /dev/null').output,
})
