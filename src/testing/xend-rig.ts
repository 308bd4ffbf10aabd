/** For tests: a hypervisor and a store in memory, and dom0's block back end, as far as xend can see them. */
import { ENOMEM, ESRCH } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { posixRig } from '#testing/posix-rig.ts'
import type { XcDominfo } from '#toolstack/libxc/domain.ts'
import { XcError } from '#toolstack/libxc/error.ts'
import { Xend } from '#toolstack/xend/context.ts'
import type { Hypervisor } from '#toolstack/xend/hypervisor.ts'
import { Logger } from '#toolstack/xend/log.ts'
import { XendOptions } from '#toolstack/xend/options.ts'
import type { Nodes, Permissions, Store, Watch, WatchFunction } from '#toolstack/xend/store.ts'
import { Condition, Threads } from '#user/libc/threads.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }
export type FakeDomain = Writable<XcDominfo> & { ports: number; weight: number; cap: number; introduced: boolean }

const PAGES = 256 * 1024

const domain = (domid: number, handle: Uint8Array, more: Partial<FakeDomain> = {}): FakeDomain => ({
  domid,
  ssidref: 0,
  dying: false,
  crashed: false,
  shutdown: false,
  paused: true,
  blocked: false,
  running: false,
  hvm: false,
  shutdownReason: 0,
  nrPages: 0,
  sharedInfoFrame: 0x100,
  cpuTime: 0,
  maxMemkb: 0,
  nrOnlineVcpus: 0,
  maxVcpuId: 0,
  handle,
  ports: 0,
  weight: 256,
  cap: 0,
  introduced: false,
  ...more,
})

/** Counts calls, and lets one of them fail. */
export class Faults {
  calls = 0
  /** The call that fails; 0: none. */
  at = 0
  step(): void {
    if (++this.calls === this.at) throw new XcError(ENOMEM)
  }
}

export class FakeHypervisor implements Hypervisor {
  readonly domains: Map<number, FakeDomain> = new Map()
  readonly faults: Faults
  /** The next domain's id. */
  next = 1
  keys = ''

  constructor(faults: Faults) {
    this.faults = faults
    const more = { nrPages: 65536, maxMemkb: 17179869180, nrOnlineVcpus: 1, paused: false, running: true }
    this.domains.set(0, domain(0, new Uint8Array(16), more))
  }

  get freePages(): number {
    let used = 4096
    for (const { nrPages } of this.domains.values()) used += nrPages
    return PAGES - used
  }

  #of(domid: number): FakeDomain {
    this.faults.step()
    const found = this.domains.get(domid)
    if (!found) throw new XcError(ESRCH)
    return found
  }

  *domainGetinfo(first: number, max: number): Sys<readonly XcDominfo[]> {
    const list = [...this.domains.values()].filter(({ domid }) => domid >= first)
    if (list.length === 0) throw new XcError(ESRCH)
    return list.sort((a, b) => a.domid - b.domid).slice(0, max)
  }
  *domainCreate(handle: Uint8Array): Sys<number> {
    this.faults.step()
    const domid = this.next++
    this.domains.set(domid, domain(domid, handle))
    return domid
  }
  *domainMaxVcpus(domid: number, max: number): Sys<void> {
    Object.assign(this.#of(domid), { maxVcpuId: max - 1, nrOnlineVcpus: 1 })
  }
  *domainSetmaxmem(domid: number, maxKb: number): Sys<void> {
    this.#of(domid).maxMemkb = maxKb
  }
  *domainSetPolicyCpuid(domid: number): Sys<void> {
    this.#of(domid)
  }
  *domainSetTimeOffset(domid: number): Sys<void> {
    this.#of(domid)
  }
  *domainPause(domid: number): Sys<void> {
    this.#of(domid).paused = true
  }
  *domainUnpause(domid: number): Sys<void> {
    this.#of(domid).paused = false
  }
  *domainDestroy(domid: number): Sys<void> {
    this.#of(domid)
    this.domains.delete(domid)
  }
  *domainSendTrigger(domid: number): Sys<void> {
    this.#of(domid)
  }
  *vcpuGetinfo(domid: number, vcpu: number): ReturnType<Hypervisor['vcpuGetinfo']> {
    const { paused, cpuTime } = this.#of(domid)
    return { online: vcpu === 0, blocked: false, running: !paused, cpuTime, cpu: 0, cpumap: [0, 1] }
  }
  *vcpuSetaffinity(domid: number): Sys<void> {
    this.#of(domid)
  }
  *evtchnAllocUnbound(domid: number): Sys<number> {
    return ++this.#of(domid).ports
  }
  *linuxBuild(domid: number, { memMb }: Parameters<Hypervisor['linuxBuild']>[1]): ReturnType<Hypervisor['linuxBuild']> {
    this.#of(domid).nrPages = memMb * 256
    const notes = new Map<string, string | bigint>([
      ['FEATURES', '!writable_page_tables|pae_pgdir_above_4gb'],
      ['GUEST_OS', 'linux'],
      ['VIRT_BASE', 0xffffffff80000000n],
    ])
    return { storeMfn: 1000 + domid, consoleMfn: 2000 + domid, notes, nativeProtocol: 'x86_64-abi' }
  }
  *schedId(): Sys<number> {
    return 5
  }
  *schedCreditGet(domid: number): Sys<{ weight: number; cap: number }> {
    const { weight, cap } = this.#of(domid)
    return { weight, cap }
  }
  *schedCreditSet(domid: number, { weight, cap }: { weight: number; cap: number }): Sys<void> {
    const found = this.#of(domid)
    if (weight !== 0) found.weight = weight
    if (cap !== 0xffff) found.cap = cap
  }
  *physinfo(): ReturnType<Hypervisor['physinfo']> {
    return {
      threadsPerCore: 1,
      coresPerSocket: 2,
      nrCpus: 2,
      nrNodes: 1,
      cpuKhz: 2399999,
      totalPages: PAGES,
      freePages: this.freePages,
      scrubPages: 0,
      hwCap: [0x178bfbff, 0x20100800, 0, 0x140, 1, 0, 1, 0],
      maxCpuId: 1,
      cpuToNode: [0, 0],
      capabilities: 0,
    }
  }
  *availheap(): Sys<number> {
    return this.freePages * 4096
  }
  *versionInfo(): ReturnType<Hypervisor['versionInfo']> {
    return {
      major: 3,
      minor: 3,
      extra: '.0',
      compiler: 'gcc version 4.1.2',
      compileBy: 'root',
      compileDomain: 'example.com',
      compileDate: 'Thu Aug 28 10:00:00 UTC 2008',
      capabilities: 'xen-3.0-x86_64 ',
      changeset: 'unavailable',
      virtStart: 0xffff800000000000n,
      pagesize: 4096,
    }
  }
  *readConsoleRing(): Sys<string> {
    return '(XEN) Xen version 3.3.0\n'
  }
  *sendDebugKeys(keys: string): Sys<void> {
    this.keys += keys
  }
}

interface Node {
  value: string
  permissions: Permissions
}

/** Directories are what has something below it, or was made. */
export class FakeStore implements Store {
  readonly nodes: Map<string, Node> = new Map()
  readonly faults: Faults
  readonly hypervisor: FakeHypervisor
  readonly #threads: Threads
  readonly #watches: Set<Watch> = new Set()
  readonly #events: (readonly [Watch, string])[] = []
  readonly #more: Condition = new Condition()

  constructor(threads: Threads, hypervisor: FakeHypervisor) {
    this.#threads = threads
    this.hypervisor = hypervisor
    this.faults = hypervisor.faults
  }

  /** Below `path`, by their paths. */
  below(path: string): string[] {
    return [...this.nodes.keys()].filter((one) => one === path || one.startsWith(`${path}/`)).sort()
  }
  value(path: string): string | undefined {
    return this.nodes.get(path)?.value
  }
  /** `n0,r1`. */
  permissions(path: string): string {
    return (this.nodes.get(path)?.permissions ?? []).map(({ id, perms }) => `${'nrwb'[perms]}${id}`).join()
  }

  /** Something has changed at `path`. */
  fire(path: string): void {
    for (const watch of this.#watches)
      if (path === watch.path || path.startsWith(`${watch.path}/`) || watch.path.startsWith(`${path}/`))
        this.#events.push([watch, path])
    this.#more.notify()
  }

  put(path: string, value: string): void {
    for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1)) {
      const parent = path.slice(0, at)
      if (!this.nodes.has(parent)) this.nodes.set(parent, { value: '', permissions: [] })
    }
    const node = this.nodes.get(path)
    if (node) node.value = value
    else this.nodes.set(path, { value, permissions: [] })
    this.fire(path)
  }

  *read(path: string): Sys<string | undefined> {
    this.faults.step()
    return this.nodes.get(path)?.value
  }
  *write(path: string, value: string): Sys<void> {
    this.faults.step()
    this.put(path, value)
  }
  *rm(path: string): Sys<void> {
    this.faults.step()
    for (const one of this.below(path)) this.nodes.delete(one)
    this.fire(path)
  }
  *mkdir(path: string): Sys<void> {
    this.faults.step()
    if (!this.nodes.has(path)) this.put(path, '')
  }
  *list(path: string): Sys<readonly string[]> {
    this.faults.step()
    const names = new Set<string>()
    for (const one of this.below(path)) if (one !== path) names.add(one.slice(path.length + 1).split('/')[0]!)
    return [...names]
  }
  *setPermissions(path: string, permissions: Permissions): Sys<void> {
    this.faults.step()
    this.nodes.get(path)!.permissions = permissions
  }
  *transaction<T>(body: (nodes: Nodes) => Sys<T>): Sys<T> {
    this.faults.step()
    const before = new Map([...this.nodes].map(([path, node]) => [path, { ...node }]))
    try {
      return yield* body(this)
    } catch (error) {
      this.nodes.clear()
      for (const [path, node] of before) this.nodes.set(path, node)
      throw error
    }
  }
  *introduceDomain(domid: number): Sys<void> {
    this.faults.step()
    this.hypervisor.domains.get(domid)!.introduced = true
    this.fire('@introduceDomain')
  }
  *watch(path: string, changed: WatchFunction): Sys<Watch> {
    this.faults.step()
    const watch = { path, token: '', changed }
    this.#watches.add(watch)
    this.#events.push([watch, path])
    this.#more.notify()
    return watch
  }
  *unwatch(watch: Watch): Sys<void> {
    this.#watches.delete(watch)
  }
  /** Watches of a process that is no more. */
  forget(path: string): void {
    for (const watch of this.#watches) if (watch.path === path) this.#watches.delete(watch)
  }
  get watches(): readonly string[] {
    return [...this.#watches].map(({ path }) => path).sort()
  }

  *run(): Sys<void> {
    for (;;) {
      const event = this.#events.shift()
      if (!event) yield* this.#threads.wait({ condition: this.#more })
      else if (this.#watches.has(event[0])) {
        try {
          if (!(yield* event[0].changed(event[1]))) this.#watches.delete(event[0])
        } catch (error) {
          if (!(error instanceof XcError)) throw error
        }
      }
    }
  }
}

export interface FakeHost {
  readonly xend: Xend
  readonly hypervisor: FakeHypervisor
  readonly store: FakeStore
  readonly threads: Threads
  readonly faults: Faults
  /** What hotplug scripts answer; undefined: nothing ever. */
  hotplug: { status: string; error?: string } | undefined
  /** A domain stops by itself: what Xen and xenstored then say. */
  stops(domid: number, reason: number): void
  /** What xend.log holds. */
  log(): string
}

/** The back end: hotplug scripts answer after 10 ms; a device that is to close is gone at once. */
function* blkback(host: FakeHost): Sys<void> {
  const { store, threads } = host
  const root = '/local/domain/0/backend/vbd'
  yield* store.watch(root, function* (path) {
    const match = /^(.*\/vbd\/\d+\/\d+)\/(state|online)$/.exec(path)
    const back = match?.[1]
    if (!back) return true
    const front = store.value(`${back}/frontend`)
    if (store.value(`${back}/state`) === '5' && front !== undefined)
      for (const one of [...store.below(back), ...store.below(front)]) {
        store.nodes.delete(one)
        store.fire(one)
      }
    else if (store.value(`${back}/hotplug-status`) === undefined && host.hotplug)
      threads.start(
        'hotplug',
        (function* () {
          yield* threads.sleep(10)
          if (!host.hotplug || store.value(`${back}/state`) === undefined) return
          if (host.hotplug.error !== undefined) store.put(`${back}/hotplug-error`, host.hotplug.error)
          store.put(`${back}/hotplug-status`, host.hotplug.status)
        })(),
      )
    return true
  })
}

export const CONFIG = '(dom0-min-mem 196)(enable-dom0-ballooning yes)(dom0-cpus 0)'

/** Runs `body` as a thread of a process with a xend whose world is all made up. */
export function withFakeHost(body: (host: FakeHost) => Sys<void>, config = CONFIG): void {
  const faults = new Faults()
  const hypervisor = new FakeHypervisor(faults)
  const errors: unknown[] = []
  const rig = posixRig({
    files: {
      '/proc/xen/balloon': {
        generate: () => `Current allocation: ${String(hypervisor.domains.get(0)!.nrPages * 4).padStart(8)} kB\n`,
      },
      '/boot/vmlinuz': 'kernel',
      '/var/log/xen/': '',
    },
    programs: {
      *'/bin/xend'() {
        const threads = new Threads(function* (_name, error) {
          errors.push(error)
        })
        const store = new FakeStore(threads, hypervisor)
        const log = new Logger('/var/log/xen/xend.log', 'DEBUG')
        const options = new XendOptions('/etc/xen/xend-config.sxp', config)
        const xend = new Xend({ xc: hypervisor, store, log, options, threads })
        const host: FakeHost = {
          xend,
          hypervisor,
          store,
          threads,
          faults,
          hotplug: { status: 'connected' },
          stops(domid, reason) {
            Object.assign(hypervisor.domains.get(domid)!, {
              shutdownReason: reason,
              crashed: reason === 3,
              shutdown: reason !== 3,
            })
            store.fire('@releaseDomain')
          },
          log: () => rig.read('/var/log/xen/xend.log') ?? '',
        }
        threads.start('watch', store.run())
        threads.start('blkback', blkback(host))
        // domain 0's balloon driver obeys at once.
        threads.start(
          'balloon',
          (function* () {
            yield* store.watch('/local/domain/0/memory/target', function* (path) {
              const target = store.value(path)
              if (target !== undefined) hypervisor.domains.get(0)!.nrPages = Number(target) / 4
              return true
            })
          })(),
        )
        threads.start(
          'test',
          (function* () {
            try {
              yield* xend.domains.init()
              yield* body(host)
            } catch (error) {
              errors.push(error)
            }
            threads.stop()
          })(),
        )
        yield* threads.run()
        return 0
      },
    },
  })
  rig.run(['xend'], { steps: 5_000_000 })
  if (errors.length > 0) throw errors[0]
}
