/** As much of XML 1.0 as XML-RPC needs: elements, text, comments, the predefined entities and character references. No DTD. */

/** The text is no such XML, or no XML-RPC. */
export class XmlError extends Error {}

export interface Element {
  readonly name: string
  /** All character data directly inside. */
  text: string
  readonly children: Element[]
}

/** Deeper nesting is refused: the text may be anybody's. */
const DEPTH_MAX = 200

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

const unescapeText = (text: string): string =>
  text.includes('&')
    ? text.replace(/&(#x[0-9a-fA-F]{1,6}|#\d{1,7}|\w{1,8})?(;?)/g, (_whole, name: string | undefined, end: string) => {
        if (name === undefined || end === '') throw new XmlError('not well-formed (invalid token)')
        if (name.startsWith('#'))
          return utf8(name[1] === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1)))
        const found = ENTITIES[name]
        if (found === undefined) throw new XmlError('undefined entity')
        return found
      })
    : text

/** The code point as a byte string. */
function utf8(code: number): string {
  if (code < 0x80) return String.fromCharCode(code)
  const tail = (shift: number): number => 0x80 | ((code >> shift) & 63)
  if (code < 0x800) return String.fromCharCode(0xc0 | (code >> 6), tail(0))
  if (code < 0x10000) return String.fromCharCode(0xe0 | (code >> 12), tail(6), tail(0))
  if (code > 0x10ffff) throw new XmlError('reference to invalid character number')
  return String.fromCharCode(0xf0 | (code >> 18), tail(12), tail(6), tail(0))
}

/** The document's element. */
export function parseXml(source: string): Element {
  const root: Element = { name: '', text: '', children: [] }
  const open: Element[] = [root]
  // A tag, a comment, a processing instruction or CDATA.
  const markup =
    /<(?:(\/?)([A-Za-z_][\w.:-]*)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|!--[\s\S]*?-->|\?[\s\S]*?\?>|!\[CDATA\[([\s\S]*?)\]\]>)/y
  let at = 0
  while (at < source.length) {
    const here = open[open.length - 1]!
    const next = source.indexOf('<', at)
    const end = next < 0 ? source.length : next
    if (end > at) here.text += unescapeText(source.slice(at, end))
    if (next < 0) break
    markup.lastIndex = next
    const match = markup.exec(source)
    if (!match) throw new XmlError('not well-formed (invalid token)')
    at = next + match[0].length
    const [, closing, name, , empty, cdata] = match
    if (cdata !== undefined) here.text += cdata
    else if (name !== undefined && closing) {
      if (here.name !== name || open.length === 1) throw new XmlError('mismatched tag')
      open.pop()
    } else if (name !== undefined) {
      const element: Element = { name, text: '', children: [] }
      here.children.push(element)
      if (open.length > DEPTH_MAX) throw new XmlError('nested too deeply')
      if (!empty) open.push(element)
    }
  }
  const [element, second] = root.children
  if (!element || open.length > 1) throw new XmlError('no element found')
  if (second || root.text.trim() !== '') throw new XmlError('junk after document element')
  return element
}
