/** gnulib's quote() in the C locale: `like this', with what is not printable escaped as in C. */

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\\': '\\\\',
}

/** Control and 8-bit characters as C's escapes. */
export const escaped = (text: string): string =>
  text.replace(/[\0-\x1f\\\x7f-\xff]/g, (c) => ESCAPES[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`)

/** For messages: a name between ` and '. */
export const quote = (text: string): string => `\`${escaped(text).replaceAll("'", "\\'")}'`
