/** The letters behind a backslash that echo and printf know, in both of their lives: as programs and as builtins of the shell. */

export const C_ESCAPES: Readonly<Record<string, string>> = {
  __proto__: null as never,
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}
