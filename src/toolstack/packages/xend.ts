/** Xen's management daemon (tools/misc/xend, tools/python/xen/xend). */
import { multicall, type Package } from '#user/libc/program.ts'
import { xend as daemon } from '../xend/xend.ts'

export const xend: Package = {
  name: 'xend',
  programs: [['/usr/sbin/xend', () => daemon]],
}

export const main = multicall(xend)
