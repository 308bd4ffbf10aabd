/** true(1) and false(1). */
import { program } from '../libc/program.ts'
import { Out, STDOUT } from '../libc/stdio.ts'
import { finish, helpText } from '../libc/utility.ts'

function constant(name: string, status: number, help: string) {
  const record = {
    name,
    usage: `${name} [ignored command line arguments]\n${name} OPTION`,
    help: `${help}

      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  }
  return program({
    ...record,
    *main(argv) {
      if (argv.length !== 2 || !/^--(help|version)$/.test(argv[1]!)) return status
      const out = new Out(STDOUT)
      out.put(argv[1] === '--help' ? helpText(record, argv[0]) : `${name} (GNU coreutils) 5.97\n`)
      return yield* finish(name, out, status)
    },
  })
}

export const truth = constant('true', 0, 'Exit with a status code indicating success.')
export const falsehood = constant('false', 1, 'Exit with a status code indicating failure.')
