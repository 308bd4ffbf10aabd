/** Where expansion puts its results: fields, split by IFS and perhaps patterns (POSIX.1-2004, XCU 2.6.5). */

const SPECIAL = /[*?[\]\\!^-]/g
const GLOB = /[*?[]/
/** Something unquoted that matches more than itself; an open bracket alone is none. */
const ANY_PATTERN = /^(?:[^\\*?[]|\\[\s\S])*(?:[*?]|\[[\s\S]*(?:[*?]|\]))/
/** Backslashes before what is special in a pattern. */
export const escapePattern = (s: string): string => (/[*?[\]\\!^-]/.test(s) ? s.replace(SPECIAL, '\\$&') : s)

/**
 * `fields`: words; `string`: one string, neither split nor a pattern (assignments, here-documents); `pattern`: one string in which backslashes
 * mark what was quoted.
 */
export type Form = 'fields' | 'string' | 'pattern'

export class Fields {
  readonly form: Form
  readonly ifs: string
  readonly done: string[] = []
  /** The pattern of each field that is one, by its index in `done`. */
  readonly patterns: Map<number, string> = new Map()
  text = ''
  #pattern: string | undefined
  #glob = false
  /** There is a field, though it may be empty. */
  #has = false
  /** White space of IFS ended the last field: a separator that follows belongs to the same end. */
  #blank = false

  constructor(form: Form, ifs: string) {
    this.form = form
    this.ifs = ifs
  }

  quoted(s: string): void {
    if (this.form === 'pattern') this.text += escapePattern(s)
    else {
      if (this.#pattern !== undefined) this.#pattern += escapePattern(s)
      this.text += s
    }
    this.#has = true
    this.#blank = false
  }

  /** Text that stands in the word itself, unquoted. */
  literal(s: string): void {
    if (s === '') return
    if (this.form === 'fields' && (this.#pattern !== undefined || GLOB.test(s))) {
      this.#pattern ??= escapePattern(this.text)
      this.#pattern += s.includes('\\') ? s.replace(/\\/g, '\\\\') : s
      this.#glob ||= GLOB.test(s)
    }
    this.text += s
    this.#has = true
    this.#blank = false
  }

  /** The result of an unquoted expansion. */
  split(s: string): void {
    if (this.form !== 'fields') {
      this.text += s
      if (s !== '') this.#has = true
      return
    }
    const { ifs } = this
    let from = 0
    for (let i = 0; i < s.length; i++) {
      if (!ifs.includes(s[i]!)) continue
      if (i > from) this.literal(s.slice(from, i))
      from = i + 1
      const c = s[i]!
      if (c === ' ' || c === '\t' || c === '\n') {
        if (this.#has) {
          this.end()
          this.#blank = true
        }
      } else if (this.#has || !this.#blank) {
        this.#has = true
        this.end()
      } else this.#blank = false
    }
    if (from < s.length) this.literal(from === 0 ? s : s.slice(from))
  }

  /** The end of a field, if there is one. */
  end(): void {
    if (this.#has) {
      if (this.#glob && ANY_PATTERN.test(this.#pattern!)) this.patterns.set(this.done.length, this.#pattern!)
      this.done.push(this.text)
    }
    this.text = ''
    this.#pattern = undefined
    this.#glob = false
    this.#has = false
    this.#blank = false
  }

  /** Between two positional parameters of "$@". */
  cut(): void {
    if (this.form === 'fields') {
      this.#has = true
      this.end()
    } else this.text += ' '
  }

  /** Between two of an unquoted $@ or $*. */
  cutSoft(): void {
    if (this.form === 'fields') this.end()
    else this.text += ' '
  }
}
