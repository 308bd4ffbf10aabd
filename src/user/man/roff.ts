/** The part of man(7) that the pages of this disk use, laid out as nroff does: bold by overstriking, lines filled and not hyphenated. */

const INDENT = 7
const TAG_INDENT = 14

const bold = (text: string): string => text.replace(/[^ ]/g, (char) => `${char}\b${char}`)

/** Escapes: `\-`, `\e`, `\&` and fonts, which are left out. */
const unescaped = (text: string): string =>
  text.replace(/\\(f[BIRP]|&|-|e|\\| |\(..)/g, (_, what: string) =>
    what === '-' ? '-' : what === 'e' || what === '\\' ? '\\' : what === ' ' ? ' ' : '',
  )

/** Arguments of a request: words, or text in quotes. */
const words = (text: string): string[] =>
  [...text.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '')

/** `.TH`'s first words: name, section, date, source, manual. */
export function format(page: string, width: number): string {
  const out: string[] = []
  let title: string[] = []
  let indent = INDENT
  let filled = true
  let pending: string[] = []
  /** Of a tagged paragraph: waits for its text. */
  let tag: string | undefined
  let tagNext = false

  const length = (word: string): number => word.replace(/.\x08/g, '').length
  const flush = (): void => {
    let line = ''
    let used = 0
    const put = (): void => {
      if (line !== '') out.push(' '.repeat(indent) + line)
      line = ''
      used = 0
    }
    if (tag !== undefined) {
      const room = TAG_INDENT - INDENT
      // A tag that leaves no room stands on its own line.
      if (length(tag) < room && pending.length > 0) {
        line = tag + ' '.repeat(room - length(tag))
        used = room
        out.push('')
        const first = pending.splice(0, pending.length)
        layTagged(first)
        tag = undefined
        return
      }
      out.push('', ' '.repeat(INDENT) + tag)
      tag = undefined
    }
    for (const word of pending) {
      if (used > 0 && indent + used + 1 + length(word) > width) put()
      line += (used > 0 ? ' ' : '') + word
      used += (used > 0 ? 1 : 0) + length(word)
    }
    put()
    pending = []

    function layTagged(all: readonly string[]): void {
      let start = true
      let text = `${' '.repeat(INDENT)}${line}`
      let column = TAG_INDENT
      for (const word of all) {
        if (!start && column + 1 + length(word) > width) {
          out.push(text)
          text = ' '.repeat(TAG_INDENT)
          column = TAG_INDENT
          start = true
        }
        text += (start ? '' : ' ') + word
        column += (start ? 0 : 1) + length(word)
        start = false
      }
      out.push(text)
    }
  }
  const paragraph = (): void => {
    flush()
    indent = INDENT
    if (out.at(-1) !== '' && !isHeading(out.at(-1))) out.push('')
  }

  for (const source of page.split('\n')) {
    const request = /^[.'](\S*)\s*(.*)$/.exec(source)
    if (!request) {
      const text = unescaped(source)
      if (tagNext) {
        tag = text
        tagNext = false
        indent = TAG_INDENT
      } else if (!filled) out.push(' '.repeat(indent) + text)
      else if (text.trim() === '') paragraph()
      else for (const word of text.split(/ +/)) if (word !== '') pending.push(word)
      continue
    }
    const [, name, rest = ''] = request
    if (name === 'TH') title = words(rest).map(unescaped)
    else if (name === 'SH') {
      flush()
      indent = INDENT
      if (out.length > 0 && out.at(-1) !== '') out.push('')
      out.push(bold(words(rest).join(' ')))
    } else if (name === 'PP' || name === 'P' || name === 'LP') paragraph()
    else if (name === 'TP') {
      flush()
      tagNext = true
    } else if (name === 'br') flush()
    else if (name === 'nf') {
      flush()
      filled = false
    } else if (name === 'fi') filled = true
    else if (name === 'B' || name === 'I') {
      const text = unescaped(rest).replace(/^"(.*)"$/, '$1')
      if (tagNext) {
        tag = bold(text)
        tagNext = false
        indent = TAG_INDENT
      } else if (!filled) out.push(' '.repeat(indent) + bold(text))
      else for (const word of bold(text).split(/ +/)) if (word !== '') pending.push(word)
    }
  }
  flush()
  const [heading = '', section = '', date = '', from = ''] = title
  const mark = `${heading}(${section})`
  const centre = section === '8' ? 'System Administration' : 'User Commands'
  return `${[three(mark, centre, mark, width), '', ...out, ...(out.at(-1) === '' ? [] : ['']), three(from, date, mark, width)].join('\n')}\n`
}

const isHeading = (line: string | undefined): boolean => line !== undefined && /^\S/.test(line)

function three(left: string, centre: string, right: string, width: number): string {
  const before = Math.max(1, Math.floor((width - centre.length) / 2) - left.length)
  const start = left + ' '.repeat(before) + centre
  return start + ' '.repeat(Math.max(1, width - start.length - right.length)) + right
}
