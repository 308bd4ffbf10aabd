/** Values as the tools print and take them (xs_lib.c: sanitise_value, unsanitise_value). */

const NAMED: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' }

/** Printable ASCII as it is, other bytes as escapes. */
export const sanitise = (value: string): string =>
  value.replace(/[^ -[\]-~]/g, (byte) => {
    const code = byte.charCodeAt(0)
    return (
      NAMED[byte] ?? (code < 8 ? `\\${code.toString(8).padStart(3, '0')}` : `\\x${code.toString(16).padStart(2, '0')}`)
    )
  })

const BYTES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r' }

/**
 * What the escapes stand for. A backslash before anything else is dropped; one at the end is a NUL. Hexadecimal digits are sscanf's, which passes over
 * blanks and takes a sign for one of the two characters.
 */
export const unsanitise = (text: string): string =>
  text.replace(/\\(x[ \t\n\v\f\r]*(?:[-+][0-9a-fA-F]|[0-9a-fA-F]{1,2})|[0-7]{1,3}|[\s\S]?)/g, (_all, what: string) => {
    if (what === '') return '\0'
    if (what[0] === 'x' && what.length > 1) return String.fromCharCode(Number.parseInt(what.slice(1), 16) & 255)
    if (/^[0-7]/.test(what)) return String.fromCharCode(Number.parseInt(what, 8) & 255)
    return BYTES[what] ?? what
  })
