/** A value byte by byte, as hexdump -C shows it, and hexadecimal digits read back. */

const BYTES_PER_LINE = 8

const two = (code: number): string => code.toString(16).padStart(2, '0')

/** Offset, bytes, and what of them is ASCII. */
export function hexLines(value: string, perLine = BYTES_PER_LINE): string[] {
  const lines: string[] = []
  for (let at = 0; at < value.length; at += perLine) {
    const part = value.slice(at, at + perLine)
    const bytes = Array.from(part, (byte) => two(byte.charCodeAt(0))).join(' ')
    const text = part.replace(/[^ -~]/g, '.')
    lines.push(`${at.toString(16).padStart(3, '0')}  ${bytes.padEnd(perLine * 3 - 1)}  ${text}`)
  }
  return lines
}

/** For an editor: bytes alone. */
export const hexOf = (value: string): string =>
  Array.from(value, (byte, i) => `${two(byte.charCodeAt(0))}${i % BYTES_PER_LINE === BYTES_PER_LINE - 1 ? '\n' : ' '}`)
    .join('')
    .trimEnd()

/** Undefined: that is not bytes. */
export function valueOfHex(text: string): string | undefined {
  const digits = text.replace(/\s+/g, '')
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) return undefined
  let value = ''
  for (let at = 0; at < digits.length; at += 2)
    value += String.fromCharCode(Number.parseInt(digits.slice(at, at + 2), 16))
  return value
}
