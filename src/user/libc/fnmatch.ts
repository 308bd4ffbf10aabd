/** fnmatch(3), C locale: `*`, `?`, `[a-z]`, `[!x]`, `[[:alpha:]]`, and backslashes. */

export const FNM_PATHNAME = 1
const FNM_NOESCAPE = 2
/** A leading dot must be matched by a dot. */
export const FNM_PERIOD = 4
export const FNM_CASEFOLD = 16

/** Members of `[:name:]`. */
export const CLASSES: Readonly<Record<string, (code: number) => boolean>> = {
  alpha: (c) => isUpper(c) || isLower(c),
  digit: (c) => c >= 48 && c <= 57,
  alnum: (c) => isUpper(c) || isLower(c) || (c >= 48 && c <= 57),
  upper: (c) => isUpper(c),
  lower: (c) => isLower(c),
  space: (c) => c === 32 || (c >= 9 && c <= 13),
  blank: (c) => c === 32 || c === 9,
  punct: (c) => c > 32 && c < 127 && !isUpper(c) && !isLower(c) && !(c >= 48 && c <= 57),
  print: (c) => c >= 32 && c < 127,
  graph: (c) => c > 32 && c < 127,
  cntrl: (c) => c < 32 || c === 127,
  xdigit: (c) => (c >= 48 && c <= 57) || (c >= 65 && c <= 70) || (c >= 97 && c <= 102),
}

function isUpper(c: number): boolean {
  return c >= 65 && c <= 90
}

function isLower(c: number): boolean {
  return c >= 97 && c <= 122
}

/** Whether the whole of `name` matches; `flags`: FNM_*. */
export function fnmatch(pattern: string, name: string, flags = 0): boolean {
  let p = 0
  let n = 0
  // Where to go on when the rest does not match: behind the last star, one character later.
  let starP = -1
  let starN = 0
  const pathname = (flags & FNM_PATHNAME) !== 0
  for (;;) {
    if (n < name.length && p < pattern.length) {
      const c = pattern[p]!
      const hidden = (flags & FNM_PERIOD) !== 0 && name[n] === '.' && (n === 0 || (pathname && name[n - 1] === '/'))
      if (c === '*' && !hidden) {
        starP = ++p
        starN = n
        continue
      }
      const next = matchOne(pattern, p, name[n]!, flags, hidden)
      if (next > 0) {
        p = next
        n++
        continue
      }
    } else if (n >= name.length) {
      while (pattern[p] === '*') p++
      if (p >= pattern.length) return true
    }
    if (starP < 0 || starN >= name.length || (pathname && name[starN] === '/')) return false
    p = starP
    n = ++starN
  }
}

/** Where the pattern goes on if its element at `p` matches `c`; 0 if it does not. */
function matchOne(pattern: string, p: number, c: string, flags: number, hidden: boolean): number {
  const e = pattern[p]!
  const slash = (flags & FNM_PATHNAME) !== 0 && c === '/'
  if (e === '?') return slash || hidden ? 0 : p + 1
  if (e === '[') {
    const bracket = parseBracket(pattern, p)
    if (bracket) {
      if (slash || hidden) return 0
      const fold = (flags & FNM_CASEFOLD) !== 0
      const hit = bracket.has(c) || (fold && (bracket.has(c.toLowerCase()) || bracket.has(c.toUpperCase())))
      return hit !== bracket.negated ? bracket.end : 0
    }
  }
  if (e === '\\' && (flags & FNM_NOESCAPE) === 0 && p + 1 < pattern.length)
    return same(pattern[p + 1]!, c, flags) ? p + 2 : 0
  return same(e, c, flags) ? p + 1 : 0
}

const same = (a: string, b: string, flags: number): boolean =>
  a === b || ((flags & FNM_CASEFOLD) !== 0 && a.toLowerCase() === b.toLowerCase())

interface Bracket {
  readonly negated: boolean
  /** Behind the closing bracket. */
  readonly end: number
  has(c: string): boolean
}

/** The bracket expression that opens at `at`; undefined if it never closes, and `[` stands for itself. */
function parseBracket(pattern: string, at: number): Bracket | undefined {
  let p = at + 1
  const negated = pattern[p] === '!' || pattern[p] === '^'
  if (negated) p++
  const ranges: (readonly [number, number])[] = []
  const classes: ((code: number) => boolean)[] = []
  for (let first = true; ; first = false) {
    let c = pattern[p]
    if (c === undefined) return undefined
    if (c === ']' && !first) {
      return {
        negated,
        end: p + 1,
        has(ch) {
          const code = ch.charCodeAt(0)
          return ranges.some(([from, to]) => code >= from && code <= to) || classes.some((test) => test(code))
        },
      }
    }
    if (c === '[' && pattern[p + 1] === ':') {
      const close = pattern.indexOf(':]', p + 2)
      const test = close < 0 ? undefined : CLASSES[pattern.slice(p + 2, close)]
      if (test) {
        classes.push(test)
        p = close + 2
        continue
      }
    }
    if (c === '\\' && p + 1 < pattern.length) c = pattern[++p]!
    p++
    let to = c
    if (pattern[p] === '-' && pattern[p + 1] !== ']' && p + 1 < pattern.length) {
      to = pattern[++p]!
      if (to === '\\' && p + 1 < pattern.length) to = pattern[++p]!
      p++
    }
    ranges.push([c.charCodeAt(0), to.charCodeAt(0)])
  }
}
