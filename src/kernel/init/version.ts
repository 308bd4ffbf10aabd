/** What this kernel calls itself (Linux: init/version.c, include/linux/compile.h). */
export const UTS = {
  sysname: 'Linux',
  nodename: '(none)',
  release: '2.6.18.8-xen',
  version: '#1 Tue May 12 06:32:52 UTC 2009',
  machine: 'x86_64',
  domainname: '(none)',
} as const

/** Behind the release in the banner: who compiled it, where, and with what. */
export const COMPILED_BY = '(root@xenhost) (cc version 1, ld version 1)'
