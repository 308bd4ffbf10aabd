/** nano(1) 1.3.12: title bar, text, status, two lines of help. */
import { ENOTTY } from '#abi/posix/errno.ts'
import { OsError } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { eprint, Out, STDOUT } from '../libc/stdio.ts'
import { Terminal, Terminated } from '../terminal/terminal.ts'
import { nanoCommand } from './nano/commands.ts'
import { openFile } from './nano/files.ts'
import { Nano, NanoQuit } from './nano/nano.ts'

const HELP = `
Option		GNU long option		Meaning
-h, -?		--help			Show this message
+LINE					Start at line number LINE
-B		--backup		Save backups of existing files
-V		--version		Print version information and exit
-c		--const			Constantly show cursor position
-i		--autoindent		Automatically indent new lines
-v		--view			View (read only) mode
-w		--nowrap		Don't wrap long lines
-x		--nohelp		Don't show help window
`

export const nano = program({
  name: 'nano',
  usage: 'nano [+LINE] [GNU long option] [option] [file]',
  help: HELP,
  *main(argv, env) {
    const start = argv.find((arg) => /^\+[0-9]+$/.test(arg))
    const args = argv.slice(1).filter((arg) => arg !== start)
    const { options, operands, error } = getopt(args, 'h?BVcivwx', {
      help: 'h',
      backup: 'B',
      version: 'V',
      const: 'c',
      autoindent: 'i',
      view: 'v',
      nowrap: 'w',
      nohelp: 'x',
    })
    if (error !== undefined) {
      yield* eprint(`nano: ${error}\nUsage: ${nano.usage}\n${HELP}`)
      return 1
    }
    const has = (code: string) => options.some((option) => option.code === code)
    if (has('h') || has('?') || has('V')) {
      const out = new Out(STDOUT)
      yield* out.print(has('V') ? ' GNU nano version 1.3.12\n' : `Usage: ${nano.usage}\n${HELP}`)
      yield* out.flush()
      return 0
    }
    let terminal: Terminal
    try {
      terminal = yield* Terminal.open(env)
    } catch (caught) {
      if (!(caught instanceof OsError) || caught.errno !== ENOTTY) throw caught
      yield* eprint('Error opening terminal: unknown.\n')
      return 1
    }
    const ed = new Nano(terminal, {
      backup: has('B'),
      constant: has('c'),
      autoindent: has('i'),
      view: has('v'),
      help: !has('x'),
    })
    try {
      if (operands[0] !== undefined) yield* openFile(ed, operands[0])
      if (start !== undefined) ed.goTo(Number(start) - 1, 0)
      for (;;) yield* nanoCommand(ed)
    } catch (caught) {
      if (caught instanceof Terminated) {
        // What was not saved is saved under another name.
        yield* ed.emergencySave()
        yield* terminal.restore()
        yield* eprint(`Received SIGHUP or SIGTERM\n${ed.saved ? `\nBuffer written to ${ed.saved}\n` : ''}`)
        return 1
      }
      yield* terminal.restore()
      if (caught instanceof NanoQuit) return 0
      throw caught
    }
  },
})
