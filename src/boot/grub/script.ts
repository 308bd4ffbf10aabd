/** Running commands: an entry's lines one after another, or one at the prompt (stage2/cmdline.c). */
import type { Command, How } from './commands/command.ts'
import { Err, errorText, fail, GrubError } from './errors.ts'
import type { Grub } from './grub.ts'
import { NOTHING } from './loader/loaded.ts'
import type { Run } from './run.ts'
import { commandWord, skipTo } from './text.ts'

export function* printError(grub: Grub, { number }: GrubError): Run {
  yield* grub.tty.print(`\nError ${number}: ${errorText(number)}\n`)
}

/** As it is when nothing was loaded or chosen yet: at the start of an entry, and of the command line. */
export function startAfresh(grub: Grub): void {
  grub.root = grub.home
  grub.loaded = NOTHING
  grub.memory.upperKib = grub.memory.probedUpperKib
  grub.memory.mapValid = grub.memory.map.length > 0
  grub.tty.lineCount = undefined
}

const commandNamed = (grub: Grub, line: string): Command | undefined =>
  grub.commands.find(({ name }) => name === commandWord(line))

/** Run one line. GrubError 27 for what is no command, or none here. */
export function* runLine(grub: Grub, line: string, how: How): Run {
  const run = commandNamed(grub, line)?.run
  if (!run) return fail(Err.unrecognized)
  // Somebody may have put another disk into the drive.
  grub.disks.invalidate()
  const steps = run(grub, skipTo(line, true), how)
  if (steps) yield* steps
}

/**
 * Run an entry's lines, each shown first, and at the end `boot` if there is something to boot. True when a line failed; unless a
 * fallback entry waits, somebody has seen the error then.
 */
export function* runScript(grub: Grub, lines: readonly string[]): Run<boolean> {
  const { tty } = grub
  startAfresh(grub)
  try {
    for (const line of lines) {
      if (!commandNamed(grub, line)?.silent) yield* tty.print(line + '\n')
      yield* runLine(grub, line, 'script')
    }
    if (grub.loaded.kind === 'none') return false
    yield* tty.put(10)
    yield* runLine(grub, 'boot', 'script')
    return false
  } catch (caught) {
    if (!(caught instanceof GrubError)) throw caught
    yield* printError(grub, caught)
    if (!grub.fallback) {
      yield* tty.print('\nPress any key to continue...')
      yield* tty.key()
    }
    return true
  }
}
