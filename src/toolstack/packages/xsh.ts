/** The shell over XenStore: an image of its own, which nobody loads who does not want it. */
import { multicall, type Package } from '#user/libc/program.ts'
import { xsh as shell } from '../xsh/xsh.ts'

export const xsh: Package = {
  name: 'xsh',
  programs: [['/usr/bin/xsh', () => shell]],
}

export const main = multicall(xsh)
