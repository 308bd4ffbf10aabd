/** uname(1). */
import { quote } from '../libc/quote.ts'
import { uname as unameCall } from '../libc/syscall.ts'
import { UsageError, utility } from '../libc/utility.ts'

export const uname = utility({
  name: 'uname',
  usage: 'uname [OPTION]...',
  help: `Print certain system information.  With no OPTION, same as -s.

  -a, --all                print all information, in the following order,
                             except omit -p and -i if unknown:
  -s, --kernel-name        print the kernel name
  -n, --nodename           print the network node hostname
  -r, --kernel-release     print the kernel release
  -v, --kernel-version     print the kernel version
  -m, --machine            print the machine hardware name
  -p, --processor          print the processor type or "unknown"
  -i, --hardware-platform  print the hardware platform or "unknown"
  -o, --operating-system   print the operating system
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'asnrvmpio',
  long: {
    all: 'a',
    'kernel-name': 's',
    sysname: 's',
    nodename: 'n',
    'kernel-release': 'r',
    release: 'r',
    'kernel-version': 'v',
    machine: 'm',
    processor: 'p',
    'hardware-platform': 'i',
    'operating-system': 'o',
  },
  *main(run) {
    if (run.operands.length > 0) throw new UsageError(`extra operand ${quote(run.operands[0]!)}`)
    const { sysname, nodename, release, version, machine } = yield* unameCall()
    // CentOS patches processor and platform to be the machine.
    const values = {
      s: sysname,
      n: nodename,
      r: release,
      v: version,
      m: machine,
      p: machine,
      i: machine,
      o: 'GNU/Linux',
    }
    const asked = Object.entries(values).filter(([code]) => run.has('a') || run.has(code))
    yield* run.out.line(asked.length > 0 ? asked.map(([, value]) => value).join(' ') : sysname)
    return 0
  },
})
