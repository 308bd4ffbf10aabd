/** xen/include/xen/compile.h as the build makes it: who compiled this hypervisor, with what, when. Said at boot and by xen_version. */

import type { Build } from './config.ts'

export const XEN_VERSION = 3
/** `3.3.0` */
export const fullVersion = ({ subversion, extraversion }: Build): string =>
  `${XEN_VERSION}.${subversion}${extraversion}`

export const XEN_COMPILE_BY = 'root'
export const XEN_COMPILE_DOMAIN = 'xenhost'
/** The playground's own compiler: no gcc has seen this source. */
export const XEN_COMPILER = 'cc version 1.0 (Xen Playground)'
/** The playground's epoch (design D13): the same source gives the same image whenever it is built. */
export const XEN_COMPILE_DATE = 'Tue May 12 06:32:52 UTC 2009'
export const XEN_CHANGESET = 'unavailable'

/** figlet of "Xen 3.3.0" or "Xen 3.4.0" in the tree's own font (tools/figlet): 38 columns, trailing blanks and all. */
export const banner = ({ subversion }: Build): string =>
  [
    [' __  __            _____', '  _____ ', ' _  _   ', ' ___  '],
    [' \\ \\/ /___ _ __   |___ /', ' |___ / ', '| || |  ', '/ _ \\ '],
    ["  \\  // _ \\ '_ \\    |_ \\", '   |_ \\|', '| || |_|', ' | | |'],
    ['  /  \\  __/ | | |  ___) ', '| ___) |', '|__   _|', ' |_| |'],
    [' /_/\\_\\___|_| |_| |____(', '_)____(_', '_) |_|(_', ')___/ '],
    [' '.repeat(38), '', '', ''],
  ]
    .map(([start, three, four, end]) => `${start}${subversion === 4 ? four : three}${end}\n`)
    .join('')
