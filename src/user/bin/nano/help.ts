/** nano's ^G: its help text, shown in place of the file. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { page, vertical } from './moves.ts'
import type { Nano } from './nano.ts'

const HELP_TEXT: readonly string[] = [
  ' nano help text',
  '',
  ' The nano editor is designed to emulate the functionality and ease-of-use of',
  ' the UW Pico text editor.  There are four main sections of the editor.  The',
  ' top line shows the program version, the current filename being edited, and',
  ' whether or not the file has been modified.  Next is the main editor window',
  ' showing the file being edited.  The status line is the third line from the',
  ' bottom and shows important messages.  The bottom two lines show the most',
  ' commonly used shortcuts in the editor.',
  '',
  ' The following keystrokes are available in the main editor window:',
  '',
  ' ^G       Display this help text',
  ' ^X       Exit from nano',
  ' ^O       Write the current file to disk',
  ' ^R       Insert another file into the current one',
  ' ^W       Search for text within the editor',
  ' ^\\       Replace text within the editor',
  ' ^Y ^V    Move to the previous, the next screen',
  ' ^K       Cut the current line and store it in the cutbuffer',
  ' ^U       Uncut from the cutbuffer into the current line',
  ' ^C       Show the position of the cursor',
  ' ^_       Go to a specific line number',
  ' ^J       Justify the current paragraph',
  ' ^A ^E    Move to the beginning, the end of the line',
  ' ^B ^F ^P ^N  Move one character back, forward, one line up, down',
  ' ^D       Delete the character under the cursor',
]

export function* help(ed: Nano): Sys<void> {
  const { display } = ed.terminal
  const before = ed.shortcuts
  ed.shortcuts = [['^X', 'Exit']]
  const view = { lines: ed.lines, line: ed.line, col: ed.col, top: ed.top, file: ed.file, modified: ed.modified }
  Object.assign(ed, { lines: [...HELP_TEXT], line: 0, col: 0, top: 0, file: '', modified: false })
  try {
    for (;;) {
      const key = yield* ed.key()
      if (key === '\x18' || key === '\x03' || key === '\x07') break
      if (key === 'Down' || key === '\x0e') vertical(ed, 1)
      else if (key === 'Up' || key === '\x10') vertical(ed, -1)
      else if (key === '\x16' || key === 'PageDown' || key === ' ') page(ed, 1)
      else if (key === '\x19' || key === 'PageUp') page(ed, -1)
    }
  } finally {
    ed.shortcuts = before
    Object.assign(ed, view)
    display.invalidate()
  }
}
