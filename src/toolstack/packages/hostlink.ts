/** The daemon at the inner end of host links. */
import { multicall, type Package } from '#user/libc/program.ts'
import { hostlinkd } from '../hostlinkd/daemon.ts'

export const hostlink: Package = {
  name: 'hostlink',
  programs: [['/usr/sbin/hostlinkd', () => hostlinkd]],
}

export const main = multicall(hostlink)
