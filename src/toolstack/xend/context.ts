/** What every part of the daemon works with. */
import type { Threads } from '#user/libc/threads.ts'
import { XendDomain } from './domains.ts'
import type { Hypervisor } from './hypervisor.ts'
import type { Logger } from './log.ts'
import type { XendOptions } from './options.ts'
import type { Store } from './store.ts'

export interface XendParts {
  readonly xc: Hypervisor
  readonly store: Store
  readonly log: Logger
  readonly options: XendOptions
  readonly threads: Threads
}

export class Xend implements XendParts {
  readonly xc: Hypervisor
  readonly store: Store
  readonly log: Logger
  readonly options: XendOptions
  readonly threads: Threads
  readonly domains: XendDomain

  constructor(parts: XendParts) {
    this.xc = parts.xc
    this.store = parts.store
    this.log = parts.log
    this.options = parts.options
    this.threads = parts.threads
    this.domains = new XendDomain(this)
  }
}
