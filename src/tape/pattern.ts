/**
 * Patterns of `Wait`: a tape may come from a link, so they are bounded in length, and nothing but matching can be asked of them.
 * VHS takes Go's regular expressions; a leading group of flags, `(?im)`, is read as Go reads it.
 */

export const PATTERN_LENGTH_MAX = 1000

export interface Pattern {
  /** As it was written, with its slashes and flags. */
  readonly source: string
  test(text: string): boolean
}

/** The pattern, or what is wrong with it. */
export function compilePattern(text: string, flags: string): Pattern | string {
  if (text.length > PATTERN_LENGTH_MAX) return `Regular expression longer than ${PATTERN_LENGTH_MAX} characters`
  const group = /^\(\?([a-zA-Z]+)\)/.exec(text)
  const all = [...flags, ...(group?.[1] ?? '')]
  const unknown = all.find((flag) => !'ims'.includes(flag))
  if (unknown !== undefined) return `Unknown flag of a regular expression: ${unknown}`
  try {
    const compiled = new RegExp(text.slice(group?.[0].length ?? 0), [...new Set(all)].sort().join(''))
    return { source: `/${text}/${flags}`, test: (subject) => compiled.test(subject) }
  } catch {
    return `Invalid regular expression '${text}'`
  }
}
