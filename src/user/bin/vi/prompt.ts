/** The bottom row as a place to type a line: `:`, `/` and `?`. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Editor } from './editor.ts'
import type { History } from './history.ts'

/** The line, or undefined if it was given up. */
export function* prompt(ed: Editor, mark: string, history: History, initial = ''): Sys<string | undefined> {
  let text = initial
  let at = text.length
  let index = history.entries.length
  try {
    for (;;) {
      let shown = mark
      let cursor = mark.length
      for (let i = 0; i < text.length; i++) {
        if (i === at) cursor = shown.length
        const code = text.charCodeAt(i)
        shown += code < 0x20 || code === 0x7f ? `^${String.fromCharCode(code ^ 0x40)}` : text[i]
      }
      if (at === text.length) cursor = shown.length
      ed.commandLine = { text: shown, cursor }
      const key = yield* ed.key()
      switch (key) {
        case '\r':
        case '\n':
          history.add(text)
          return text
        case '\x1b':
        case '\x03':
          return undefined
        case '\b':
        case '\x7f':
          if (text === '') return undefined
          if (at > 0) text = text.slice(0, at - 1) + text.slice(at--)
          break
        case 'Delete':
          text = text.slice(0, at) + text.slice(at + 1)
          break
        case '\x15':
          text = text.slice(at)
          at = 0
          break
        case '\x17': {
          const left = text.slice(0, at).replace(/(\w+|[^\w\s]+|^)\s*$/, '')
          text = left + text.slice(at)
          at = left.length
          break
        }
        case 'Left':
          at = Math.max(0, at - 1)
          break
        case 'Right':
          at = Math.min(text.length, at + 1)
          break
        case '\x02':
        case 'Home':
          at = 0
          break
        case '\x05':
        case 'End':
          at = text.length
          break
        case 'Up':
        case '\x10':
        case 'Down':
        case '\x0e': {
          index = Math.max(0, Math.min(history.entries.length, index + (key === 'Up' || key === '\x10' ? -1 : 1)))
          text = history.entries[index] ?? ''
          at = text.length
          break
        }
        case '\x16': {
          const char = yield* ed.literal()
          text = text.slice(0, at) + char + text.slice(at)
          at += char.length
          break
        }
        default:
          if (key.length === 1) {
            text = text.slice(0, at) + key + text.slice(at)
            at++
          }
      }
    }
  } finally {
    ed.commandLine = undefined
  }
}
