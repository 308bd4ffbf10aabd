/** env(1) and printenv(1). */
import { ENOENT } from '#abi/posix/errno.ts'
import { getenv, withEnv, withoutEnv } from '../libc/env.ts'
import { OsError } from '../libc/errno.ts'
import { execvp } from '../libc/process.ts'
import { utility } from '../libc/utility.ts'

const COMMON = `
      --help     display this help and exit
      --version  output version information and exit
`

export const env = utility({
  name: 'env',
  usage: 'env [OPTION]... [-] [NAME=VALUE]... [COMMAND [ARG]...]',
  help: `Set each NAME to VALUE in the environment and run COMMAND.

  -i, --ignore-environment   start with an empty environment
  -u, --unset=NAME           remove variable from the environment
${COMMON}
A mere - implies -i.  If no COMMAND, print the resulting environment.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: '+iu:',
  long: { 'ignore-environment': 'i', 'unset:': 'u' },
  *main(run) {
    let rest = run.operands
    let entries = run.env
    if (rest[0] === '-') rest = rest.slice(1)
    if (run.has('i') || rest !== run.operands) entries = []
    for (const { code, value } of run.options) if (code === 'u') entries = withoutEnv(entries, value!)
    while (rest[0]?.includes('=')) {
      const equals = rest[0].indexOf('=')
      entries = withEnv(entries, rest[0].slice(0, equals), rest[0].slice(equals + 1))
      rest = rest.slice(1)
    }
    const command = rest[0]
    if (command === undefined) {
      for (const entry of entries) yield* run.out.line(entry)
      return 0
    }
    try {
      return yield* execvp(command, rest, entries)
    } catch (error) {
      yield* run.warn(error, command)
      return error instanceof OsError && error.errno === ENOENT ? 127 : 126
    }
  },
})

export const printenv = utility({
  name: 'printenv',
  usage: 'printenv [VARIABLE]...\nprintenv OPTION',
  help: `If no environment VARIABLE specified, print them all.
${COMMON}
Report bugs to <bug-coreutils@gnu.org>.`,
  short: '+',
  usageStatus: 2,
  *main(run) {
    if (run.operands.length === 0) for (const entry of run.env) yield* run.out.line(entry)
    let status = 0
    for (const name of run.operands) {
      const value = getenv(run.env, name)
      if (value === undefined) status = 1
      else yield* run.out.line(value)
    }
    return status
  },
})
