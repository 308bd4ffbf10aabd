/** hostname(1) of net-tools 1.60. */

import { EPERM } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { eprint, Out, readFile, STDOUT } from '../libc/stdio.ts'
import { sethostname, uname } from '../libc/syscall.ts'
import { finish } from '../libc/utility.ts'

const usage = `hostname [-v] {hostname|-F file}      set hostname (from file)
       hostname [-v] [-d|-f|-s|-a|-i|-y|-n]  display formatted name
       hostname [-v]                         display hostname

       hostname -V|--version|-h|--help       print info and exit

    -s, --short           short host name
    -a, --alias           alias names
    -i, --ip-address      addresses for the hostname
    -f, --fqdn, --long    long host name (FQDN)
    -d, --domain          DNS domain name
    -F, --file            read hostname or NIS domainname from given file

   This command can read or set the hostname or the NIS domainname. You can
   also read the DNS domain or the FQDN (fully qualified domain name).
   Unless you are using bind or NIS for host lookups you can change the
   FQDN (Fully Qualified Domain Name) and the DNS domain name (which is
   part of the FQDN) in the /etc/hosts file.`

export const hostname = program({
  name: 'hostname',
  usage,
  help: 'Show or set the name of this host.',
  *main(argv) {
    const name = argv[0] ?? 'hostname'
    const out = new Out(STDOUT)
    const { options, operands, error } = getopt(argv.slice(1), 'adfF:hisvV', {
      alias: 'a',
      domain: 'd',
      fqdn: 'f',
      long: 'f',
      'file:': 'F',
      help: 'h',
      'ip-address': 'i',
      short: 's',
      verbose: 'v',
      version: 'V',
    })
    const asked = options.findLast(({ code }) => code !== 'v')
    if (error !== undefined || asked?.code === 'h') {
      yield* eprint(`${error === undefined ? '' : `${name}: ${error}\n`}Usage: ${usage}\n`)
      return error === undefined ? 0 : 255
    }
    if (asked?.code === 'V') {
      out.put('net-tools 1.60\nhostname 1.100 (2001-04-14)\n')
      return yield* finish(name, out, 0)
    }
    try {
      const given = asked?.code === 'F' ? firstName(yield* readFile(asked.value!)) : operands[0]
      if (given !== undefined && (asked === undefined || asked.code === 'F')) {
        yield* sethostname(given)
        return 0
      }
    } catch (caught) {
      if (!(caught instanceof OsError)) throw caught
      if (caught.call !== 'sethostname') yield* eprint(`${name}: ${strerror(caught.errno)}\n`)
      else if (caught.errno === EPERM) yield* eprint(`${name}: you must be root to change the host name\n`)
      else yield* eprint(`${name}: name too long\n`)
      return 1
    }
    const own = (yield* uname()).nodename
    if (asked === undefined) out.put(`${own}\n`)
    else if (asked.code === 's') out.put(`${own.split('.')[0]}\n`)
    else {
      const host = yield* lookUp(own)
      if (!host) {
        yield* eprint(`${name}: Unknown host\n`)
        return 1
      }
      const dot = host.canonical.indexOf('.')
      if (asked.code === 'f') out.put(`${host.canonical}\n`)
      else if (asked.code === 'd') out.put(dot < 0 ? '\n' : `${host.canonical.slice(dot + 1)}\n`)
      else if (asked.code === 'a') out.put(`${host.aliases.join(' ')}\n`)
      else out.put(`${host.address}\n`)
    }
    return yield* finish(name, out, 0)
  },
})

const firstName = (text: string): string => text.split('\n').find((line) => line !== '' && !line.startsWith('#')) ?? ''

/** gethostbyname(3) as far as /etc/hosts goes. */
function* lookUp(name: string): Sys<{ address: string; canonical: string; aliases: readonly string[] } | undefined> {
  let text: string
  try {
    text = yield* readFile('/etc/hosts')
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return undefined
  }
  for (const line of text.split('\n')) {
    const [address, canonical, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (address && canonical && (canonical === name || aliases.includes(name))) return { address, canonical, aliases }
  }
  return undefined
}
