/** BUG_ON and ASSERT: the hypervisor broke its own rules. */

/** Carried up to the top of `run` or `interrupt`, where the machine panics. */
export class XenBug {
  /** `common/page-alloc.ts: frame 12ab is free already` */
  readonly where: string

  constructor(where: string) {
    this.where = where
  }
}

/** `where`: file and what is wrong. Never returns. */
export function bug(where: string): never {
  throw new XenBug(where)
}

export function assert(condition: boolean, where: string): asserts condition {
  if (!condition) bug(where)
}
