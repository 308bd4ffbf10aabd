/**
 * asciicast v2 (docs.asciinema.org/manual/asciicast/v2): a header, then `[seconds, "o", text]` a line. Times are virtual, from the line's first
 * byte on; text is UTF-8, a character never cut in two.
 */
import { utf8Stream } from '#lib/utf8-stream.ts'

export interface Heard {
  /** Virtual ns. */
  readonly atNs: number
  readonly bytes: Uint8Array
}

export interface CastOptions {
  readonly columns: number
  readonly rows: number
  readonly title: string
  /** Seconds since 1970, of the machine's own clock. */
  readonly timestamp: number
}

/** So much of a line is kept; what came first goes first. */
export const CAST_BYTES_MAX = 16 * 1024 * 1024

/** What a serial line said, and when. */
export class CastRecorder {
  readonly #max: number
  #heard: Heard[] = []
  #bytes = 0

  constructor(max = CAST_BYTES_MAX) {
    this.#max = max
  }

  /** Virtual time that goes back is that of another machine. */
  add(atNs: number, bytes: Uint8Array): void {
    const last = this.#heard.at(-1)
    if (last && atNs < last.atNs) this.clear()
    this.#heard.push({ atNs, bytes })
    this.#bytes += bytes.length
    let gone = 0
    while (this.#bytes > this.#max && gone < this.#heard.length) this.#bytes -= this.#heard[gone++]!.bytes.length
    if (gone > 0) this.#heard = this.#heard.slice(gone)
  }

  clear(): void {
    this.#heard = []
    this.#bytes = 0
  }

  cast(options: CastOptions): string {
    return asciicast(this.#heard, options)
  }
}

export function asciicast(heard: readonly Heard[], { columns, rows, title, timestamp }: CastOptions): string {
  const lines = [JSON.stringify({ version: 2, width: columns, height: rows, timestamp, title })]
  const decode = utf8Stream()
  const firstNs = heard[0]?.atNs ?? 0
  for (const { atNs, bytes } of heard) {
    const text = decode(bytes)
    if (text !== '') lines.push(JSON.stringify([seconds(atNs - firstNs), 'o', text]))
  }
  return lines.join('\n') + '\n'
}

/** To the microsecond. */
const seconds = (ns: number): number => Math.round(ns / 1000) / 1e6
