/** xen/common/lib.c and vsprintf.c: numbers out of text and into it, as the C library of the hypervisor does it. */

const digitValue = (code: number): number => {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : 99
}

/** A number at the start of `text`, and what follows it. Base 0: 0x is hexadecimal, a leading 0 octal. No digits: 0. */
export function strtoul(text: string, base: 0 | 10 | 16): { readonly value: number; readonly rest: string } {
  let radix: number = base
  let at = 0
  const hexPrefix = text[0] === '0' && (text[1] === 'x' || text[1] === 'X')
  if (radix === 0) {
    radix = 10
    if (text[0] === '0') {
      radix = 8
      at = 1
      if (hexPrefix && digitValue(text.charCodeAt(2)) < 16) {
        radix = 16
        at = 2
      }
    }
  } else if (radix === 16 && hexPrefix) at = 2
  let value = 0
  for (; at < text.length; at++) {
    const digit = digitValue(text.charCodeAt(at))
    if (digit >= radix) break
    value = value * radix + digit
  }
  return { value, rest: text.slice(at) }
}

/** The same with an optional minus sign. */
export function strtol(text: string, base: 0 | 10 | 16): number {
  return text[0] === '-' ? -strtoul(text.slice(1), base).value : strtoul(text, base).value
}

const UNIT: Readonly<Record<string, number>> = { g: 2 ** 30, m: 2 ** 20, k: 1024, b: 1 }

/** parse_size_and_unit: bytes. No suffix means KiB. */
export function parseSize(text: string): { readonly value: number; readonly rest: string } {
  const { value, rest } = strtoul(text, 0)
  const unit = UNIT[(rest[0] ?? '').toLowerCase()]
  return unit === undefined ? { value: value * 1024, rest } : { value: value * unit, rest: rest.slice(1) }
}

/** %0<width>x; numbers beyond 53 bits come as bigint. */
export const hex = (value: number | bigint, width = 0): string => value.toString(16).padStart(width, '0')
export const HEX = (value: number | bigint, width = 0): string => hex(value, width).toUpperCase()
/** %0<width>u */
export const dec = (value: number, width: number, fill = '0'): string => String(value).padStart(width, fill)

/** A time in ns as the two 32-bit words that `0x%X:%08X` wants: how dumps print NOW(). */
export function nowWords(ns: number): string {
  return `0x${HEX(Math.floor(ns / 2 ** 32))}:${HEX(ns % 2 ** 32, 8)}`
}
