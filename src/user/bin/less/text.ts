/** A file that is read only as far as somebody looks, and how its lines are drawn. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { type Heap, stringCost } from '../../libc/heap.ts'
import { In } from '../../libc/stdio.ts'
import { BOLD, NORMAL, REVERSE, UNDERLINE } from '../../terminal/display.ts'

/** Lines that are read ahead before memory is asked for again. */
const BATCH = 256

export class PagedText {
  readonly lines: string[] = []
  ended = false
  bytes = 0
  readonly #in: In
  readonly #heap: Heap
  #unpaid = 0

  constructor(fd: number, heap: Heap) {
    this.#in = new In(fd)
    this.#heap = heap
  }

  /** Have `count` lines, if there are so many. */
  *need(count: number): Sys<void> {
    while (!this.ended && this.lines.length < count) {
      const line = this.#in.next() ?? (yield* this.#in.line())
      if (line === undefined) this.ended = true
      else {
        this.lines.push(line)
        this.bytes += line.length + 1
        this.#unpaid += stringCost(line.length)
      }
      if (this.#unpaid > BATCH * 64) {
        yield* this.#heap.keep(this.#unpaid)
        this.#unpaid = 0
      }
    }
  }
}

export interface Drawn {
  readonly text: string
  readonly looks: string
}

/** nroff's overstrikes are bold and underlined; controls are visible; with `raw` colours are taken for what they are: no text. */
export function draw(line: string, raw: boolean): Drawn {
  let text = ''
  let looks = ''
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!
    if (line[i + 1] === '\b' && i + 2 < line.length) {
      const over = line[i + 2]!
      text += char === '_' ? over : char
      looks += char === '_' && over !== '_' ? UNDERLINE : char === over ? BOLD : UNDERLINE
      i += 2
      continue
    }
    const code = char.charCodeAt(0)
    if (char === '\t') {
      const width = 8 - (text.length % 8)
      text += ' '.repeat(width)
      looks += NORMAL.repeat(width)
    } else if (char === '\x1b' && raw) {
      const sequence = /^\x1b\[[0-9;]*[A-Za-z]/.exec(line.slice(i))
      i += (sequence?.[0].length ?? 1) - 1
    } else if (char === '\x1b') {
      text += 'ESC'
      looks += REVERSE.repeat(3)
    } else if (code < 0x20 || code === 0x7f) {
      if (char === '\r' && i === line.length - 1) continue
      text += `^${String.fromCharCode(code ^ 0x40)}`
      looks += REVERSE.repeat(2)
    } else if (code >= 0x80) {
      const hex = `<${code.toString(16).toUpperCase()}>`
      text += hex
      looks += REVERSE.repeat(hex.length)
    } else {
      text += char
      looks += NORMAL
    }
  }
  return { text, looks }
}
