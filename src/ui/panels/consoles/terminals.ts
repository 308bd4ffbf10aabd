/**
 * The xterm terminals, one a console, made when they are first asked for. They live outside React: panels come and go (StrictMode mounts twice), a
 * terminal keeps its content and moves its element.
 */
import type { SearchAddon } from '@xterm/addon-search'
import { type ITheme, Terminal } from '@xterm/xterm'
import type { ConsoleId } from '#protocol/machine.ts'
import type { Session } from '../../session.ts'
import { bindClipboard } from './clipboard.ts'
import { fitTo, lineHeightMin } from './fit.ts'
import { type ConsoleLine, type DomainLine, domainLine, serialLine } from './lines.ts'
import { listenSoftly } from './soft-input.ts'
import '@xterm/xterm/css/xterm.css'

/** A serial line has no size (design D14): the terminal on it is always this large, and its font is scaled to the panel. */
export const terminalColumns = 80
export const terminalRows = 25

const scrollbackRows = 10_000
const DOMAIN = 'domain:'

export type TerminalId = Exclude<ConsoleId, 'monitor'>

/** A terminal, whatever it is plugged into. */
export interface PluggedTerminal {
  readonly terminal: Terminal
  readonly line: ConsoleLine
  /** Show the terminal in `host`, as large as fits. Returns what takes it out again. */
  attach(host: HTMLElement): () => void
  focus(): void
  /** Keys, as bytes in a string. */
  send(keys: string): void
  /** As a terminal pastes: line ends become Enter, in brackets where the program inside asked for them. */
  paste(text: string): void
  /** The next character typed goes out as its control code, then `released` is called. Undefined lets go of it. */
  holdCtrl(released: (() => void) | undefined): void
  /** What is read of the terminal, and how it is left. */
  label(text: string): void
  /** Loaded with the first search. */
  search(): Promise<SearchAddon>
}

export interface ConsoleTerminal extends PluggedTerminal {
  readonly id: TerminalId
  /** The line, if this is a domain's console. */
  readonly domain: DomainLine | undefined
}

/** Joins a terminal to a line of its own: output by `terminal.write`. */
export type Plug = (terminal: Terminal) => ConsoleLine

export interface Terminals {
  get(id: TerminalId): ConsoleTerminal
  /** One that is no console; `dispose` ends it. */
  make(columns: number, rows: number, plug: Plug): PluggedTerminal & { dispose(): void }
  /** Colours have changed. */
  restyle(): void
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
  const made = new Map<TerminalId, ConsoleTerminal>()
  const others = new Set<PluggedTerminal>()
  function get(id: TerminalId): ConsoleTerminal {
    let found = made.get(id)
    if (!found) {
      found = createTerminal(id, session)
      made.set(id, found)
    }
    return found
  }
  session.onSerial((line, bytes) => get(line).terminal.write(bytes))
  return {
    get,
    make(columns, rows, plug) {
      const plugged = plugTerminal(columns, rows, plug)
      others.add(plugged)
      return {
        ...plugged,
        dispose() {
          others.delete(plugged)
          plugged.terminal.dispose()
        },
      }
    },
    restyle() {
      for (const { terminal } of [...made.values(), ...others]) terminal.options.theme = themeColours()
    },
  }
}

function createTerminal(id: TerminalId, session: Session): ConsoleTerminal {
  let domain: DomainLine | undefined
  const plugged = plugTerminal(terminalColumns, terminalRows, (terminal) => {
    if (id === 'com1' || id === 'com2') return serialLine(session, id)
    domain = domainLine(session, id.slice(DOMAIN.length), (bytes, shown) => terminal.write(bytes, shown))
    return domain
  })
  return { ...plugged, id, domain }
}

function plugTerminal(columns: number, rows: number, plug: Plug): PluggedTerminal {
  const terminal = new Terminal({
    cols: columns,
    rows,
    scrollback: scrollbackRows,
    fontFamily: monoFont(),
    lineHeight: lineHeightMin,
    cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    // theme.css's palettes are readable as they are; xterm 6 greys reverse video when it is asked to see to contrast.
    minimumContrastRatio: 1,
    // Marks of what a search has found.
    allowProposedApi: true,
    theme: themeColours(),
  })
  const line = plug(terminal)
  const encoder = new TextEncoder()
  let ctrlHeld: (() => void) | undefined

  function typed(text: string): void {
    const held = ctrlHeld && /^[@-_a-z]$/.test(text)
    line.write(held ? Uint8Array.of(text.charCodeAt(0) & 0x1f) : encoder.encode(text))
    if (held) ctrlHeld?.()
    if (held) ctrlHeld = undefined
  }

  /** Past xterm, which would turn a megabyte over several times before it hands it back. */
  function paste(text: string): void {
    const lines = text.replace(/\r?\n/g, '\r')
    line.write(encoder.encode(terminal.modes.bracketedPasteMode ? `\x1b[200~${lines}\x1b[201~` : lines))
    terminal.scrollToBottom()
  }

  terminal.onData(typed)
  // Bytes that are no text: mouse reports of the old kind.
  terminal.onBinary((text) => line.write(Uint8Array.from(text, (char) => char.charCodeAt(0))))

  const element = document.createElement('div')
  element.className = 'terminal-element'
  let name = ''
  let found: Promise<SearchAddon> | undefined

  function open(): void {
    terminal.open(element)
    const field = terminal.textarea
    if (!field) return
    field.setAttribute('aria-label', name)
    // Text for a machine is no prose.
    for (const attribute of ['autocorrect', 'autocapitalize', 'autocomplete']) field.setAttribute(attribute, 'off')
    field.spellcheck = false
    listenSoftly(element, field, { text: typed })
    bindClipboard(element, terminal, paste)
  }

  return {
    terminal,
    line,
    attach(host) {
      host.append(element)
      if (!terminal.element) open()
      let fitted = ''
      // Finding the size is a dozen layouts: not for a host that is as large as it was.
      function refit(): void {
        const { width, height } = host.getBoundingClientRect()
        const size = `${width} ${height} ${devicePixelRatio}`
        if (size === fitted) return
        fitted = size
        fitTo(host, terminal)
      }
      const observer = new ResizeObserver(refit)
      observer.observe(host)
      refit()
      // From here on its text is in the accessibility tree. Before, each try of the fit would have had every row of it measured.
      terminal.options.screenReaderMode = true
      return () => {
        observer.disconnect()
        element.remove()
      }
    },
    focus: () => terminal.focus(),
    send: (keys) => line.write(encoder.encode(keys)),
    paste,
    holdCtrl(released) {
      ctrlHeld = released
    },
    label(text) {
      name = text
      terminal.textarea?.setAttribute('aria-label', text)
    },
    search() {
      found ??= import('@xterm/addon-search').then(({ SearchAddon }) => {
        const addon = new SearchAddon()
        terminal.loadAddon(addon)
        return addon
      })
      return found
    },
  }
}
