/** A program of tests: the frame table in the numbers of sysctl: `TOTAL FREE`, then a line `DOMID PAGES` for each domain. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { xcDomainGetinfo, xcInterfaceOpen, xcPhysinfo } from '#toolstack/libxc/xc.ts'
import { STDOUT, writeAll } from '#user/libc/stdio.ts'

export function* main(): Sys<number> {
  const xc = yield* xcInterfaceOpen()
  const { totalPages, freePages } = yield* xcPhysinfo(xc)
  const rows = (yield* xcDomainGetinfo(xc, 0, 1024)).map(({ domid, nrPages }) => `${domid} ${nrPages}\n`)
  yield* writeAll(STDOUT, bytesOfString(`${totalPages} ${freePages}\n${rows.join('')}`))
  return 0
}
