/** All tables of snippets, by the name under which they are recorded. */
import { coreutils } from './cases/coreutils.ts'
import { shell } from './cases/shell.ts'
import { text } from './cases/text.ts'
import type { Snippet } from './snippet.ts'

export const groups: Readonly<Record<string, readonly Snippet[]>> = { shell, coreutils, text }
