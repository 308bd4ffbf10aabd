/**
 * The public interface, version 1 (protocol/playground.ts, docs/api.md), over any host: the page's is `window.playground`, scripts/playground.mjs
 * gives the one under Node.
 */
import type { ConsoleId, WorldRecord } from '#protocol/machine.ts'
import type { Request, TapeOutcome } from '#protocol/messages.ts'
import type { Console, Playground } from '#protocol/playground.ts'
import { checkRecord } from '#protocol/record.ts'
import { createCasts } from './casts.ts'
import {
  absolutePath,
  bytes as checkedBytes,
  domainName,
  machineOptions,
  named,
  oneOf,
  seconds,
  text,
} from './check.ts'
import { monitorConsole, serialConsole } from './consoles.ts'
import { domainConsole } from './domain-console.ts'
import { domainsApi } from './domains.ts'
import { events } from './events.ts'
import { writeInside } from './files.ts'
import type { PlaygroundHost } from './host.ts'
import { xenstoreApi } from './xenstore.ts'

const DOMAIN = 'domain:'
/** Each goes on listening. */
const CONSOLES_MAX = 256

export function createPlayground(host: PlaygroundHost): Playground {
  const ask = async <T>(request: Request): Promise<T> => (await host.ask(request)) as T
  const press = async (button: 'reset' | 'nmi'): Promise<void> => host.input({ kind: 'button', button })
  const casts = createCasts(host)

  return {
    apiVersion: 1,
    ready: powered(host),
    console: consoles(host),
    machine: {
      power: () => host.power(),
      reset: () => press('reset'),
      nmi: () => press('nmi'),
      state: () => host.facts().state,
      options(next) {
        if (next === undefined) return host.facts().options
        host.setNextOptions(machineOptions(next))
        return host.facts().nextOptions
      },
      async screenshot() {
        const screen = host.screen()
        if (!screen) throw new Error('the machine has never been powered on')
        return screen
      },
      record: () => ask<WorldRecord>({ kind: 'record' }),
      async replay(record) {
        return ask<string>({ kind: 'replay', record: checkRecord(record) })
      },
      digest: () => ask<string>({ kind: 'digest' }),
    },
    clock: {
      mode(next) {
        if (next === undefined) return host.facts().mode
        host.clock(oneOf('clock', next, 'live', 'turbo', 'paused'))
        return next
      },
      now: () => host.facts().nowNs / 1e9,
      async runFor(passing) {
        const ns = Math.round(seconds(passing) * 1e9)
        return (await ask<number>({ kind: 'run-for', ns })) / 1e9
      },
      settled: async () => (await ask<number>({ kind: 'settled' })) / 1e9,
    },
    disk: {
      async readFile(path) {
        return ask<Uint8Array>({ kind: 'read-file', path: absolutePath(path) })
      },
      async writeFile(path, content) {
        const file = { path: absolutePath(path), bytes: checkedBytes('writeFile', content) }
        if (host.facts().state === 'off') await ask({ kind: 'write-file', ...file })
        else await writeInside(host.openLink, file.path, file.bytes)
      },
      export: () => ask<Uint8Array>({ kind: 'export-disk' }),
      async import(image) {
        await ask({ kind: 'import-disk', bytes: checkedBytes('import', image) })
      },
      async discard() {
        if (host.facts().state !== 'off') throw new Error('the machine is on: its disk cannot be discarded')
        await host.discardDisk()
      },
      state: () => host.facts().disk,
    },
    xenstore: xenstoreApi(host),
    domains: domainsApi(host),
    asciicast: (line = 'com1') => casts(oneOf('line', line, 'com1', 'com2')),
    ui: host.ui,
    async runTape(tape) {
      return ask<TapeOutcome>({ kind: 'tape', text: text('tape', tape) })
    },
    on: events(host),
  }
}

function powered(host: PlaygroundHost): Promise<void> {
  return new Promise((resolve) => {
    if (host.facts().state !== 'off') {
      resolve()
      return
    }
    const unsubscribe = host.onFacts(() => {
      if (host.facts().state === 'off') return
      unsubscribe()
      resolve()
    })
  })
}

/** A console is made when somebody first asks for it, but the machine's own listen from the beginning. */
function consoles(host: PlaygroundHost): (id: ConsoleId) => Console {
  const made = new Map<string, Console>([
    ['com1', serialConsole('com1', host)],
    ['com2', serialConsole('com2', host)],
    ['monitor', monitorConsole(host)],
  ])
  return (id) => {
    const known = made.get(id)
    if (known) return known
    if (typeof id !== 'string' || !id.startsWith(DOMAIN) || id === DOMAIN)
      throw new RangeError(`no such console: ${named(id)} (com1, com2, monitor or domain:NAME)`)
    const name = domainName(id.slice(DOMAIN.length))
    if (made.size >= CONSOLES_MAX) throw new RangeError(`more than ${CONSOLES_MAX} consoles`)
    const console = domainConsole(name, host)
    made.set(id, console)
    return console
  }
}
