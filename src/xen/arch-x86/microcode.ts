/**
 * xen/arch/x86/microcode.c: updates for Intel processors. This one is of platform 0, at revision 0, and takes no update: it stays at its
 * revision, as a real one does whose check of the signature fails.
 */
import type { Mem } from '#abi/mem.ts'
import { struct, u32 } from '#abi/struct.ts'
import { EINVAL } from '#abi/xen/errno.ts'
import { hex } from '../common/lib.ts'
import { XENLOG_ERR, XENLOG_INFO } from '../drivers/console.ts'
import { printk, type Xen } from '../xen.ts'
import { GuestPageFault } from './mm.ts'

const microcode_header = struct('microcode_header', 48, {
  hdrver: u32(0),
  rev: u32(4),
  date: u32(8),
  sig: u32(12),
  cksum: u32(16),
  ldrver: u32(20),
  pf: u32(24),
  datasize: u32(28),
  totalsize: u32(32),
})
const DEFAULT_DATASIZE = 2000
const EXT_HEADER_SIZE = 20
const EXT_SIGNATURE_SIZE = 12
/** More than any file of updates has. */
const BYTES_MAX = 16 * 1024 * 1024
/** 1 << MSR_IA32_PLATFORM_ID's field. */
const PLATFORM = 1

/** microcode_update: `length` bytes of updates, one behind the other. */
export function microcodeUpdate(xen: Xen, mem: Mem, data: number, length: number): number {
  const bad = (why: string): number => {
    printk(xen, `${XENLOG_ERR}microcode: error! ${why}\n${XENLOG_ERR}microcode: Error in the microcode data\n`)
    return -EINVAL
  }
  const badData = 'Bad data in microcode data file'
  if (length > BYTES_MAX) return bad(badData)
  const { eax: signature } = xen.current.metal.cpu.cpuid(1)
  let date: number | undefined
  try {
    for (let at = 0; at + microcode_header.size < length; ) {
      const header = microcode_header.read(mem, data + at)
      const total = header.totalsize || DEFAULT_DATASIZE + microcode_header.size
      const body = (header.datasize || DEFAULT_DATASIZE) + microcode_header.size
      if (at + total > length || body > total) return bad(badData)
      if (header.ldrver !== 1 || header.hdrver !== 1) return bad('Unknown microcode update format')
      const rest = total - body
      if (rest > 0 && (rest < EXT_HEADER_SIZE || (rest - EXT_HEADER_SIZE) % EXT_SIGNATURE_SIZE !== 0))
        return bad(badData)
      const count = rest === 0 ? 0 : mem.read32(data + at + body)
      if (rest > 0 && rest !== EXT_HEADER_SIZE + count * EXT_SIGNATURE_SIZE) return bad(badData)
      const own = { sig: header.sig, pf: header.pf, cksum: header.cksum }
      const others = Array.from({ length: count }, (_, i) => {
        const there = data + at + body + EXT_HEADER_SIZE + i * EXT_SIGNATURE_SIZE
        return { sig: mem.read32(there), pf: mem.read32(there + 4), cksum: mem.read32(there + 8) }
      })
      const match = [own, ...others].find(({ sig, pf }) => sig === signature && pf & PLATFORM)
      if (match && header.rev > 0) {
        let sum = match.sig + match.pf + match.cksum - own.sig - own.pf - own.cksum
        for (let word = 0; word < body; word += 4) sum += mem.read32(data + at + word)
        if (sum % 2 ** 32 !== 0) {
          printk(xen, `${XENLOG_ERR}microcode: CPU0 aborting, bad checksum\n`)
          return -EINVAL
        }
        date = header.date
      }
      at += total
    }
  } catch (thrown) {
    if (thrown instanceof GuestPageFault) bad('Can not read user data')
    throw thrown
  }
  if (date === undefined) return 0
  for (const { id, online } of xen.pcpus)
    if (online)
      printk(xen, `${XENLOG_INFO}microcode: CPU${id} updated from revision 0x0 to 0x0, date = ${hex(date, 8)} \n`)
  return 0
}
