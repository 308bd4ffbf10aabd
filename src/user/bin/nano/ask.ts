/** Questions on nano's status line. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Nano, Shortcut } from './nano.ts'

const CANCEL: Shortcut = ['^C', 'Cancel']

/** A line of text; undefined: cancelled. `extra` keys end it too and come back as the second value. */
export function* askText(
  ed: Nano,
  question: string,
  initial: string,
  shortcuts: readonly Shortcut[],
  extra = '',
): Sys<readonly [text: string, key: string] | undefined> {
  const before = ed.shortcuts
  ed.shortcuts = [['^G', 'Get Help'], CANCEL, ...shortcuts]
  ed.status = ''
  let text = initial
  let at = text.length
  try {
    for (;;) {
      const shown = question + text.replace(/[\x00-\x1f]/g, (c) => `^${String.fromCharCode(c.charCodeAt(0) ^ 0x40)}`)
      ed.prompt = { text: shown, cursor: question.length + at }
      const key = yield* ed.key()
      if (key === '\r' || key === '\n') return [text, '\r']
      if (key === '\x03' || key === '\x1b') {
        ed.status = 'Cancelled'
        return undefined
      }
      if (extra.includes(key) && key.length === 1) return [text, key]
      if (key === '\b' || key === '\x7f') {
        if (at > 0) {
          text = text.slice(0, at - 1) + text.slice(at)
          at--
        }
      } else if (key === 'Delete' || key === '\x04') text = text.slice(0, at) + text.slice(at + 1)
      else if (key === 'Left' || key === '\x02') at = Math.max(0, at - 1)
      else if (key === 'Right' || key === '\x06') at = Math.min(text.length, at + 1)
      else if (key === 'Home' || key === '\x01') at = 0
      else if (key === 'End' || key === '\x05') at = text.length
      else if (key === '\x15' || key === '\x0b') {
        text = ''
        at = 0
      } else if (key.length === 1 && (key >= ' ' || key === '\t')) {
        text = text.slice(0, at) + key + text.slice(at)
        at++
      }
    }
  } finally {
    ed.prompt = undefined
    ed.shortcuts = before
  }
}

/** Yes, no, all if it is offered, or cancelled. */
export function* askYesNo(ed: Nano, question: string, all: boolean): Sys<'yes' | 'no' | 'all' | undefined> {
  const before = ed.shortcuts
  ed.shortcuts = [[' Y', 'Yes'], [' N', 'No'], ...(all ? [[' A', 'All'] as const] : []), CANCEL]
  ed.status = ''
  ed.prompt = { text: question, cursor: question.length }
  try {
    for (;;) {
      const key = yield* ed.key()
      if (key === 'y' || key === 'Y') return 'yes'
      if (key === 'n' || key === 'N') return 'no'
      if (all && (key === 'a' || key === 'A')) return 'all'
      if (key === '\x03') {
        ed.status = 'Cancelled'
        return undefined
      }
    }
  } finally {
    ed.prompt = undefined
    ed.shortcuts = before
  }
}
