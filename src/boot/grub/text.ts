/** GRUB's own small string functions (stage2/char_io.c, cmdline.c). All strings are byte strings (lib/utf8.ts). */
import { type ScannedNumber, scanNumber } from '#abi/pc/menu-lst.ts'
import { byteString } from '#lib/utf8.ts'
import { Err, fail } from './errors.ts'

/** Words of a line are the same in the menu file and at the prompt. */
export { commandWord, skipTo } from '#abi/pc/menu-lst.ts'

export const isSpace = (c: string | undefined): boolean => c === ' ' || c === '\t' || c === '\r' || c === '\n'

/** Up to the first white space. */
export function firstWord(text: string): string {
  let at = 0
  while (at < text.length && !isSpace(text[at])) at++
  return text.slice(0, at)
}

/** A number at the start of `text`, decimal or 0x..., and what follows it. Error 23 where there is none, 35 past 2^31 - 1. */
export function parseNumber(text: string): ScannedNumber {
  const number = scanNumber(text)
  if (number === 'no number') return fail(Err.numberParsing)
  if (number === 'overflow') return fail(Err.numberOverflow)
  return number
}

export const hex = (value: number): string => '0x' + (value >>> 0).toString(16)

/** A path's part up to and with its last slash. */
export const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1)

/** Bytes up to the first zero, as a byte string. */
export function zeroEnded(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return byteString(end < 0 ? bytes : bytes.subarray(0, end))
}
