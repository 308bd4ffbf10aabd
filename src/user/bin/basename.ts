/** basename(1) and dirname(1). */

import * as path from '../libc/path.ts'
import { quote } from '../libc/quote.ts'
import { UsageError, utility } from '../libc/utility.ts'

const COMMON = `
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`

export const basename = utility({
  name: 'basename',
  usage: 'basename NAME [SUFFIX]\nbasename OPTION',
  help: `Print NAME with any leading directory components removed.
If specified, also remove a trailing SUFFIX.
${COMMON}`,
  short: '+',
  *main(run) {
    const [name, suffix, extra] = run.operands
    if (name === undefined) throw new UsageError('missing operand')
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`)
    const base = name === '' ? '' : path.basename(name)
    const cut = suffix !== undefined && base !== suffix && base.endsWith(suffix)
    yield* run.out.line(cut ? base.slice(0, base.length - suffix.length) : base)
    return 0
  },
})

export const dirname = utility({
  name: 'dirname',
  usage: 'dirname NAME\ndirname OPTION',
  help: `Print NAME with its trailing /component removed; if NAME contains no /'s,
output \`.' (meaning the current directory).
${COMMON}`,
  short: '+',
  *main(run) {
    const [name, extra] = run.operands
    if (name === undefined) throw new UsageError('missing operand')
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`)
    yield* run.out.line(path.dirname(name))
    return 0
  },
})
