/** An interactive shell: prompts, lines from the editor, errors that bring the prompt back. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { Interrupted, NeedMore, ShellError } from './errors.ts'
import { run } from './exec.ts'
import { loadHistory, remember, saveHistory } from './history.ts'
import { expandHistory } from './history-expansion.ts'
import { notify } from './jobs.ts'
import { LineReader } from './line-reader.ts'
import { Parser } from './parser.ts'
import { prompt } from './prompt.ts'
import type { Shell } from './shell.ts'
import { runTraps } from './signals.ts'

export function* interact(sh: Shell): Sys<number> {
  const reader = new LineReader(sh)
  yield* loadHistory(sh)
  let line = 1
  for (let misses = 0; ; ) {
    try {
      yield* notify(sh)
      if (sh.caught.length > 0) yield* runTraps(sh)
      const command = yield* readCommand(sh, reader, line)
      if (command === undefined) {
        if (sh.jobs.stopped && !sh.jobs.warned) {
          sh.jobs.warned = true
          yield* sh.err(sh.bash ? 'There are stopped jobs.\n' : '\nYou have stopped jobs.\n')
          continue
        }
        if (sh.options.has('I') && ++misses < 50) {
          yield* sh.err(sh.bash ? 'Use "exit" to leave the shell.\n' : '\nUse "exit" to leave shell.\n')
          continue
        }
        yield* sh.err(sh.bash ? (sh.login ? 'logout\n' : 'exit\n') : '\n')
        break
      }
      misses = 0
      line = command.line
      if (!command.node) continue
      const { warned } = sh.jobs
      sh.evalDepth = 0
      const outcome = run(sh, command.node)
      if (typeof outcome !== 'number') yield* outcome
      sh.skip = ''
      if (warned) sh.jobs.warned = false
    } catch (error) {
      recover(sh)
      if (error instanceof Interrupted) {
        sh.status = 130
        yield* sh.err('\n')
      } else if (error instanceof ShellError) {
        sh.status = error.status
        if (!error.told) yield* sh.complain(error.message)
        sh.command = ''
      } else {
        yield* saveHistory(sh)
        throw error
      }
    }
  }
  yield* saveHistory(sh)
  return sh.status
}

/** Whatever was going on has been left by an exception. */
function recover(sh: Shell): void {
  sh.skip = ''
  sh.loops = 0
  sh.tested = 0
  sh.evalDepth = 0
  sh.functionDepth = 0
  sh.locals = []
  sh.interrupted = false
  sh.inTrap = false
}

/** A line after history expansion, shown if that changed it; undefined: nothing is to be run. */
function* expand(sh: Shell, line: string): Sys<string | undefined> {
  if (!sh.bash) return line
  const expansion = expandHistory(line.replace(/\n$/, ''), sh.history)
  if (expansion.kind === 'none') return line
  if (expansion.kind === 'fault') {
    yield* sh.complain(expansion.message, '')
    sh.status = 1
    return undefined
  }
  yield* sh.err(`${expansion.text}\n`)
  if (!expansion.only) return `${expansion.text}\n`
  remember(sh, expansion.text)
  return undefined
}

function* readCommand(sh: Shell, reader: LineReader, line: number): Sys<ReturnType<Parser['command']> | undefined> {
  let text = ''
  let aliased = reader.pending
  reader.pending = ''
  for (;;) {
    if (aliased === '') {
      const more = yield* reader.line(yield* prompt(sh, text === '' ? 'PS1' : 'PS2'))
      if (more === undefined) {
        if (text === '') return undefined
        // The end of input inside a command.
        const parsed = new Parser(text, { complete: true, bash: sh.bash, aliases: sh.aliases, line }).command(0)
        return parsed
      }
      if (sh.options.has('v')) yield* sh.err(more)
      const expanded = yield* expand(sh, more)
      if (expanded === undefined) {
        if (text === '') continue
        throw new Interrupted()
      }
      text += expanded
    } else {
      text += aliased
      aliased = ''
    }
    try {
      const parsed = new Parser(text, { complete: false, bash: sh.bash, aliases: sh.aliases, line }).command(0)
      remember(sh, text)
      reader.pending = parsed.text.slice(parsed.at)
      return parsed
    } catch (error) {
      if (error instanceof NeedMore) continue
      remember(sh, text)
      sh.line = line
      throw error
    }
  }
}
