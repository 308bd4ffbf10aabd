/**
 * `window.playground`, version 1 (protocol/playground.ts, docs/api.md): the page's machine for tests, demos and labs. Consoles here keep a screen
 * of their own, the same one that tapes use, so that an answer never depends on what is drawn.
 */
import { utf8Encode } from '#lib/utf8.ts'
import type { Input, SerialLine } from '#protocol/machine.ts'
import type { MachineOptions, Request, TapeOutcome } from '#protocol/messages.ts'
import type { Console, Playground, PlaygroundEvents } from '#protocol/playground.ts'
import { SerialConsole, textRows } from '#tape/consoles.ts'
import { chordScanCodes } from '#tape/keyboard.ts'
import { type Chord, parseChord, plainKey } from '#tape/keys.ts'
import { isPanelId } from './panels/registry.ts'
import type { Session } from './session.ts'

const waitMs = 30_000
/** Output since the last send that `waitFor` can look at. */
const heardMax = 1_000_000

export function createPlayground(session: Session): Playground {
  const { client, store } = session
  const consoles: Record<string, Console> = {
    com1: serialConsole('com1', session),
    com2: serialConsole('com2', session),
    monitor: monitorConsole(session),
  }
  const ready = new Promise<void>((resolve) => {
    const unsubscribe = store.subscribe(({ power }) => {
      if (power === 'off') return
      unsubscribe()
      resolve()
    })
  })
  const press = async (button: 'reset' | 'nmi') => session.input({ kind: 'button', button })
  /** Where there is no machine yet, one is made and left off. */
  const ask = async <T>(request: Request): Promise<T> => {
    if (client.status === 'none' || client.status === 'dead') await session.newMachine({}, false)
    return (await client.request(request)) as T
  }

  return {
    apiVersion: 1,
    ready,
    console(id) {
      const found = Object.hasOwn(consoles, id) ? consoles[id] : undefined
      if (!found) throw new Error(`no such console: ${id}`)
      return found
    },
    machine: {
      power: () => session.power(),
      reset: () => press('reset'),
      nmi: () => press('nmi'),
      state: () => store.getState().power,
      options(next) {
        if (!next) return store.getState().options
        store.dispatch({ type: 'next-options', options: checkOptions(next) })
        return store.getState().nextOptions
      },
      async screenshot() {
        const screen = session.screen()
        if (!screen) throw new Error('the machine has never been powered on')
        return screen
      },
      record: () => ask({ kind: 'record' }),
      replay: (record) => ask({ kind: 'replay', record }),
      digest: () => ask({ kind: 'digest' }),
    },
    clock: {
      mode(next) {
        if (next) session.clock(next)
        return next ?? store.getState().mode
      },
      now: () => store.getState().nowNs / 1e9,
      runFor: async (seconds) => (await ask<number>({ kind: 'run-for', ns: Math.round(seconds * 1e9) })) / 1e9,
      settled: async () => (await ask<number>({ kind: 'settled' })) / 1e9,
    },
    disk: {
      readFile: (path) => ask({ kind: 'read-file', path }),
      async writeFile(path, bytes) {
        await ask({ kind: 'write-file', path, bytes })
      },
      export: () => ask({ kind: 'export-disk' }),
      async import(bytes) {
        await ask({ kind: 'import-disk', bytes })
      },
      discard: () => session.discardDisk(),
      state: () => store.getState().disk,
    },
    xenstore: undefined as never,
    domains: undefined as never,
    asciicast: undefined as never,
    ui: {
      open(panel) {
        if (!isPanelId(panel)) throw new Error(`no such panel: ${panel}`)
        store.dispatch({ type: 'panel', panel })
      },
      lang(next) {
        if (next) store.dispatch({ type: 'lang', lang: next })
        return store.getState().lang
      },
      theme(next) {
        if (next) store.dispatch({ type: 'theme', theme: next })
        return store.getState().theme
      },
    },
    runTape: (text) => ask<TapeOutcome>({ kind: 'tape', text }),
    on<K extends keyof PlaygroundEvents>(event: K, listener: (value: PlaygroundEvents[K]) => void) {
      return session.onMessage((message) => {
        if (message.type !== event) return
        const value = message.type === 'state' ? message.state : message.type === 'crash' ? message.report : message
        listener(value as PlaygroundEvents[K])
      })
    },
  }
}

function checkOptions(next: Partial<MachineOptions>): Partial<MachineOptions> {
  const { memoryMiB, seed, clock } = next
  if (memoryMiB !== undefined && !(Number.isInteger(memoryMiB) && memoryMiB >= 1 && memoryMiB <= 3072))
    throw new RangeError(`memoryMiB: ${memoryMiB} is not between 1 and 3072`)
  if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
    throw new RangeError(`seed: ${seed} is not a 32-bit number`)
  if (clock !== undefined && clock !== 'live' && clock !== 'turbo') throw new RangeError(`clock: ${clock}`)
  return next
}

/** What is common to all consoles: sending forgets what was heard before, waiting looks at what was heard since. */
function expecting(heard: () => string, onHeard: (listener: () => void) => () => void): Console['waitFor'] {
  return (pattern, { timeoutMs = waitMs } = {}) =>
    new Promise((resolve, reject) => {
      let finish = (): void => {}
      const look = (): void => {
        const text = heard()
        const match =
          typeof pattern === 'string' ? (text.includes(pattern) ? pattern : undefined) : pattern.exec(text)?.[0]
        if (match === undefined) return
        finish()
        resolve(match)
      }
      const unsubscribe = onHeard(look)
      const timer = setTimeout(() => {
        finish()
        reject(new Error(`no ${pattern} within ${timeoutMs} ms; heard: ${JSON.stringify(heard().slice(-500))}`))
      }, timeoutMs)
      finish = () => {
        clearTimeout(timer)
        unsubscribe()
      }
      look()
    })
}

function chordNamed(name: string): Chord {
  const chord = parseChord(name)
  if (!chord) throw new Error(`no such key: ${name}`)
  return chord
}

/** Escape sequences, which no pattern should have to spell. */
const escapes = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][0-9A-B]|[=>78DEHMNOZc])/g

function serialConsole(line: SerialLine, session: Session): Console {
  const shown: SerialConsole = new SerialConsole(line)
  let decoder = new TextDecoder()
  let heard = ''
  const listeners = new Set<() => void>()
  session.onSerial((from, bytes) => {
    if (from !== line) return
    shown.screen.write(bytes)
    // The terminal on the page answers queries; this one only watches.
    shown.takeAnswers()
    heard = (heard + decoder.decode(bytes, { stream: true })).slice(-heardMax)
    for (const listener of listeners) listener()
  })
  function send(bytes: readonly number[]): void {
    heard = ''
    decoder = new TextDecoder()
    if (bytes.length > 0) session.serialIn(line, bytes)
  }
  const pressed = (input: Input | undefined): readonly number[] => (input?.kind === 'serial' ? input.bytes : [])
  return {
    id: line,
    async write(data) {
      send([...(typeof data === 'string' ? utf8Encode(data) : data)])
    },
    async type(text) {
      send([...utf8Encode(text), 0x0d])
    },
    async key(name) {
      send(pressed(shown.press(chordNamed(name))))
    },
    waitFor: expecting(
      () => heard.replace(escapes, ''),
      (listener) => subscribe(listeners, listener),
    ),
    screen: async () => shown.rows(),
    onData: (listener) => session.onSerial((from, bytes) => from === line && listener(bytes)),
  }
}

function monitorConsole(session: Session): Console {
  const rows = (): string[] => {
    const screen = session.screen()
    return screen ? textRows(screen) : []
  }
  const press = (chord: Chord): void => {
    const scancodes = chordScanCodes(chord)
    if (!scancodes) throw new Error(`the keyboard has no key for ${chord.key}`)
    session.input({ kind: 'keyboard', scancodes })
  }
  return {
    id: 'monitor',
    async write(data) {
      if (typeof data !== 'string') throw new TypeError('the monitor has a keyboard: write text, not bytes')
      for (const character of data)
        press(character === '\n' || character === '\r' ? plainKey('Enter') : plainKey(character))
    },
    async type(text) {
      for (const character of text) press(plainKey(character))
      press(plainKey('Enter'))
    },
    async key(name) {
      press(chordNamed(name))
    },
    waitFor: expecting(
      () => rows().join('\n'),
      (listener) => session.onScreen(listener),
    ),
    screen: async () => rows(),
    onData: () => () => {},
  }
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
