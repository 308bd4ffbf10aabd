/** How the line being edited looks on the terminal: prompt and text, wrapped at its width, with as little output as may be. */
import type { Sys } from '#abi/posix/syscalls.ts'

/** What a character takes: control characters are shown as ^X. */
const shownAs = (c: string): string => {
  const code = c.charCodeAt(0)
  return code < 32 ? '^' + String.fromCharCode(code + 64) : code === 127 ? '^?' : c
}

const visible = (text: string): string => {
  let out = ''
  for (const c of text) out += shownAs(c)
  return out
}

/** A character of UTF-8 goes on here: the terminals on a host's lines show it in one cell, whatever the locale of the shell. */
export const isTail = (c: string): boolean => c >= '\x80' && c < '\xc0'

const cells = (text: string): number => text.replace(/[\x80-\xbf]/g, '').length

/** Cells of a prompt: what stands between \[ and \], and escape sequences, take none. */
const promptWidth = (prompt: string): number =>
  cells(prompt.replace(/\x01[^\x02]*\x02/g, '').replace(/\x1b\[[0-9;]*[A-Za-z]/g, ''))

/** Without the marks around what takes no cell. */
export const bare = (prompt: string): string => prompt.replace(/[\x01\x02]/g, '')

export class EditScreen {
  readonly #write: (text: string) => Sys<void>
  columns = 80
  #prompt = ''
  #width = 0
  /** What is on the screen: text and the cursor's cell, counted from the prompt's beginning. */
  #text = ''
  #cell = 0

  constructor(write: (text: string) => Sys<void>) {
    this.#write = write
  }

  /** A new line to be edited. Only the last line of a prompt takes part in it. */
  *begin(prompt: string, columns: number): Sys<void> {
    this.columns = Math.max(2, columns)
    this.#prepare(prompt)
    yield* this.#write(bare(prompt))
  }

  #prepare(prompt: string): void {
    const last = prompt.lastIndexOf('\n') + 1
    this.#prompt = bare(prompt.slice(last))
    this.#width = promptWidth(prompt.slice(last))
    this.#text = ''
    this.#cell = this.#width
  }

  /** Another prompt in its place: incremental search. */
  *reprompt(prompt: string, text: string, cursor: number): Sys<void> {
    const up = Math.floor(this.#cell / this.columns)
    this.#prompt = prompt
    this.#width = promptWidth(prompt)
    yield* this.#redraw(text, cursor, up)
  }

  /** Show `text` with the cursor before its character number `cursor`. */
  *show(text: string, cursor: number): Sys<void> {
    const shown = visible(text)
    const target = this.#width + cells(visible(text.slice(0, cursor)))
    const old = this.#text
    const end = this.#width + cells(old)
    if (shown === old) {
      yield* this.#move(target)
      return
    }
    if (this.#cell === end && shown.startsWith(old) && target === this.#width + cells(shown)) {
      // Typed at the end.
      const added = shown.slice(old.length)
      this.#text = shown
      this.#cell = target
      yield* this.#write(target % this.columns === 0 ? `${added} \r` : added)
      return
    }
    if (
      this.#cell === end &&
      old.startsWith(shown) &&
      target === this.#width + cells(shown) &&
      Math.floor(target / this.columns) === Math.floor(end / this.columns)
    ) {
      const gone = cells(old) - cells(shown)
      this.#text = shown
      this.#cell = target
      yield* this.#write(`${'\b'.repeat(gone)}\x1b[K`)
      return
    }
    yield* this.#redraw(text, cursor, Math.floor(this.#cell / this.columns))
  }

  *#redraw(text: string, cursor: number, up: number): Sys<void> {
    const shown = visible(text)
    const target = this.#width + cells(visible(text.slice(0, cursor)))
    const end = this.#width + cells(shown)
    let out = `${up > 0 ? `\x1b[${up}A` : ''}\r${this.#prompt}${shown}`
    // At the right edge the cursor hangs: bring it down.
    if (end % this.columns === 0 && end > 0) out += ' \r'
    out += '\x1b[J'
    this.#text = shown
    this.#cell = end
    yield* this.#write(out + this.#path(target))
    this.#cell = target
  }

  #path(target: number): string {
    if (target === this.#cell) return ''
    const rows = Math.floor(target / this.columns) - Math.floor(this.#cell / this.columns)
    const column = target % this.columns
    if (rows === 0 && target < this.#cell && this.#cell - target <= 4) return '\b'.repeat(this.#cell - target)
    let out = rows < 0 ? `\x1b[${-rows}A` : rows > 0 ? `\x1b[${rows}B` : ''
    out += '\r'
    if (column > 0) out += `\x1b[${column}C`
    return out
  }

  *#move(target: number): Sys<void> {
    const path = this.#path(target)
    this.#cell = target
    if (path !== '') yield* this.#write(path)
  }

  /** Leave the line: the cursor goes below it. */
  *end(): Sys<void> {
    yield* this.#move(this.#width + cells(this.#text))
    yield* this.#write((this.#width + cells(this.#text)) % this.columns === 0 && this.#text !== '' ? '' : '\n')
  }

  /** Something else is to be printed below; then the line comes again. */
  *below(text: string): Sys<void> {
    yield* this.#move(this.#width + cells(this.#text))
    yield* this.#write(`\n${text}`)
  }

  /** Something has come meanwhile: its lines stand above, and the line that is being edited comes again. */
  *above(said: string, text: string, cursor: number): Sys<void> {
    const up = Math.floor(this.#cell / this.columns)
    yield* this.#write(`${up > 0 ? `\x1b[${up}A` : ''}\r\x1b[J${said}`)
    yield* this.#redraw(text, cursor, 0)
  }

  *again(prompt: string, text: string, cursor: number): Sys<void> {
    this.#prepare(prompt)
    yield* this.#redraw(text, cursor, 0)
  }

  *clear(prompt: string, text: string, cursor: number): Sys<void> {
    yield* this.#write('\x1b[H\x1b[2J')
    yield* this.again(prompt, text, cursor)
  }

  *bell(): Sys<void> {
    yield* this.#write('\x07')
  }
}
