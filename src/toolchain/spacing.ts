/** Blanks between the tokens of compiled code: an image is read by a machine that pays for each byte. */

/**
 * What must stay of the blanks and comments between two tokens so that they remain two, and on their lines. A line end may end a statement,
 * and it is what a panic counts.
 */
export function spacing(before: string, gap: string, after: string): string {
  const lineEnds = gap.replace(/[^\n]/g, '')
  return lineEnds === '' && gap !== '' && separates(before, after) ? ' ' : lineEnds
}

/** Whether the two would run together. */
export const separates = (before: string, after: string): boolean =>
  (/[\w$\\\u0080-\uffff]$/.test(before) && /^[\w$#\\\u0080-\uffff]/.test(after)) ||
  TOGETHER.test(before.slice(-1) + after.slice(0, 1))

/** `a + +b`, `a - -b`, `a / /b/`, `1 .x`, and what a browser takes for the marks of an HTML comment. */
const TOGETHER = /^(?:\+\+|--|->|<!|\/[/*]|\d\.)$/
