/** For tests: a domain with page tables in its memory, as its builder leaves it or as its kernel of machine code has it, without a processor to run it on. */
import { memOf } from '#abi/mem.ts'
import type { Ring3 } from '#abi/pc/ring3.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { getRoot, pinTable } from '#xen/arch-x86/page-tables.ts'
import type { Domain, Vcpu } from '#xen/common/domain.ts'
import { allocVcpu, domainCreate } from '#xen/common/domain-create.ts'
import { allocDomainPages } from '#xen/common/domain-pages.ts'
import type { TestHost } from './xen-host.ts'

/** Pages of a TableDomain: its tables, and pages of memory behind them, mapped from X86_BASE on. */
export const X86 = { l4: 0, l3: 1, l2: 2, l1: 3, data: 4 } as const
export const X86_BASE = -0x80000000

export interface TableDomain {
  readonly domain: Domain
  readonly vcpu: Vcpu
  /** Frames by page. */
  readonly mfns: readonly number[]
  /** What its processor was told: `flush`, `page -2147467264`, `root 0 1234`. */
  readonly told: string[]
}

/** A processor's context that notes what it is told, and runs nothing. */
function noting(told: string[]): Ring3 {
  return {
    registers: memOf(new Uint8Array(4096)),
    selectSpace: (space) => void told.push(`space ${space}`),
    setRoot: (space, mfn) => void told.push(`root ${space} ${mfn}`),
    flush: () => void told.push('flush'),
    flushPage: (va) => void told.push(`page ${va}`),
    setGdt: () => {},
    setLdt: () => {},
    loadSegment: () => true,
    debugRegister: () => 0n,
    setDebugRegister: (n, value) => void told.push(`dr${n} ${value.toString(16)}`),
    fxsave: () => new Uint8Array(512),
    fxrstor: () => {},
    enter: () => 0,
    release: () => void told.push('release'),
  }
}

export const entry = (mfn: number, flags = 0x67): bigint => (BigInt(mfn) << 12n) | BigInt(flags)

/** Its tables are pinned and its vCPU's; tables are mapped read-only, the other pages can be written. */
export function tableDomain(host: TestHost, id: number, pages = 16): TableDomain {
  const { xen } = host
  const { mem } = xen
  const domain = domainCreate(xen, id)
  if (!domain) throw new Error('no Xen heap left')
  domain.maxPages = pages
  const mfns = Array.from({ length: pages }, () => {
    const mfn = allocDomainPages(xen, domain, 0)
    if (mfn === undefined) throw new Error('no memory left')
    return mfn as number
  })
  const put = (table: number, slot: number, value: bigint): void =>
    mem.write64(mfns[table]! * PAGE_SIZE + 8 * slot, value)
  put(X86.l4, 511, entry(mfns[X86.l3]!))
  put(X86.l3, 510, entry(mfns[X86.l2]!))
  put(X86.l2, 0, entry(mfns[X86.l1]!))
  for (const [page, mfn] of mfns.entries()) put(X86.l1, page, entry(mfn, page < X86.data ? 0x61 : 0x63))
  const vcpu = allocVcpu(xen, domain, 0, 0)
  if (!vcpu) throw new Error('no Xen heap left')
  const told: string[] = []
  vcpu.ring3 = noting(told)
  host.inXen(() => {
    if (!pinTable(xen, domain, mfns[X86.l4]!, 4) || !getRoot(xen, domain, mfns[X86.l4]!))
      throw new Error("the domain's tables")
  })
  vcpu.root = mfns[X86.l4]!
  vcpu.initialised = true
  return { domain, vcpu, mfns, told }
}
