/** How builtins print names and values, so that the shell can read them again. */

export const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** In single quotes, as `set` and `export -p` print values. */
export function quoted(text: string): string {
  let out = ''
  for (const piece of text.split(/('+)/)) {
    if (piece === '') continue
    out += piece.startsWith("'") ? `"${piece}"` : `'${piece}'`
  }
  return out === '' ? "''" : out
}
