/** gzip 1.3.5 and tar 1.15.1. `gzcat` is what other Unixes call zcat. */
import { gunzip, gzcat, gzip, zcat } from '../bin/gzip.ts'
import { tar } from '../bin/tar.ts'
import { multicall, type Package } from '../libc/program.ts'

export const archive: Package = {
  name: 'archive',
  programs: [
    ['/bin/gzip', () => gzip],
    ['/bin/gunzip', () => gunzip],
    ['/bin/zcat', () => zcat],
    ['/bin/tar', () => tar],
    ['/usr/bin/gzcat', () => gzcat],
  ],
}

export const main = multicall(archive)
