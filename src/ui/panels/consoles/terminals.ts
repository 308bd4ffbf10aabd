/**
 * The xterm terminals, one a serial line. They live outside React: panels come and go (StrictMode mounts twice), a terminal keeps its
 * content and moves its element.
 */
import { type ITheme, Terminal } from '@xterm/xterm'
import type { SerialLine } from '#protocol/machine.ts'
import type { Session } from '../../session.ts'
import '@xterm/xterm/css/xterm.css'

/** A serial line has no size (design D14): the terminal on it is always this large, and its font is scaled to the panel. */
export const terminalColumns = 80
export const terminalRows = 25

const fontPxMin = 4
const fontPxMax = 28
/** Rows are pulled apart this far where there is room. */
const lineHeightMin = 1.05
const lineHeightMax = 1.35
/** Room at the right for xterm's scroll bar. A finger needs none of it: app.css makes it a line. */
const scrollbarPx = matchMedia('(pointer: coarse)').matches ? 5 : 14

export interface SerialTerminal {
  readonly line: SerialLine
  readonly terminal: Terminal
  /** Show the terminal in `host`, as large as fits. Returns what takes it out again. */
  attach(host: HTMLElement): () => void
  focus(): void
  /** The next character typed goes out as its control code, then `released` is called. Undefined lets go of it. */
  holdCtrl(released: (() => void) | undefined): void
}

export interface Terminals {
  readonly com1: SerialTerminal
  readonly com2: SerialTerminal
  /** Colours and labels have changed. */
  restyle(labels: Record<SerialLine, string>): void
}

/** xterm's colours by theme.css's tokens: `--term-red` and so on. */
const colourNames = [
  'background',
  'foreground',
  'cursor',
  'cursorAccent',
  'selectionBackground',
  'black',
  'red',
  'green',
  'yellow',
  'blue',
  'magenta',
  'cyan',
  'white',
  'brightBlack',
  'brightRed',
  'brightGreen',
  'brightYellow',
  'brightBlue',
  'brightMagenta',
  'brightCyan',
  'brightWhite',
  'scrollbarSliderBackground',
  'scrollbarSliderHoverBackground',
  'scrollbarSliderActiveBackground',
] as const satisfies readonly (keyof ITheme)[]

function themeColours(): ITheme {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string) =>
    style.getPropertyValue(`--term-${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`)
  return Object.fromEntries(colourNames.map((name) => [name, token(name).trim()]))
}

const monoFont = () => getComputedStyle(document.documentElement).getPropertyValue('--font-mono').trim()

export function createTerminals(session: Session): Terminals {
  const com1 = createTerminal('com1', session)
  const com2 = createTerminal('com2', session)
  session.onSerial((line, bytes) => (line === 'com1' ? com1 : com2).terminal.write(bytes))
  return {
    com1,
    com2,
    restyle(labels) {
      for (const { line, terminal } of [com1, com2]) {
        terminal.options.theme = themeColours()
        terminal.textarea?.setAttribute('aria-label', labels[line])
      }
    },
  }
}

function createTerminal(line: SerialLine, session: Session): SerialTerminal {
  const terminal = new Terminal({
    cols: terminalColumns,
    rows: terminalRows,
    scrollback: 5000,
    fontFamily: monoFont(),
    lineHeight: lineHeightMin,
    cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    // theme.css's palettes are readable as they are; xterm 6 greys reverse video when it is asked to see to contrast.
    minimumContrastRatio: 1,
    screenReaderMode: true,
    theme: themeColours(),
  })
  const encoder = new TextEncoder()
  let ctrlHeld: (() => void) | undefined
  terminal.onData((text) => {
    const held = ctrlHeld && /^[@-_a-z]$/.test(text)
    session.serialIn(line, held ? [text.charCodeAt(0) & 0x1f] : [...encoder.encode(text)])
    if (held) ctrlHeld?.()
    if (held) ctrlHeld = undefined
  })
  // Bytes that are no text: mouse reports of the old kind.
  terminal.onBinary((text) =>
    session.serialIn(
      line,
      Array.from(text, (char) => char.charCodeAt(0)),
    ),
  )
  terminal.attachCustomKeyEventHandler((event) => {
    // The way out of the terminal: Tab belongs to the guest, F6 to the page.
    if (event.key === 'F6') return false
    const { ctrlKey, altKey, metaKey, shiftKey } = event
    // Copy and paste by Ctrl-Shift, as in every terminal; Ctrl-A, Ctrl-W and Ctrl-T go to the guest where the browser lets go of them.
    if (ctrlKey && shiftKey && /^v$/i.test(event.key)) return false
    if (ctrlKey && shiftKey && /^c$/i.test(event.key)) {
      event.preventDefault()
      if (event.type === 'keydown') void navigator.clipboard?.writeText(terminal.getSelection())
      return false
    }
    if (ctrlKey && !altKey && !metaKey && /^[a-z]$/i.test(event.key)) event.preventDefault()
    return true
  })
  const element = document.createElement('div')
  element.className = 'terminal-element'
  let opened = false

  function attach(host: HTMLElement): () => void {
    host.append(element)
    if (!opened) {
      terminal.open(element)
      opened = true
    }
    const refit = () => fitTo(host, terminal)
    const observer = new ResizeObserver(refit)
    observer.observe(host)
    refit()
    return () => {
      observer.disconnect()
      element.remove()
    }
  }

  return {
    line,
    terminal,
    attach,
    focus: () => terminal.focus(),
    holdCtrl(released) {
      ctrlHeld = released
    },
  }
}

/** The largest font with which all columns and rows fit into `host`; then rows as far apart as the height allows. */
function fitTo(host: HTMLElement, terminal: Terminal): void {
  const screen = terminal.element?.querySelector<HTMLElement>('.xterm-screen')
  const { width, height } = host.getBoundingClientRect()
  if (!screen || width === 0 || height === 0) return
  const { options } = terminal
  const fits = (): boolean => {
    const box = screen.getBoundingClientRect()
    return box.width <= width - scrollbarPx && box.height <= height
  }
  options.lineHeight = lineHeightMin
  // Cells are whole device pixels, so the size is found by looking, from an estimate down.
  const before = screen.getBoundingClientRect()
  const scale = before.width > 0 ? Math.min((width - scrollbarPx) / before.width, height / before.height) : 1
  const estimate = Math.floor(((options.fontSize ?? 15) * scale + 0.75) * 4) / 4
  for (let px = Math.min(fontPxMax, Math.max(fontPxMin, estimate)); px >= fontPxMin; px -= 0.25) {
    options.fontSize = px
    if (fits()) break
  }
  const room = height / screen.getBoundingClientRect().height
  options.lineHeight = Math.max(lineHeightMin, Math.min(lineHeightMax, lineHeightMin * room))
  while (!fits() && options.lineHeight > lineHeightMin)
    options.lineHeight = Math.max(lineHeightMin, options.lineHeight - 0.02)
}
