/** printf(3)'s conversions of C, for printf(1) and seq(1). */

export interface Conversion {
  readonly flags: string
  readonly width: number | '*'
  readonly precision: number | '*' | undefined
  readonly letter: string
}

/** Text and conversions in turn; `%%` is text. A lone or unknown conversion comes as it is, with its letter. */
export function parseFormat(format: string): (string | Conversion)[] {
  const parts: (string | Conversion)[] = []
  let at = 0
  for (const match of format.matchAll(/%([-+ #0']*)(\*|\d+)?(?:\.(\*|\d*))?[hlLjzt]*(.?)/gs)) {
    if (match.index > at) parts.push(format.slice(at, match.index))
    at = match.index + match[0].length
    const [, flags, width, precision, letter] = match
    if (letter === '%' && match[0] === '%%') parts.push('%')
    else
      parts.push({
        flags: flags!,
        width: width === '*' ? '*' : Number(width ?? 0),
        precision: precision === undefined ? undefined : precision === '*' ? '*' : Number(precision),
        letter: letter!,
      })
  }
  if (at < format.length) parts.push(format.slice(at))
  return parts
}

/** To the width: left with `-`, zeros behind the sign with `0`. */
export function pad(text: string, flags: string, width: number, zeros: boolean): string {
  if (text.length >= width) return text
  if (flags.includes('-')) return text.padEnd(width)
  if (!zeros || !flags.includes('0')) return text.padStart(width)
  const sign = /^([-+ ]|0[xX])?/.exec(text)![0]
  return sign + text.slice(sign.length).padStart(width - sign.length, '0')
}

const signed = (negative: boolean, digits: string, flags: string): string =>
  (negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + digits

/** %d %i %o %u %x %X of a 64-bit integer. */
export function formatInteger(
  letter: string,
  value: bigint,
  flags: string,
  width: number,
  precision: number | undefined,
): string {
  const decimal = letter === 'd' || letter === 'i'
  const base = letter === 'o' ? 8 : letter === 'x' || letter === 'X' ? 16 : 10
  const magnitude = decimal ? (value < 0n ? -value : value) : BigInt.asUintN(64, value)
  let digits = magnitude === 0n && precision === 0 ? '' : magnitude.toString(base)
  if (precision !== undefined) digits = digits.padStart(precision, '0')
  if (flags.includes('#')) {
    if (base === 8 && !digits.startsWith('0')) digits = `0${digits}`
    if (base === 16 && magnitude !== 0n) digits = `0x${digits}`
  }
  if (letter === 'X') digits = digits.toUpperCase()
  const text = decimal ? signed(value < 0n, digits, flags) : digits
  return pad(text, flags, width, precision === undefined)
}

/** C's exponent has two digits at least. */
const exponent = (text: string): string =>
  text.replace(/e([-+])(\d+)$/, (_all, sign: string, digits: string) => `e${sign}${digits.padStart(2, '0')}`)

function fixed(value: number, precision: number): string {
  if (value < 1e21) return value.toFixed(Math.min(precision, 100))
  return BigInt(value).toString() + (precision > 0 ? `.${'0'.repeat(precision)}` : '')
}

/** %e %f %g of a double. */
export function formatFloat(letter: string, value: number, flags: string, width: number, precision: number): string {
  const lower = letter.toLowerCase()
  const negative = value < 0 || Object.is(value, -0)
  const magnitude = Math.abs(value)
  let digits: string
  if (!Number.isFinite(value)) digits = Number.isNaN(value) ? 'nan' : 'inf'
  else if (lower === 'f') digits = fixed(magnitude, precision)
  else if (lower === 'e') digits = exponent(magnitude.toExponential(Math.min(precision, 100)))
  else digits = general(magnitude, precision || 1, flags.includes('#'))
  if (flags.includes('#') && precision === 0 && lower !== 'g' && !digits.includes('.'))
    digits = digits.replace(/^\d+/, '$&.')
  const text = signed(negative && !Number.isNaN(value), digits, flags)
  const padded = pad(text, flags, width, Number.isFinite(value))
  return letter === lower ? padded : padded.toUpperCase()
}

/** %g: the shorter of %e and %f, without trailing zeros. */
function general(value: number, precision: number, keepZeros: boolean): string {
  const digits = Math.min(precision, 100)
  const scientific = value.toExponential(digits - 1)
  const power = value === 0 ? 0 : Number(scientific.slice(scientific.indexOf('e') + 1))
  if (power < -4 || power >= digits) {
    const [mantissa, tail] = exponent(scientific).split('e')
    return `${keepZeros ? mantissa : trimZeros(mantissa!)}e${tail}`
  }
  const text = fixed(value, Math.max(0, digits - 1 - power))
  return keepZeros ? text : trimZeros(text)
}

const trimZeros = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)
