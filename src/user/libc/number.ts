/** strtoul and its like: xstrtol's suffixes, 64-bit integers as bigint, human-readable sizes. */

export const INT64_MAX = (1n << 63n) - 1n
export const INT64_MIN = -(1n << 63n)
export const UINT64_MAX = (1n << 64n) - 1n

const MULTIPLES: Readonly<Record<string, bigint>> = {
  '': 1n,
  b: 512n,
  c: 1n,
  w: 2n,
  B: 1024n,
  ...powers(1024n, ['k', 'm', 'g', 't', 'p', 'e']),
  ...powers(1024n, ['K', 'M', 'G', 'T', 'P', 'E']),
  ...powers(1024n, ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']),
  ...powers(1000n, ['KB', 'MB', 'GB', 'TB', 'PB', 'EB']),
  ...powers(1000n, ['KD', 'MD', 'GD', 'TD', 'PD', 'ED']),
  kB: 1000n,
  kD: 1000n,
  kiB: 1024n,
}

function powers(base: bigint, names: readonly string[]): Record<string, bigint> {
  let value = 1n
  const table: Record<string, bigint> = {}
  for (const name of names) {
    value *= base
    table[name] = value
  }
  return table
}

/** A count with one of the suffixes in `allowed` (`bkm`: as xstrtoumax takes them); undefined for what is none or passes 2^53. */
export function parseSize(text: string, allowed = 'bcwkKmMGTPE'): number | undefined {
  const match = /^\s*\+?(\d+)([a-zA-Z]*)$/.exec(text)
  if (!match) return undefined
  const suffix = match[2]!
  const multiple = MULTIPLES[suffix]
  if (multiple === undefined || (suffix !== '' && !allowed.includes(suffix[0]!))) return undefined
  const value = BigInt(match[1]!) * multiple
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(value)
}

/** A decimal integer without suffix; undefined for anything else. */
export function parseInteger(text: string): number | undefined {
  return /^\s*[-+]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined
}

/** human_readable() with ceiling: `4.0K`, `12M`, `1023`. `base` is 1024 or 1000. */
export function humanSize(bytes: number, base = 1024): string {
  if (bytes < base) return String(Math.ceil(bytes))
  const units = base === 1024 ? 'KMGTPEZY' : 'kMGTPEZY'
  let unit = 0
  let scale = base
  while (unit < units.length - 1 && bytes / scale >= base) {
    scale *= base
    unit++
  }
  // Below ten one decimal is shown; both round up, and rounding may carry into the next form.
  const tenths = Math.ceil((bytes * 10) / scale)
  if (tenths < 100) return `${Math.floor(tenths / 10)}.${tenths % 10}${units[unit]!}`
  const whole = Math.ceil(bytes / scale)
  if (whole >= base && unit < units.length - 1) return `1.0${units[unit + 1]!}`
  return `${whole}${units[unit]!}`
}
