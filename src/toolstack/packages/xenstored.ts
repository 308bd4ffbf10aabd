/** XenStore's daemon (tools/xenstore). */
import { multicall, type Package } from '#user/libc/program.ts'
import { xenstored as daemon } from '../xenstored/xenstored.ts'

export const xenstored: Package = {
  name: 'xenstored',
  programs: [['/usr/sbin/xenstored', () => daemon]],
}

export const main = multicall(xenstored)
