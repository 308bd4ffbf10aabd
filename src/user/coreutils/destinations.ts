/** The operands of cp, mv and install. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { basename, join } from '../libc/path.ts'
import { quote } from '../libc/quote.ts'
import { type Run, UsageError } from '../libc/utility.ts'
import { isDirectory } from './files.ts'

/**
 * `cp a b`, `cp a... dir`, `cp -t dir a...`: what goes where. `noTarget` (-T) takes the destination as a normal file.
 * `work` copies one; the value is whether all went well.
 */
export function* toDestinations(
  run: Run,
  target: string | undefined,
  noTarget: boolean,
  work: (source: string, dest: string) => Sys<boolean>,
): Sys<void> {
  const { operands } = run
  if (operands.length === 0) throw new UsageError('missing file operand')
  if (target === undefined && operands.length === 1)
    throw new UsageError(`missing destination file operand after ${quote(operands[0]!)}`)
  if (noTarget && operands.length > 2) throw new UsageError(`extra operand ${quote(operands[2]!)}`)
  const last = operands.at(-1)!
  const directory = target ?? (!noTarget && (yield* isDirectory(last)) ? last : undefined)
  if (target !== undefined && !(yield* isDirectory(target))) {
    yield* run.complain(`target ${quote(target)} is not a directory`)
    return
  }
  const sources = target === undefined ? operands.slice(0, -1) : operands
  if (directory === undefined) {
    if (operands.length > 2) yield* run.complain(`target ${quote(last)} is not a directory`)
    else if (!(yield* work(operands[0]!, last))) run.status = 1
    return
  }
  const made = new Set<string>()
  for (const source of sources) {
    const name = basename(source)
    // `cp -r .. dir` merges; `cp a/x b/x dir` would overwrite what it has just made.
    const dest: string = name === '.' || name === '..' ? directory : join(directory, name)
    if (made.has(dest) && dest !== directory) {
      yield* run.complain(`will not overwrite just-created ${quote(dest)} with ${quote(source)}`)
      continue
    }
    made.add(dest)
    if (!(yield* work(source, dest))) run.status = 1
  }
}
