/** bash --help and bash --version (3.2.25 of CentOS 5), as far as this one knows the options. */

export const BASH_VERSION = '3.2.25(1)-release'
const MACHINE = 'x86_64-redhat-linux-gnu'

/** What `bash WORD` prints and is done; undefined: WORD asks for something else. */
export function usageText(word: string | undefined): string | undefined {
  if (word === '--version')
    return `GNU bash, version ${BASH_VERSION} (${MACHINE})\nCopyright (C) 2005 Free Software Foundation, Inc.\n`
  if (word !== '--help') return undefined
  return `GNU bash, version ${BASH_VERSION}-(${MACHINE})
Usage:\tbash [GNU long option] [option] ...
\tbash [GNU long option] [option] script-file ...
GNU long options:
\t--help
\t--login
\t--noprofile
\t--norc
\t--version
Shell options:
\t-aCefimnsuvx or -c command or -o option
`
}
