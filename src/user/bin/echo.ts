/** echo(1). */
import { C_ESCAPES } from '../coreutils/escapes.ts'
import { program } from '../libc/program.ts'
import { Out, STDOUT } from '../libc/stdio.ts'
import { finish, helpText } from '../libc/utility.ts'

const record = {
  name: 'echo',
  usage: 'echo [OPTION]... [STRING]...',
  help: `Echo the STRING(s) to standard output.

  -n             do not output the trailing newline
  -e             enable interpretation of backslash escapes
  -E             disable interpretation of backslash escapes (default)
      --help     display this help and exit
      --version  output version information and exit

If -e is in effect, the following sequences are recognized:

  \\0NNN   the character whose ASCII code is NNN (octal)
  \\\\     backslash
  \\a     alert (BEL)
  \\b     backspace
  \\c     suppress trailing newline
  \\f     form feed
  \\n     new line
  \\r     carriage return
  \\t     horizontal tab
  \\v     vertical tab

Report bugs to <bug-coreutils@gnu.org>.`,
}

export const echo = program({
  ...record,
  *main(argv) {
    const out = new Out(STDOUT)
    let args = argv.slice(1)
    if (args.length === 1 && args[0] === '--help') out.put(helpText(record, argv[0]))
    else if (args.length === 1 && args[0] === '--version') out.put('echo (GNU coreutils) 5.97\n')
    else {
      let newline = true
      let escapes = false
      while (args.length > 0 && /^-[neE]+$/.test(args[0]!)) {
        for (const letter of args[0]!.slice(1)) {
          if (letter === 'n') newline = false
          else escapes = letter === 'e'
        }
        args = args.slice(1)
      }
      let text = args.join(' ')
      if (escapes) {
        const cut = /(?<!\\)(?:\\\\)*\\c/.exec(text)
        if (cut) {
          text = text.slice(0, cut.index + cut[0].length - 2)
          newline = false
        }
        text = text.replace(/\\(0[0-7]{0,3}|[1-7][0-7]{0,2}|[abfnrtv\\])/g, (_all, what: string) =>
          /^\d/.test(what) ? String.fromCharCode(Number.parseInt(what, 8) & 255) : C_ESCAPES[what]!,
        )
      }
      out.put(newline ? `${text}\n` : text)
    }
    return yield* finish('echo', out, 0)
  },
})
