/** awk(1): POSIX's, with gawk 3.1.5's words. Without sin, cos, atan2, exp and log: engines differ in their last bits. */
import { OsError, strerror } from '../libc/errno.ts'
import { eprint, readFile } from '../libc/stdio.ts'
import { Exit, utility } from '../libc/utility.ts'
import { unescaped } from './awk/lex.ts'
import { parseAwk } from './awk/parse.ts'
import { Awk } from './awk/run.ts'
import { AwkError } from './awk/tree.ts'
import { Field } from './awk/values.ts'

export const awk = utility({
  name: 'awk',
  usage: "awk [-F fs] [-v var=value] 'program' [file ...]\nawk [-F fs] [-v var=value] -f progfile [file ...]",
  help: `Search files for patterns and perform actions on lines that match.

  -F FS         what separates fields
  -v VAR=VALUE  assign before the program begins
  -f FILE       the program is in FILE
`,
  version: 'GNU Awk 3.1.5',
  short: '+F:v:f:',
  usageStatus: 2,
  *main(run) {
    const files = run.options.filter(({ code }) => code === 'f').map(({ value }) => value ?? '')
    const operands = [...run.operands]
    let source = ''
    for (const file of files) {
      try {
        source += `${yield* readFile(file)}\n`
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        throw new Exit(2, `fatal: can't open source file \`${file}' for reading (${strerror(error.errno)})`)
      }
    }
    if (files.length === 0) {
      const program = operands.shift()
      if (program === undefined) {
        yield* eprint(`Usage: ${awk.usage}\n`)
        return 2
      }
      source = program
    }
    try {
      const machine = new Awk(run, parseAwk(source), operands)
      for (const { code, value = '' } of run.options) {
        if (code === 'F') machine.set('FS', value === 't' ? '\t' : unescaped(value))
        if (code !== 'v') continue
        const equals = value.indexOf('=')
        if (equals < 1) throw new Exit(2, `fatal: \`${value}' is not a legal variable assignment`)
        machine.set(value.slice(0, equals), new Field(unescaped(value.slice(equals + 1))))
      }
      return yield* machine.main()
    } catch (error) {
      if (error instanceof AwkError) throw new Exit(2, error.message)
      throw error
    }
  },
})
