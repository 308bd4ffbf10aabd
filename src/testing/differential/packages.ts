/** The packages whose programs the snippets use. */
import type { Package } from '#user/libc/program.ts'
import { coreutils } from '#user/packages/coreutils.ts'
import { coreutilsUsr } from '#user/packages/coreutils-usr.ts'
import { sh } from '#user/packages/sh.ts'
import { textutils } from '#user/packages/textutils.ts'
import { textutilsUsr } from '#user/packages/textutils-usr.ts'

export const PACKAGES: readonly Package[] = [sh, coreutils, coreutilsUsr, textutils, textutilsUsr]
