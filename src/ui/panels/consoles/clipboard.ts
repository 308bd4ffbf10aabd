/** A terminal and the clipboard: the keys that every terminal has for it, and the browser's own menu. */
import type { Terminal } from '@xterm/xterm'

/** Set on the panel's element by a key, for the panel to act on. */
export const SEARCH_EVENT = 'terminal-search'

/** What is selected; else all that there is. */
export function copiedText(terminal: Terminal): string {
  if (terminal.hasSelection()) return terminal.getSelection()
  const { buffer } = terminal
  const rows = Array.from({ length: buffer.active.length }, (_, row) => buffer.active.getLine(row))
  let text = ''
  for (const row of rows) text += (row?.isWrapped ? '' : '\n') + (row?.translateToString(true) ?? '')
  return `${text.slice(1).trimEnd()}\n`
}

/** False: the browser does not let us. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

/** Undefined: the browser does not let us. */
export async function clipboardText(): Promise<string | undefined> {
  try {
    return await navigator.clipboard.readText()
  } catch {
    return undefined
  }
}

const isKey = ({ key, ctrlKey, shiftKey }: KeyboardEvent, letter: string): boolean =>
  ctrlKey && shiftKey && key.toLowerCase() === letter

export function bindClipboard(element: HTMLElement, terminal: Terminal, paste: (text: string) => void): void {
  // xterm would have the browser put the whole text into its text field besides.
  element.addEventListener(
    'paste',
    (event) => {
      event.preventDefault()
      event.stopPropagation()
      paste(event.clipboardData?.getData('text/plain') ?? '')
    },
    { capture: true },
  )
  terminal.attachCustomKeyEventHandler((event) => {
    // The way out of the terminal: Tab belongs to the guest, F6 to the page.
    if (event.key === 'F6') return false
    const { ctrlKey, altKey, metaKey } = event
    // Ctrl-Shift is the terminal's own, as in every terminal; Ctrl-A, Ctrl-W and Ctrl-T go to the guest where the browser lets go of them.
    if (isKey(event, 'v')) return false
    if (isKey(event, 'c')) {
      event.preventDefault()
      if (event.type === 'keydown' && terminal.hasSelection()) void copyText(terminal.getSelection())
      return false
    }
    if (isKey(event, 'f')) {
      event.preventDefault()
      if (event.type === 'keydown') element.dispatchEvent(new CustomEvent(SEARCH_EVENT, { bubbles: true }))
      return false
    }
    if (ctrlKey && !altKey && !metaKey && /^[a-z]$/i.test(event.key)) event.preventDefault()
    return true
  })
}
