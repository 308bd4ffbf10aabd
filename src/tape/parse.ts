/**
 * The .tape language of charmbracelet/vhs (its README, lexer and parser of 2026-03), whole, with these additions:
 * `Target com1|com2|monitor|domain:NAME` says which console the following commands use; a pattern's closing slash may be followed by the
 * flags i, m and s; Home and End are keys; a digit may follow a modifier; paths need no quotes; WaitTimeout and WaitPattern may be set anywhere.
 * What VHS lets pass by accident (a string or pattern that never ends, a count that is no number) is an error here, and a command ends with its
 * line: VHS would type an unknown command that follows a `Type`.
 */
import { canType } from './keyboard.ts'
import { type Chord, isKeyName, plainKey } from './keys.ts'
import type { TapeError, Token } from './lexer.ts'
import type { Pattern } from './pattern.ts'
import { ArgumentReader, KEYWORDS, Mistake } from './reader.ts'
import { PICTURE_SETTINGS, valueError } from './settings.ts'
import type { OutputFormat, Tape, TapeCommand, TapeStep } from './tape.ts'

export const TAPE_LENGTH_MAX = 1_000_000
export const COMMANDS_MAX = 10_000
export const ERRORS_MAX = 20

export interface LocatedError extends TapeError {
  /** The tape that `Source` named; undefined: the tape itself. */
  readonly file: string | undefined
}

export interface ParseOptions {
  /** The text of a tape that `Source` names; undefined when there is none. Without it, `Source` is refused. */
  readonly source?: (path: string) => string | undefined
}

export type ParsedTape =
  | { readonly tape: Tape; readonly errors?: undefined }
  /** In the order of the text; at most ERRORS_MAX. */
  | { readonly tape?: undefined; readonly errors: readonly LocatedError[] }

const GOLDEN = ['.txt', '.ascii', '.test']
const CONSOLES = ['com1', 'com2', 'monitor']

export function parseTape(text: string, options: ParseOptions = {}): ParsedTape {
  const parser = new Parser(undefined, text, options)
  parser.run()
  if (parser.errors.length > 0) return { errors: parser.errors.slice(0, ERRORS_MAX) }
  return { tape: { commands: parser.commands, outputs: parser.outputs, ignored: [...parser.ignored] } }
}

/** `path:LINE:COLUMN: message`, as compilers say it. */
export const describeError = (path: string, { file, line, column, message }: LocatedError): string =>
  `${file ?? path}:${line}:${column}: ${message}`

/** What must be known before the tape runs: which console has which keys, and what would be pasted. */
interface Situation {
  target: string
  clipboard: string | undefined
}

class Parser {
  readonly commands: TapeCommand[] = []
  readonly outputs: { path: string; format: OutputFormat }[] = []
  readonly ignored = new Set<string>()
  readonly errors: LocatedError[] = []
  readonly #file: string | undefined
  readonly #text: string
  readonly #options: ParseOptions
  readonly #read: ArgumentReader
  readonly #situation: Situation

  constructor(file: string | undefined, text: string, options: ParseOptions, situation?: Situation) {
    this.#file = file
    this.#text = text
    this.#options = options
    this.#situation = situation ?? { target: 'com1', clipboard: undefined }
    this.#read = new ArgumentReader(text, (error) => this.errors.push({ file, ...error }))
  }

  run(): void {
    if (this.#text.length > TAPE_LENGTH_MAX) {
      this.#report({ line: 1, column: 1 }, `Tape longer than ${TAPE_LENGTH_MAX} characters`)
      return
    }
    while (this.errors.length < ERRORS_MAX) {
      const token = this.#read.next()
      if (token.kind === 'end') return
      if (this.commands.length >= COMMANDS_MAX) {
        this.#report(token, `More than ${COMMANDS_MAX} commands`)
        return
      }
      try {
        this.#command(token)
      } catch (mistake) {
        if (!(mistake instanceof Mistake)) throw mistake
        this.#report(mistake.at, mistake.message)
        this.#read.skipLine()
      }
    }
  }

  #report({ line, column }: { readonly line: number; readonly column: number }, message: string): void {
    this.errors.push({ file: this.#file, line, column, message })
  }

  #add(token: Token, step: TapeStep, name = token.text): void {
    this.commands.push({ file: this.#file, line: token.line, name, step })
  }

  #ignore(token: Token, what: string): void {
    this.ignored.add(what)
    this.#add(token, { kind: 'nothing' }, what)
  }

  static readonly #commands: Readonly<Record<string, (parser: Parser, command: Token) => void>> = {
    Set: (parser, command) => parser.#set(command),
    Output: (parser, command) => parser.#output(command),
    Sleep: (parser, command) => parser.#add(command, { kind: 'sleep', ns: parser.#read.time(command) }),
    Type: (parser, command) => parser.#type(command),
    Ctrl: (parser, command) => parser.#chord(command),
    Alt: (parser, command) => parser.#chord(command),
    Shift: (parser, command) => parser.#chord(command),
    ScrollUp: (parser, command) => parser.#scroll(command),
    ScrollDown: (parser, command) => parser.#scroll(command),
    Wait: (parser, command) => parser.#wait(command),
    Hide: (parser, command) => parser.#add(command, { kind: 'hide' }),
    Show: (parser, command) => parser.#add(command, { kind: 'show' }),
    Require: (parser, command) => parser.#require(command),
    Screenshot: (parser, command) => parser.#screenshot(command),
    Copy: (parser, command) => parser.#copy(command),
    Paste: (parser, command) => parser.#paste(command),
    Env: (parser, command) => parser.#env(command),
    Source: (parser, command) => parser.#source(command),
    Target: (parser, command) => parser.#target(command),
  }

  #command(token: Token): void {
    const name = token.kind === 'word' ? token.text : ''
    if (isKeyName(name)) {
      this.#checkKeys(token, [plainKey(name)])
      this.#add(token, { kind: 'keys', chords: [plainKey(name)], ...this.#read.repeat() })
    } else if (Object.hasOwn(Parser.#commands, name)) Parser.#commands[name]!(this, token)
    else throw new Mistake(token, `Invalid command: ${token.text}`)
  }

  /** There is nothing to scroll: a serial line has no scroll-back. */
  #scroll(command: Token): void {
    this.#read.repeat()
    this.#ignore(command, command.text)
  }

  /** VHS looks for a program on its host; ours are inside the machine. */
  #require(command: Token): void {
    this.#read.path(command, 'Require expects one string')
    this.#ignore(command, 'Require')
  }

  #copy(command: Token): void {
    this.#situation.clipboard = this.#read.strings(command)
    this.#add(command, { kind: 'nothing' })
  }

  #type(command: Token): void {
    const speedNs = this.#read.speed()
    const text = this.#read.strings(command)
    this.#checkText(command, text)
    this.#add(command, { kind: 'type', text, speedNs })
  }

  /** A PC keyboard has keys, not characters. */
  #checkText(at: Token, text: string): void {
    if (this.#situation.target !== 'monitor') return
    for (const character of text) {
      if (!canType(character)) throw new Mistake(at, `No key of the monitor's keyboard types ${character}`)
    }
  }

  #checkKeys(at: Token, chords: readonly Chord[]): void {
    for (const { key } of chords) if (!isKeyName(key)) this.#checkText(at, key)
  }

  /** `Ctrl[+Alt][+Shift]+<key>...`, `Alt+<key>`, `Shift+<key>`. */
  #chord(command: Token): void {
    const held = { ctrl: command.text === 'Ctrl', alt: command.text === 'Alt', shift: command.text === 'Shift' }
    const chords: Chord[] = []
    let last: Token = command
    while (this.#read.nextIs('sign', '+')) {
      this.#read.next()
      last = this.#read.key()
      if (held.ctrl && (last.text === 'Alt' || last.text === 'Shift')) {
        if (chords.length > 0) throw new Mistake(last, 'Modifiers must come before other characters')
        held[last.text === 'Alt' ? 'alt' : 'shift'] = true
      } else chords.push(...this.#heldKeys(command, last).map((key) => ({ key, ...held })))
    }
    if (chords.length === 0) throw new Mistake(last, `Expected a key after ${command.text}+`)
    this.#checkKeys(command, chords)
    this.#add(command, { kind: 'keys', chords, speedNs: 0, count: 1 })
  }

  #heldKeys(command: Token, token: Token): string[] {
    if (isKeyName(token.text)) return [token.text]
    const characters = [...token.text]
    // Alt and Shift may be held over several characters (VHS: a string), Ctrl takes them one by one.
    const several = command.text !== 'Ctrl' && !KEYWORDS.has(token.text)
    if (characters.length === 1 || (characters.length > 1 && several)) return characters
    throw new Mistake(token, token.text === '' ? `Expected a key after ${command.text}+` : `No such key: ${token.text}`)
  }

  #wait(command: Token): void {
    let scope: 'line' | 'screen' = 'line'
    if (this.#read.nextIs('sign', '+')) {
      this.#read.next()
      const token = this.#read.argument()
      if (token.text !== 'Line' && token.text !== 'Screen') throw new Mistake(token, 'Wait+ expects Line or Screen')
      scope = token.text === 'Line' ? 'line' : 'screen'
    }
    const at = this.#read.peekArgument()
    const timeoutNs = this.#read.speed()
    if (timeoutNs === 0) throw new Mistake(at, 'Wait expects positive duration')
    const pattern = this.#read.nextIs('regex') ? this.#read.pattern(this.#read.next()) : undefined
    this.#add(command, { kind: 'wait', scope, pattern, timeoutNs })
  }

  #set(command: Token): void {
    const setting = this.#read.argument()
    const name = setting.text
    if (setting.kind !== 'word') throw new Mistake(setting, `Unknown setting: ${name}`)
    const at = { ...command, text: `Set ${name}` }
    if (name === 'TypingSpeed') this.#add(at, { kind: 'set-speed', ns: this.#read.time(setting) })
    else if (name === 'WaitTimeout') this.#add(at, { kind: 'set-timeout', ns: this.#positive(setting) })
    else if (name === 'WaitPattern') this.#add(at, { kind: 'set-pattern', pattern: this.#patternValue() })
    else this.#setPicture(at, setting)
  }

  #positive(setting: Token): number {
    const ns = this.#read.time(setting)
    if (ns === 0) throw new Mistake(setting, `${setting.text} expects positive duration`)
    return ns
  }

  #patternValue(): Pattern {
    const token = this.#read.argument()
    if (token.kind !== 'regex' && token.kind !== 'string' && token.kind !== 'word') {
      throw new Mistake(token, 'WaitPattern expects a pattern')
    }
    return this.#read.pattern(token)
  }

  #setPicture(command: Token, setting: Token): void {
    const name = setting.text
    const kind = Object.hasOwn(PICTURE_SETTINGS, name) ? PICTURE_SETTINGS[name] : undefined
    if (kind === undefined) throw new Mistake(setting, `Unknown setting: ${name}`)
    const value = this.#read.argument()
    if (value.kind === 'end') throw new Mistake(setting, `Expected a value after ${name}`)
    const wrong = valueError(kind, value)
    if (wrong !== undefined) throw new Mistake(value, wrong)
    if (kind === 'percent' && this.#read.nextIs('sign', '%')) this.#read.next()
    this.#ignore(command, command.text)
  }

  #output(command: Token): void {
    const { text: path } = this.#read.path(command, 'Expected file path after output')
    const extension = /[^/]*?(\.[^./]*)?$/.exec(path)![1] ?? ''
    if (extension === '' && !path.endsWith('/')) throw new Mistake(command, 'Expected folder with trailing slash')
    // Output of a tape that was named by Source would write over this one's.
    if (this.#file !== undefined) return
    if (GOLDEN.includes(extension)) this.outputs.push({ path, format: 'golden' })
    else if (extension === '.log') this.outputs.push({ path, format: 'transcript' })
    else this.ignored.add(`Output ${path}`)
  }

  /** VHS makes pictures; text comes of a name that ends in .txt. */
  #screenshot(command: Token): void {
    const path = this.#read.path(command, 'Expected path after Screenshot')
    if (path.text.endsWith('.txt')) this.#add(command, { kind: 'screenshot', path: path.text })
    else if (path.text.endsWith('.png')) this.#ignore(command, `Screenshot ${path.text}`)
    else throw new Mistake(path, 'Expected file with .png or .txt extension')
  }

  #paste(command: Token): void {
    const text = this.#situation.clipboard
    if (text === undefined) throw new Mistake(command, 'Nothing to paste: no Copy before')
    this.#checkText(command, text)
    this.#add(command, { kind: 'paste', text })
  }

  #env(command: Token): void {
    const key = this.#read.argument()
    if (key.kind !== 'word' && key.kind !== 'string') throw new Mistake(key, 'Env expects a name')
    const value = this.#read.argument()
    if (value.kind !== 'word' && value.kind !== 'string') throw new Mistake(value, `${key.text} expects string`)
    this.#ignore(command, `Env ${key.text}`)
  }

  #target(command: Token): void {
    const token = this.#read.path(command, 'Expected a console after Target')
    if (!CONSOLES.includes(token.text) && !/^domain:[^\s]+$/.test(token.text)) {
      throw new Mistake(token, `No such target: ${token.text} (com1, com2, monitor or domain:NAME)`)
    }
    this.#situation.target = token.text
    this.#add(command, { kind: 'target', console: token.text })
  }

  #source(command: Token): void {
    const token = this.#read.path(command, 'Expected path after Source')
    const path = token.text
    if (!path.endsWith('.tape')) throw new Mistake(token, 'Expected file with .tape extension')
    if (this.#file !== undefined) throw new Mistake(token, 'Nested Source detected')
    if (!this.#options.source) throw new Mistake(token, 'Source: there are no files here')
    const text = this.#options.source(path)
    if (text === undefined) throw new Mistake(token, `File ${path} not found`)
    if (text === '') throw new Mistake(token, `Source tape: ${path} is empty`)
    const inner = new Parser(path, text, this.#options, this.#situation)
    inner.run()
    this.errors.push(...inner.errors)
    this.commands.push(...inner.commands)
    for (const what of inner.ignored) this.ignored.add(what)
  }
}
