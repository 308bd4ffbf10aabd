/**
 * Values as text that a person can read and type. A value is bytes: UTF-8 is shown as what it says, lines as lines, and every other byte, and the
 * backslash, by the escapes of the xenstore tools (`\\`, `\t`, `\r`, `\xhh`), so that nothing is lost on the way there and back.
 */
import { byteString, bytesOfString, utf8Decode, utf8Encode } from '#lib/utf8.ts'

const hex = (code: number): string => `\\x${code.toString(16).padStart(2, '0')}`
const escapeByte = (byte: string): string => {
  if (byte === '\\') return '\\\\'
  if (byte === '\t') return '\\t'
  return byte === '\r' ? '\\r' : hex(byte.charCodeAt(0))
}

/** Runs of bytes beyond ASCII, whether they are UTF-8 or not. */
const HIGH = /[\x80-\xff]+/g
const ESCAPED = /[\0-\x09\x0b-\x1f\x7f\\]/g

/** Each character beyond ASCII whose bytes are right; the bytes of the others escaped. */
function highText(bytes: string): string {
  const text = utf8Decode(bytesOfString(bytes))
  // U+FFFD may be the real one; then its bytes come back the same.
  if (byteString(utf8Encode(text)) === bytes) return text
  let shown = ''
  for (let at = 0; at < bytes.length; ) {
    const whole = [4, 3, 2].find((length) => {
      const part = bytes.slice(at, at + length)
      return part.length === length && isOne(part)
    })
    shown += whole ? utf8Decode(bytesOfString(bytes.slice(at, at + whole))) : hex(bytes.charCodeAt(at))
    at += whole ?? 1
  }
  return shown
}

function isOne(bytes: string): boolean {
  const text = utf8Decode(bytesOfString(bytes))
  return [...text].length === 1 && byteString(utf8Encode(text)) === bytes
}

export const textOf = (value: string): string => value.replace(ESCAPED, escapeByte).replace(HIGH, highText)

const NAMED: Readonly<Record<string, string>> = { '\\': '\\', t: '\t', n: '\n', r: '\r' }

/** The bytes that `text` stands for. A backslash before anything else is itself. */
export function bytesOf(text: string): string {
  return text
    .split(/(\\x[0-9a-fA-F]{2}|\\[\\tnr])/)
    .map((part, i) => {
      if (i % 2 === 0) return byteString(utf8Encode(part))
      return NAMED[part[1]!] ?? String.fromCharCode(Number.parseInt(part.slice(2), 16))
    })
    .join('')
}

/** In one line, as a row shows it. */
export const lineOf = (value: string): string => textOf(value.slice(0, 400)).replaceAll('\n', '\\n')

/** No text at all: it has bytes that only escapes can show. */
export const isBinary = (value: string): boolean => /\\x/.test(textOf(value).replaceAll('\\\\', ''))
