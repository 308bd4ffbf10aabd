/**
 * Plays a tape on a machine that is stepped by hand, all in virtual time. As in VHS, a `Wait` is met at once when the screen (or the line with the
 * cursor) matches already; else it is asked again after every byte and every change of the monitor, and met at exactly that virtual instant.
 * A line that wrapped is looked at both as its rows, which is all that VHS does, and in one piece. Terminals answer queries (where is the cursor?) at the instant they read them.
 */
import type { SerialLine } from '#protocol/machine.ts'
import type { SyncMachine } from '#protocol/sync-machine.ts'
import { ByteLog, textOf } from './byte-log.ts'
import { MonitorConsole, SerialConsole, type TapeConsole } from './consoles.ts'
import { DOMAIN_PREFIX, DomainConsoles } from './domains.ts'
import { Failure } from './failure.ts'
import { plainKey } from './keys.ts'
import { describeError, type ParseOptions, parseTape } from './parse.ts'
import { compilePattern, type Pattern } from './pattern.ts'
import type { Tape, TapeCommand, TapeStep } from './tape.ts'

/** VHS's defaults. */
const TYPING_SPEED_NS = 50_000_000
const WAIT_TIMEOUT_NS = 15_000_000_000
const WAIT_PATTERN = '>$'

/** A machine that never stops talking cannot fill memory. */
export const TRANSCRIPT_BYTES_MAX = 64 * 1024 * 1024
export const GOLDEN_LENGTH_MAX = 64 * 1024 * 1024
/** VHS's line between two screens of golden text. */
const SEPARATOR = '─'.repeat(80)

export interface TapeFile {
  readonly path: string
  readonly content: string | Uint8Array
}

/** How a tape ended; the first three members are those of protocol/messages.ts's TapeOutcome. */
export interface TapeResult {
  /** 0: every Wait was met. 1: one was not, or nobody was there to type to. 2: the tape is bad. */
  readonly status: 0 | 1 | 2
  /** What COM1 sent, as UTF-8. */
  readonly transcript: string
  readonly error: string | undefined
  /** What COM1 sent. */
  readonly bytes: Uint8Array
  /** What the tape's present console showed at the end. */
  readonly screen: readonly string[]
  /** What Output and Screenshot ask to be written. The page has nowhere to write it. */
  readonly files: readonly TapeFile[]
  /** Commands that were accepted and have no effect here, each once. */
  readonly ignored: readonly string[]
}

export interface PlayOptions extends ParseOptions {
  /** How messages name the tape. */
  readonly path?: string
}

/** Read and play `text`. Each yield is one slice of real time passed. */
export function* runTape(text: string, machine: SyncMachine, options: PlayOptions = {}): Generator<void, TapeResult> {
  const path = options.path ?? 'tape'
  const { tape, errors } = parseTape(text, options)
  if (tape) return yield* playTape(tape, machine, path)
  const error = errors.map((found) => describeError(path, found)).join('\n')
  return { status: 2, transcript: '', error, bytes: new Uint8Array(0), screen: [], files: [], ignored: [] }
}

export function* playTape(tape: Tape, machine: SyncMachine, path = 'tape'): Generator<void, TapeResult> {
  const player = new Player(tape, machine, path)
  try {
    return yield* player.play()
  } finally {
    player.stop()
  }
}

class Player {
  readonly #tape: Tape
  readonly #machine: SyncMachine
  readonly #path: string
  readonly #serial: Readonly<Record<SerialLine, SerialConsole>> = {
    com1: new SerialConsole('com1'),
    com2: new SerialConsole('com2'),
  }
  readonly #monitor: MonitorConsole
  /** Only of a tape that turns to one. */
  readonly #domains: DomainConsoles | undefined
  readonly #unsubscribe: () => void
  readonly #transcript = new ByteLog(TRANSCRIPT_BYTES_MAX)
  readonly #files: TapeFile[] = []
  readonly #golden: string[] = []
  readonly #wantsGolden: boolean
  #goldenLength = 0
  #target: TapeConsole = this.#serial.com1
  #speedNs = TYPING_SPEED_NS
  #timeoutNs = WAIT_TIMEOUT_NS
  #pattern = compilePattern(WAIT_PATTERN, '') as Pattern
  #hidden = false

  constructor(tape: Tape, machine: SyncMachine, path: string) {
    this.#tape = tape
    this.#machine = machine
    this.#path = path
    this.#monitor = new MonitorConsole(machine)
    this.#domains = tape.commands.some(({ step }) => isDomain(step)) ? new DomainConsoles(machine) : undefined
    this.#wantsGolden = tape.outputs.some(({ format }) => format === 'golden')
    this.#unsubscribe = machine.onSerial((line, byte) => {
      this.#serial[line].screen.byte(byte)
      if (line === 'com1') this.#transcript.add(byte)
    })
  }

  stop(): void {
    this.#unsubscribe()
    this.#domains?.stop()
  }

  *play(): Generator<void, TapeResult> {
    for (const command of this.#tape.commands) {
      try {
        yield* this.#perform(command.step)
        this.#keepGolden(command)
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure
        return this.#result(`${this.#where(command)}: ${failure.message}`)
      }
    }
    return this.#result(undefined)
  }

  #where({ file, line, name }: TapeCommand): string {
    return `${file ?? this.#path}:${line}: ${name}`
  }

  *#perform(step: TapeStep): Generator<void, void> {
    switch (step.kind) {
      case 'type':
        for (const character of step.text) yield* this.#press([plainKey(character)], step.speedNs)
        break
      case 'keys':
        for (let i = 0; i < step.count; i++) yield* this.#press(step.chords, step.speedNs)
        break
      case 'sleep':
        yield* this.#run(step.ns, never)
        break
      case 'wait':
        yield* this.#wait(step)
        break
      case 'set-speed':
        this.#speedNs = step.ns
        break
      case 'set-timeout':
        this.#timeoutNs = step.ns
        break
      case 'set-pattern':
        this.#pattern = step.pattern
        break
      case 'target':
        this.#target = this.#targetNamed(step.console)
        this.#domains?.enter()
        break
      case 'paste':
        for (const input of this.#target.paste(step.text)) this.#machine.input(input)
        this.#domains?.enter()
        break
      case 'hide':
      case 'show':
        this.#hidden = step.kind === 'hide'
        break
      case 'screenshot':
        this.#files.push({ path: step.path, content: this.#target.rows().join('\n') + '\n' })
        break
      case 'nothing':
        break
    }
  }

  #targetNamed(name: string): TapeConsole {
    if (name === 'com1' || name === 'com2') return this.#serial[name]
    if (name === 'monitor' || !this.#domains) return this.#monitor
    return this.#domains.console(name.slice(DOMAIN_PREFIX.length))
  }

  *#press(chords: readonly Parameters<TapeConsole['press']>[0][], speedNs = this.#speedNs): Generator<void, void> {
    for (const chord of chords) {
      const input = this.#target.press(chord)
      if (input) this.#machine.input(input)
      this.#domains?.enter()
    }
    yield* this.#run(speedNs, never)
  }

  *#wait({
    scope,
    pattern = this.#pattern,
    timeoutNs = this.#timeoutNs,
  }: TapeStep & { kind: 'wait' }): Generator<void, void> {
    const target = this.#target
    const matches = (): boolean => {
      if (scope === 'line') return pattern.test(target.line()) || pattern.test(target.wholeLine())
      const rows = target.rows()
      const lines = target.lines()
      return pattern.test(rows.join('\n')) || (lines.length < rows.length && pattern.test(lines.join('\n')))
    }
    let seen = -1
    const met = (): boolean => {
      const version = target.version()
      if (version === seen) return false
      seen = version
      return matches()
    }
    if (met()) return
    if (yield* this.#run(timeoutNs, met)) return
    const scopeName = scope === 'line' ? 'the line with the cursor' : 'the screen'
    const after = `${timeoutNs / 1e9} s`
    throw new Failure(`${scopeName} of ${target.name} did not match ${pattern.source} within ${after}`)
  }

  /** Let `ns` pass, or until `met`, which is asked after every output. True when it was met. */
  *#run(ns: number, met: () => boolean): Generator<void, boolean> {
    const deadlineNs = this.#machine.nowNs() + ns
    const lines = [this.#serial.com1, this.#serial.com2]
    const domains = this.#domains
    const answering = (): boolean => domains?.waiting() === true || lines.some(({ answers }) => answers.length > 0)
    let isMet = false
    const stop = (): boolean => {
      isMet = met()
      return isMet || answering()
    }
    for (;;) {
      const reason = this.#machine.runUntil(deadlineNs, stop)
      for (const line of lines) {
        const answer = line.takeAnswers()
        if (answer) this.#machine.input(answer)
      }
      domains?.enter()
      if (isMet) return true
      if (this.#transcript.full) throw new Failure(`COM1 sent more than ${TRANSCRIPT_BYTES_MAX} bytes`)
      if (reason === 'slice') yield
      else if (reason !== 'stopped') return false
    }
  }

  /** Settings come before the recording begins, in VHS. */
  #keepGolden({ name }: TapeCommand): void {
    if (!this.#wantsGolden || this.#hidden || name.startsWith('Set ') || name === 'Require') return
    const text = `${this.#target.rows().join('\n')}\n${SEPARATOR}\n`
    this.#goldenLength += text.length
    if (this.#goldenLength > GOLDEN_LENGTH_MAX) throw new Failure(`golden text longer than ${GOLDEN_LENGTH_MAX}`)
    this.#golden.push(text)
  }

  #result(error: string | undefined): TapeResult {
    const bytes = this.#transcript.bytes()
    const outputs = this.#tape.outputs.map(
      ({ path, format }): TapeFile => ({ path, content: format === 'golden' ? this.#golden.join('') : bytes }),
    )
    return {
      status: error === undefined ? 0 : 1,
      transcript: textOf(bytes),
      error,
      bytes,
      screen: this.#target.rows(),
      files: [...outputs, ...this.#files],
      ignored: this.#tape.ignored,
    }
  }
}

const isDomain = (step: TapeStep): boolean => step.kind === 'target' && step.console.startsWith(DOMAIN_PREFIX)
const never = (): boolean => false
