/** Runs a sed script over its input (GNU sed 4.1.5's execute.c). */
import { O_CREAT, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../../libc/errno.ts'
import { Heap, stringCost } from '../../libc/heap.ts'
import { Out, readFile, STDERR } from '../../libc/stdio.ts'
import { open } from '../../libc/syscall.ts'
import { Exit, type Run } from '../../libc/utility.ts'
import type { Regex } from '../../regex/regex.ts'
import type { SedInput } from './input.ts'
import { SedOutput } from './input.ts'
import type { Address, Command, Replacement, Script } from './script.ts'

/** A range's state: inactive below 0, else the last line of it (Infinity: until its regular expression matches). */
const INACTIVE = -1
/** It will not begin again: `0,/x/` and a first line number are for once. */
const CLOSED = -2

export interface Execution {
  readonly run: Run
  readonly script: Script
  readonly input: SedInput
  readonly output: SedOutput
  readonly quiet: boolean
  readonly lineLength: number
}

export function* execute({ run, script, input, output, quiet, lineLength }: Execution): Sys<number> {
  const { commands } = script
  const ranges = new Float64Array(commands.length).fill(INACTIVE)
  const files = yield* openFiles(run, commands, output)
  let pattern = ''
  let hold = ''
  let lastRegex: Regex | undefined
  let appended: { readonly text?: string; readonly file?: string }[] = []
  let replaced = false
  const heap = new Heap()
  /** The most that pattern space and hold space have held together. */
  let held = 0

  function* keep(): Sys<void> {
    const bytes = stringCost(pattern.length) + stringCost(hold.length)
    if (bytes <= held) return
    yield* heap.keep(bytes - held)
    held = bytes
  }

  const regexOf = (regex: Regex | undefined): Regex => {
    lastRegex = regex ?? lastRegex
    if (!lastRegex) throw new Exit(1, 'no previous regular expression')
    return lastRegex
  }

  function* matches(address: Address): Sys<boolean> {
    switch (address.kind) {
      case 'line':
        return input.number === address.line
      case 'last':
        return yield* input.isLast()
      case 'regex':
        return regexOf(address.regex).test(pattern)
      case 'step':
        return address.step <= 0
          ? input.number === address.first
          : input.number >= address.first && (input.number - address.first) % address.step === 0
      default:
        return false
    }
  }

  function* selects(command: Command): Sys<boolean> {
    const { from, to, index } = command
    if (!from) return true
    if (!to) return yield* matches(from)
    const state = ranges[index]!
    if (state < 0) {
      if (from.kind === 'zero' && state === INACTIVE) {
        ranges[index] = Number.POSITIVE_INFINITY
        return yield* inside(command, to)
      }
      if (state === CLOSED || !(yield* matches(from))) return false
      const line = input.number
      let end = Number.POSITIVE_INFINITY
      if (to.kind === 'line') end = to.line
      else if (to.kind === 'more') end = line + to.lines
      else if (to.kind === 'multiple') end = to.of > 0 ? Math.ceil(line / to.of) * to.of : line
      else if (to.kind === 'last' && (yield* input.isLast())) end = line
      if (end > line) ranges[index] = end
      return true
    }
    return yield* inside(command, to)
  }

  /** Within a range: is this line in, and does it end here? */
  function* inside({ index, from }: Command, to: Address): Sys<boolean> {
    const ended = from?.kind === 'zero' ? CLOSED : INACTIVE
    const last = ranges[index]!
    if (last !== Number.POSITIVE_INFINITY) {
      if (input.number >= last) ranges[index] = ended
      return input.number <= last
    }
    if (yield* matches(to)) ranges[index] = ended
    return true
  }

  function* dump(): Sys<void> {
    if (appended.length === 0) return
    const due = appended
    appended = []
    for (const { text, file } of due) {
      if (text !== undefined) yield* output.text(text)
      else {
        try {
          yield* output.text(yield* readFile(file!))
        } catch (error) {
          if (!(error instanceof OsError)) throw error
        }
      }
    }
  }

  /** The end of a cycle. */
  function* finish(): Sys<void> {
    if (!quiet) yield* output.line(pattern, input.complete)
    yield* dump()
  }

  let again = false
  for (;;) {
    if (!again) {
      const line = yield* input.next()
      if (line === undefined) return run.status
      pattern = line
    }
    again = false
    replaced = false
    let ended = false
    for (let pc = 0; pc < commands.length && !ended; pc++) {
      const command = commands[pc]!
      if ((yield* selects(command)) === command.negated) {
        if (command.name === '{') pc = command.target - 1
        continue
      }
      switch (command.name) {
        case '{':
          break
        case '=':
          yield* output.text(`${input.number}\n`)
          break
        case 'a':
          appended.push({ text: command.text })
          break
        case 'b':
          pc = command.target - 1
          break
        case 'c':
          if (!command.to || ranges[command.index]! < 0 || command.negated) yield* output.text(command.text)
          yield* dump()
          ended = true
          break
        case 'd':
          yield* dump()
          ended = true
          break
        case 'D': {
          const end = pattern.indexOf('\n')
          yield* dump()
          ended = true
          if (end >= 0) {
            pattern = pattern.slice(end + 1)
            again = true
          }
          break
        }
        case 'g':
          pattern = hold
          break
        case 'G':
          pattern += `\n${hold}`
          yield* keep()
          break
        case 'h':
          hold = pattern
          break
        case 'H':
          hold += `\n${pattern}`
          yield* keep()
          break
        case 'i':
          yield* output.text(command.text)
          break
        case 'l':
          yield* output.text(visible(pattern, command.number ?? lineLength))
          break
        case 'n': {
          if (yield* input.isLast())
            if (yield* input.atEnd()) {
              yield* finish()
              return run.status
            }
          yield* finish()
          pattern = (yield* input.next()) ?? ''
          break
        }
        case 'N': {
          yield* dump()
          const line = (yield* input.isLast()) && (yield* input.atEnd()) ? undefined : yield* input.next()
          if (line === undefined) {
            yield* finish()
            return run.status
          }
          pattern += `\n${line}`
          yield* keep()
          break
        }
        case 'p':
          yield* output.line(pattern, input.complete)
          break
        case 'P': {
          const end = pattern.indexOf('\n')
          yield* output.line(end < 0 ? pattern : pattern.slice(0, end), end >= 0 || input.complete)
          break
        }
        case 'q':
          yield* finish()
          yield* input.finish()
          return command.number ?? run.status
        case 'Q':
          return command.number ?? run.status
        case 'r':
          appended.push({ file: command.text })
          break
        case 's': {
          const changed = substitute(pattern, regexOf(command.regex), command)
          if (changed === undefined) break
          pattern = changed
          replaced = true
          if (command.flags!.print) yield* output.line(pattern, input.complete)
          if (command.flags!.file !== undefined) yield* files.get(command.flags!.file)!.line(pattern)
          break
        }
        case 't':
        case 'T':
          if (replaced === (command.name === 't')) pc = command.target - 1
          replaced = false
          break
        case 'w':
          yield* files.get(command.text)!.line(pattern, input.complete)
          break
        case 'x':
          ;[pattern, hold] = [hold, pattern]
          break
        case 'y': {
          let result = ''
          for (let i = 0; i < pattern.length; i++) result += command.map![pattern.charCodeAt(i)]
          pattern = result
        }
      }
    }
    if (!ended) yield* finish()
    for (const file of files.values()) if (file !== output) yield* file.out.flush()
  }
}

/** What w and s///w write to: opened, and emptied, before anything is read. */
function* openFiles(run: Run, commands: readonly Command[], output: SedOutput): Sys<ReadonlyMap<string, SedOutput>> {
  const files = new Map<string, SedOutput>()
  for (const { name, text, flags } of commands) {
    const file = name === 'w' ? text : flags?.file
    if (file === undefined || files.has(file)) continue
    if (file === '/dev/stdout') files.set(file, output)
    else if (file === '/dev/stderr') files.set(file, new SedOutput(new Out(STDERR, false)))
    else {
      try {
        files.set(file, new SedOutput(new Out(yield* open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o666), false)))
      } catch (error) {
        yield* run.warn(error, `couldn't open file ${file}`, 4)
        throw new Exit(4)
      }
    }
  }
  return files
}

/** s: the new pattern space, or undefined if nothing was replaced. */
function substitute(text: string, regex: Regex, { flags, replacement }: Command): string | undefined {
  const { global, nth } = flags!
  const parts = replacement!
  const plain = parts.length === 0 ? '' : parts.length === 1 && typeof parts[0] === 'string' ? parts[0] : undefined
  let result = ''
  let done = 0
  let from = 0
  let count = 0
  let lastEnd = -1
  while (from <= text.length) {
    const match = regex.exec(text, from, plain === undefined)
    if (!match) break
    const start = match[0]!
    const end = match[1]!
    // An empty match right behind another one is none.
    if (start !== end || start !== lastEnd) {
      count++
      if (count >= nth) {
        result += text.slice(done, start) + (plain ?? filled(parts, text, match))
        done = end
        if (!global) return result + text.slice(done)
      }
    }
    lastEnd = end
    from = end > start ? end : end + 1
  }
  return count < nth ? undefined : result + text.slice(done)
}

function filled(parts: readonly Replacement[], text: string, match: Int32Array): string {
  let result = ''
  let fold: 'U' | 'L' | 'E' = 'E'
  let once: 'u' | 'l' | undefined
  for (const part of parts) {
    if (typeof part === 'object') {
      if (part.fold === 'u' || part.fold === 'l') once = part.fold
      else {
        fold = part.fold
        once = undefined
      }
      continue
    }
    const start = typeof part === 'number' ? match[part * 2]! : 0
    let piece = typeof part === 'string' ? part : start < 0 ? '' : text.slice(start, match[part * 2 + 1])
    if (fold !== 'E') piece = fold === 'U' ? upper(piece) : lower(piece)
    if (once && piece !== '') {
      piece = (once === 'u' ? upper(piece[0]!) : lower(piece[0]!)) + piece.slice(1)
      once = undefined
    }
    result += piece
  }
  return result
}

/** In the C locale only ASCII has cases. */
const upper = (text: string): string => text.replace(/[a-z]+/g, (part) => part.toUpperCase())
const lower = (text: string): string => text.replace(/[A-Z]+/g, (part) => part.toLowerCase())

const NAMED: ReadonlyMap<string, string> = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['\\', '\\\\'],
])

/** l: everything visible, folded at `width` (1 and 0: not at all). */
function visible(text: string, width: number): string {
  let result = ''
  let column = 0
  for (const char of text) {
    const code = char.charCodeAt(0)
    const shown = NAMED.get(char) ?? (code < 0x20 || code > 0x7e ? `\\${code.toString(8).padStart(3, '0')}` : char)
    if (width > 1 && column + shown.length > width - 1) {
      result += '\\\n'
      column = 0
    }
    result += shown
    column += shown.length
  }
  return result + '$\n'
}
