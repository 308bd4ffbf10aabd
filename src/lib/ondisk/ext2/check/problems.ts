/** What can be wrong, in e2fsck 1.39's words (problem.c), what is asked, and whether `-p` may repair it unasked. */

/** The question, and what preening says when it is done. */
const PROMPTS = {
  fix: ['Fix', 'FIXED'],
  clear: ['Clear', 'CLEARED'],
  allocate: ['Allocate', 'ALLOCATED'],
  expand: ['Expand', 'EXPANDED'],
  connect: ['Connect to /lost+found', 'RECONNECTED'],
  create: ['Create', 'CREATED'],
  salvage: ['Salvage', 'SALVAGED'],
  clearInode: ['Clear inode', 'INODE CLEARED'],
  clone: ['Clone multiply-claimed blocks', 'CLONED'],
  split: ['Split', 'SPLIT'],
  abort: ['Abort', 'ABORTED'],
} as const

export type Prompt = keyof typeof PROMPTS

export interface Problem {
  /** Complete, with the blanks or the line end behind it. */
  readonly text: string
  readonly prompt: Prompt
  /** Preening repairs it. */
  readonly preen?: boolean
  /** ...and says nothing of it. */
  readonly quiet?: boolean
}

export const question = (prompt: Prompt): string => PROMPTS[prompt][0]
export const preenWord = (prompt: Prompt): string => PROMPTS[prompt][1]

/** Ends the check: the answer to `Abort?` was yes, preening met what it may not repair, or nothing can be read. */
export class CheckAborted extends Error {}
