/** xm, and the Python that its configuration files are written in. */
import { python } from '#python/python.ts'
import { multicall, type Package } from '#user/libc/program.ts'
import { xm } from '../xm/main.ts'

export const xmPackage: Package = {
  name: 'xm',
  programs: [
    ['/usr/sbin/xm', () => xm],
    ['/usr/bin/python', () => python],
    ['/usr/bin/python2.4', () => python],
  ],
}

export const main = multicall(xmPackage)
