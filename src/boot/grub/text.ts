/** GRUB's own small string functions (stage2/char_io.c, cmdline.c). All strings are byte strings (lib/utf8.ts). */
import { byteString } from '#lib/utf8.ts'
import { Err, fail } from './errors.ts'

export const isSpace = (c: string | undefined): boolean => c === ' ' || c === '\t' || c === '\r' || c === '\n'

const isBlank = (c: string): boolean => c === ' ' || c === '\t'

/** What follows the first word and the blanks after it. With `afterEqual`, `=` counts as a blank: `default=0`. */
export function skipTo(text: string, afterEqual = false): string {
  const gap = (c: string): boolean => isBlank(c) || (afterEqual && c === '=')
  let at = 0
  while (at < text.length && !gap(text[at]!)) at++
  while (at < text.length && gap(text[at]!)) at++
  return text.slice(at)
}

/** The name of the command on a line: up to a blank or `=`. */
export function commandWord(line: string): string {
  let at = 0
  while (at < line.length && !isBlank(line[at]!) && line[at] !== '=') at++
  return line.slice(0, at)
}

/** Up to the first white space. */
export function firstWord(text: string): string {
  let at = 0
  while (at < text.length && !isSpace(text[at])) at++
  return text.slice(0, at)
}

const MAXINT = 0x7fffffff

/** A number at the start of `text`, decimal or 0x..., and what follows it. Error 23 where there is none, 35 past 2^31 - 1. */
export function parseNumber(text: string): { value: number; rest: string } {
  const hex = text.startsWith('0x') || text.startsWith('0X')
  const base = hex ? 16 : 10
  let at = hex ? 2 : 0
  const start = at
  let value = 0
  for (; at < text.length; at++) {
    const digit = '0123456789abcdef'.indexOf(text[at]!.toLowerCase())
    if (digit < 0 || digit >= base) break
    if (value > Math.floor((MAXINT - digit) / base)) fail(Err.numberOverflow)
    value = value * base + digit
  }
  if (at === start) fail(Err.numberParsing)
  return { value, rest: text.slice(at) }
}

export const hex = (value: number): string => '0x' + (value >>> 0).toString(16)

/** A path's part up to and with its last slash. */
export const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1)

/** Bytes up to the first zero, as a byte string. */
export function zeroEnded(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return byteString(end < 0 ? bytes : bytes.subarray(0, end))
}
