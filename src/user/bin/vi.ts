/** vi(1): what CentOS 5 calls vi, vim-minimal 7.0, small but true. */
import { ENOMEM, ENOTTY } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../libc/errno.ts'
import { program } from '../libc/program.ts'
import { eprint, Out, STDOUT } from '../libc/stdio.ts'
import { Terminal, Terminated } from '../terminal/terminal.ts'
import { Editor, Failed, Quit, ViError } from './vi/editor.ts'
import { exCommand } from './vi/ex.ts'
import { edit } from './vi/files.ts'
import { normalCommand } from './vi/normal.ts'

const HELP = `   --			Only file names after this
   -R			Readonly mode (like "view")
   +			Start at end of file
   +<lnum>		Start at line <lnum>
   +/<pattern>		Start at the first line with <pattern>
   -c <command>		Execute <command> after loading the first file
   --cmd <command>	(the same)
   -h  or  --help	Print Help (this message) and exit
   --version		Print version information and exit
`

const record = (name: 'vi' | 'view') =>
  program({
    name,
    usage: `${name} [arguments] [file ..]`,
    help: HELP,
    *main(argv, env) {
      let readonly = name === 'view'
      const commands: string[] = []
      const files: string[] = []
      for (let i = 1; i < argv.length; i++) {
        const arg = argv[i]!
        if (arg === '--') {
          files.push(...argv.slice(i + 1))
          break
        }
        if (arg === '-h' || arg === '--help') {
          yield* printOut(
            `VIM - Vi IMproved 7.0 (2006 May 7)\n\nusage: ${name} [arguments] [file ..]\n\nArguments:\n${HELP}`,
          )
          return 0
        }
        if (arg === '--version') {
          yield* printOut('VIM - Vi IMproved 7.0 (2006 May 7)\nSmall version without GUI.\n')
          return 0
        }
        if (arg === '-R') readonly = true
        else if (arg === '-c' || arg === '--cmd') commands.push(argv[++i] ?? '')
        else if (arg.startsWith('+')) commands.push(arg === '+' ? '$' : arg.slice(1))
        else if (arg.startsWith('-') && arg !== '-') {
          yield* eprint(
            `VIM - Vi IMproved 7.0 (2006 May 7)\nUnknown option argument: "${arg}"\nMore info with: "vim -h"\n`,
          )
          return 1
        } else files.push(arg)
      }
      let terminal: Terminal
      try {
        terminal = yield* Terminal.open(env)
      } catch (error) {
        if (!(error instanceof OsError) || error.errno !== ENOTTY) throw error
        yield* eprint('Vim: Warning: Input is not from a terminal\n')
        return 1
      }
      return yield* session(new Editor(terminal, env), files, commands, readonly)
    },
  })

export const vi = record('vi')
export const view = record('view')

function* session(ed: Editor, files: readonly string[], commands: readonly string[], readonly: boolean): Sys<number> {
  ed.files = files
  try {
    yield* guarded(ed, edit(ed, files[0], readonly))
    for (const command of commands) yield* guarded(ed, exCommand(ed, command))
    yield* ed.commit()
    for (;;) yield* guarded(ed, normalCommand(ed))
  } catch (error) {
    if (error instanceof Quit) {
      yield* ed.terminal.restore()
      // What was written stays to be read.
      if (ed.message.endsWith(' written')) yield* printOut(`\r${ed.message}\n`)
      return error.status
    }
    yield* ed.terminal.restore()
    if (error instanceof Terminated) {
      yield* eprint(`Vim: Caught deadly signal ${error.signo === 1 ? 'HUP' : 'TERM'}\nVim: Finished.\n`)
      return 1
    }
    throw error
  }
}

/** Commands fail by exceptions; the session goes on. */
function* guarded(ed: Editor, command: Sys<void>): Sys<void> {
  try {
    yield* command
  } catch (error) {
    ed.commandLine = undefined
    if (error instanceof Failed) {
      ed.terminal.display.bell()
      if (ed.mode !== 'visual' && ed.mode !== 'visual-line') ed.mode = 'normal'
    } else if (error instanceof ViError) {
      ed.complain(error.message)
      ed.mode = 'normal'
    } else if (error instanceof OsError && error.errno === ENOMEM) {
      ed.complain('E342: Out of memory!')
      ed.mode = 'normal'
    } else throw error
    ed.queue = []
    yield* ed.commit()
    ed.clamp()
  }
}

function* printOut(text: string): Sys<void> {
  const out = new Out(STDOUT)
  yield* out.print(text)
  yield* out.flush()
}
