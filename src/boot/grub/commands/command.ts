/** One row of GRUB's command table (struct builtin of stage2/shared.h). */

import type { CommandName } from '#abi/pc/menu-lst.ts'
import type { Grub } from '../grub.ts'
import type { Run } from '../run.ts'

/** Who runs a command: the head of the menu file, the command line, an entry. */
export type How = 'menu' | 'prompt' | 'script'

export interface Command {
  readonly name: CommandName
  /** `cat FILE` */
  readonly usage: string
  readonly help: string
  /** Shown by `help` without `--all`. */
  readonly listed?: boolean
  /** Not shown when an entry runs it. */
  readonly silent?: boolean
  /** Waits are yielded; undefined: done at once. Absent for the commands that only the menu file has: menu-lst.ts obeys them. */
  readonly run?: (grub: Grub, arg: string, how: How) => Run | undefined
}
