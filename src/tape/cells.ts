/** The character cells of a terminal's screen: rows of code points with their graphic rendition. */

/** A colour of the 256 (xterm's numbering: 0-7, bright 8-15, cube, greys), 24-bit as 0x1rrggbb, or undefined for the terminal's own. */
export type Colour = number | undefined

export interface Cell {
  /** '' is the right half of a wide character. */
  readonly text: string
  readonly style: Style
}

const BOLD = 1
const REVERSE = 2
const UNDERLINE = 4

/** Graphic rendition; immutable. */
export class Style {
  readonly foreground: Colour
  readonly background: Colour
  readonly #flags: number

  constructor(foreground: Colour, background: Colour, flags: number) {
    this.foreground = foreground
    this.background = background
    this.#flags = flags
  }

  get bold(): boolean {
    return (this.#flags & BOLD) !== 0
  }

  get reverse(): boolean {
    return (this.#flags & REVERSE) !== 0
  }

  get underline(): boolean {
    return (this.#flags & UNDERLINE) !== 0
  }

  /** What an erased cell looks like: the background colour stays (xterm's bce). */
  erased(): Style {
    return this.background === undefined ? PLAIN : new Style(undefined, this.background, 0)
  }

  /** SGR. Parameters without a meaning here (blink, italics) are skipped. */
  select(parameters: readonly number[]): Style {
    let { foreground, background } = this
    let flags = this.#flags
    for (let i = 0; i < parameters.length; i++) {
      const code = parameters[i]!
      if (code === 0) {
        foreground = undefined
        background = undefined
        flags = 0
      } else if (code === 1) flags |= BOLD
      else if (code === 4) flags |= UNDERLINE
      else if (code === 7) flags |= REVERSE
      else if (code === 22) flags &= ~BOLD
      else if (code === 24) flags &= ~UNDERLINE
      else if (code === 27) flags &= ~REVERSE
      else if (code >= 30 && code <= 37) foreground = code - 30
      else if (code === 39) foreground = undefined
      else if (code >= 40 && code <= 47) background = code - 40
      else if (code === 49) background = undefined
      else if (code >= 90 && code <= 97) foreground = code - 90 + 8
      else if (code >= 100 && code <= 107) background = code - 100 + 8
      else if (code === 38 || code === 48) {
        const { colour, used } = extendedColour(parameters, i + 1)
        if (code === 38) foreground = colour ?? foreground
        else background = colour ?? background
        i += used
      }
    }
    return new Style(foreground, background, flags)
  }
}

/** `5;n` or `2;r;g;b` after 38 or 48. */
function extendedColour(parameters: readonly number[], at: number): { colour: Colour; used: number } {
  const part = (index: number): number => Math.min(255, parameters[at + index] ?? 0)
  if (parameters[at] === 5) return { colour: part(1), used: 2 }
  if (parameters[at] === 2) return { colour: 0x1000000 + part(1) * 65536 + part(2) * 256 + part(3), used: 4 }
  return { colour: undefined, used: 1 }
}

export const PLAIN = new Style(undefined, undefined, 0)

const BLANK = 0x20
/** Marks the right half of a wide character. */
const RIGHT_HALF = 0

export class Row {
  /** The row above wrapped into this one: both are one line. */
  continued = false
  readonly #codePoints: Uint32Array
  readonly #styles: Style[]
  #text: string | undefined

  constructor(codePoints: Uint32Array, styles: Style[]) {
    this.#codePoints = codePoints
    this.#styles = styles
  }

  /** Without trailing blanks. */
  text(): string {
    this.#text ??= this.wholeText().replace(/ +$/, '')
    return this.#text
  }

  wholeText(): string {
    let text = ''
    for (const point of this.#codePoints) if (point !== RIGHT_HALF) text += String.fromCodePoint(point)
    return text
  }

  cell(column: number): Cell | undefined {
    const codePoint = this.#codePoints[column]
    if (codePoint === undefined) return undefined
    return { text: codePoint === RIGHT_HALF ? '' : String.fromCodePoint(codePoint), style: this.#styles[column]! }
  }

  set(column: number, codePoint: number, width: number, style: Style): void {
    for (let i = column; i < column + width; i++) this.#breakWide(i)
    for (let i = 0; i < width; i++) {
      this.#codePoints[column + i] = i === 0 ? codePoint : RIGHT_HALF
      this.#styles[column + i] = style
    }
    this.#text = undefined
  }

  erase(from: number, to: number, style: Style): void {
    const end = Math.min(to, this.#codePoints.length)
    if (from >= end) return
    if (from === 0 && end === this.#codePoints.length) this.continued = false
    this.#breakWide(from)
    this.#breakWide(end - 1)
    this.#codePoints.fill(BLANK, from, end)
    this.#styles.fill(style.erased(), from, end)
    this.#text = undefined
  }

  /** ICH: what does not fit any more falls off at the right. */
  insert(at: number, count: number, style: Style): void {
    const shift = Math.min(count, this.#codePoints.length - at)
    this.#breakWideAt(at)
    this.#breakWideAt(this.#codePoints.length - shift)
    this.#codePoints.copyWithin(at + shift, at, this.#codePoints.length - shift)
    this.#styles.copyWithin(at + shift, at, this.#styles.length - shift)
    this.erase(at, at + shift, style)
  }

  /** DCH: blanks come in from the right. */
  remove(at: number, count: number, style: Style): void {
    const shift = Math.min(count, this.#codePoints.length - at)
    this.#breakWideAt(at)
    this.#breakWideAt(at + shift)
    this.#codePoints.copyWithin(at, at + shift)
    this.#styles.copyWithin(at, at + shift)
    this.erase(this.#codePoints.length - shift, this.#codePoints.length, style)
  }

  /** Half a wide character cannot stay when its other half goes. */
  #breakWide(column: number): void {
    const points = this.#codePoints
    if (points[column] === RIGHT_HALF && column > 0) points[column - 1] = BLANK
    if (points[column + 1] === RIGHT_HALF) points[column + 1] = BLANK
  }

  /** A cut in front of `column` that goes through a wide character leaves two blanks. */
  #breakWideAt(column: number): void {
    const points = this.#codePoints
    if (points[column] !== RIGHT_HALF) return
    points[column] = BLANK
    if (column > 0) points[column - 1] = BLANK
  }
}

export const blankRow = (columns: number, style: Style): Row =>
  new Row(new Uint32Array(columns).fill(BLANK), new Array<Style>(columns).fill(style))
