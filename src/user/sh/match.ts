/** Does a pattern match a whole text? Most in scripts are no patterns. */
import { fnmatch } from '../libc/fnmatch.ts'

export const matches = (pattern: string, text: string): boolean =>
  pattern === '*' || (/[*?[\\]/.test(pattern) ? fnmatch(pattern, text) : pattern === text)
