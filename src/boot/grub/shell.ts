/** GRUB's command line (enter_cmdline of stage2/cmdline.c), with the words of Red Hat's GRUB. */
import { readLine } from './cmdline.ts'
import { GrubError } from './errors.ts'
import type { Grub } from './grub.ts'
import { RestartCommandLine, type Run } from './run.ts'
import { printError, runLine, startAfresh } from './script.ts'

const PROMPT = 'grub> '
/** The buffer of the command line; what is longer than a line of readLine is cut there. */
const BUFFER_BYTES = 2048

/** Clear the screen and show version and memory. */
export function* initPage({ tty, memory, version }: Grub): Run {
  yield* tty.clear()
  yield* tty.print(
    `\n    GNU GRUB  version ${version}  (${memory.lowerKib}K lower / ${memory.upperKib}K upper memory)\n\n`,
  )
}

/** What can be done at a prompt, and what Esc does there. */
export function* printPromptHelp({ tty }: Grub, kind: 'menu behind' | 'for ever' | 'edit'): Run {
  const atEscape = {
    'menu behind': '  ESC at any time exits.',
    'for ever': '',
    edit: '  ESC at any time cancels.  ENTER \n   at any time accepts your changes.',
  }[kind]
  yield* tty.print(
    ' [ Minimal BASH-like line editing is supported.  For the first word, TAB\n' +
      '   lists possible command completions.  Anywhere else TAB lists the possible\n' +
      `   completions of a device/filename.${atEscape}]\n`,
  )
}

/** Take commands until Esc. `forever`: there is no menu to go back to. */
export function* runCommandLine(grub: Grub, forever: boolean): Run {
  const { tty } = grub
  startAfresh(grub)
  for (let repaint = true; ; ) {
    if (repaint) {
      yield* initPage(grub)
      yield* printPromptHelp(grub, forever ? 'for ever' : 'menu behind')
      repaint = false
    }
    const line = yield* readLine(grub, { prompt: PROMPT, max: BUFFER_BYTES, readline: true })
    if (line === undefined) return
    if (line === '') continue
    tty.lineCount = tty.usePager ? 0 : undefined
    try {
      yield* runLine(grub, line, 'prompt')
    } catch (caught) {
      if (caught instanceof RestartCommandLine) repaint = true
      else if (caught instanceof GrubError) yield* printError(grub, caught)
      else throw caught
    }
    tty.lineCount = undefined
  }
}
