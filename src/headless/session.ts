/** A machine on a terminal or a socket: until the person leaves, a signal comes, or piped input has ended and the machine has settled. */
import { HostLinks } from '#protocol/links.ts'
import type { Input } from '#protocol/machine.ts'
import { openBridge } from './bridge.ts'
import { createEscape, ESCAPE_HELP } from './escape.ts'
import { type Forward, openForward } from './forward.ts'
import type { Com1 } from './options.ts'
import { type PacedWorld, Pacer } from './pacer.ts'

/** What a session needs of its process. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  nowMs(): number
}

/** The longest that setTimeout can count. */
const SLEEP_MS_MAX = 2 ** 31 - 1

export interface SessionOptions {
  readonly com1: Com1
  readonly turbo: boolean
  readonly forwards?: readonly Forward[]
}

export function runSession(world: PacedWorld, terminal: Terminal, options: SessionOptions): Promise<void> {
  return new Session(world, terminal, options).run()
}

class Session {
  readonly #world: PacedWorld
  readonly #terminal: Terminal
  readonly #options: SessionOptions
  readonly #pacer: Pacer
  #output: number[] = []
  #send: (bytes: Uint8Array) => void
  #cancel: (() => void) | undefined
  #inputEnded = false
  /** Inside of a run: what enters meanwhile waits. */
  #running = false
  #later: Input[] = []
  #ended = false
  #leave: (error?: unknown) => void = () => {}

  constructor(world: PacedWorld, terminal: Terminal, options: SessionOptions) {
    this.#world = world
    this.#terminal = terminal
    this.#options = options
    this.#pacer = new Pacer(world, terminal.nowMs, options.turbo)
    this.#send = (bytes) => terminal.stdout.write(bytes)
  }

  async run(): Promise<void> {
    const { com1 } = this.#options
    const left = new Promise<void>((resolve, reject) => {
      this.#leave = (error) => (error === undefined ? resolve() : reject(error))
    })
    const closers: (() => void)[] = []
    try {
      closers.push(com1.kind === 'stdio' ? this.#attachTerminal() : await this.#attachSocket(com1))
      closers.push(this.#listen())
      closers.push(...(await this.#forwards()))
      this.#wake()
      await left
      if (!this.#ended) this.#pacer.finish()
    } finally {
      this.#ended = true
      this.#cancel?.()
      this.#flush()
      for (const close of closers) close()
    }
  }

  /** The line's output, and the signals that ask us to end. */
  #listen(): () => void {
    const unsubscribe = this.#world.onSerial((line, byte) => {
      if (line === 'com1') this.#output.push(byte)
    })
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    const end = (): void => this.#leave()
    for (const signal of signals) process.on(signal, end)
    return () => {
      unsubscribe()
      for (const signal of signals) process.off(signal, end)
    }
  }

  #attachTerminal(): () => void {
    const { stdin, stderr } = this.#terminal
    const sort = createEscape()
    const data = (typed: Uint8Array): void => {
      for (const act of sort(typed)) {
        if (act.kind === 'leave') this.#leave()
        else if (act.kind === 'help') stderr.write(`\r\n${ESCAPE_HELP.join('\r\n')}\r\n`)
        else if (act.kind === 'button') this.#input(act)
        else this.#input({ kind: 'serial', line: 'com1', bytes: act.bytes })
      }
    }
    const ended = (): void => {
      this.#inputEnded = true
      this.#wake()
    }
    if (stdin.isTTY) {
      stderr.write('COM1 is this terminal: Ctrl-] q leaves, Ctrl-] ? lists the other keys.\r\n')
      stdin.setRawMode(true)
    }
    stdin.on('data', data)
    stdin.on('end', ended)
    stdin.resume()
    return () => {
      stdin.off('data', data)
      stdin.off('end', ended)
      if (stdin.isTTY) stdin.setRawMode(false)
      stdin.pause()
    }
  }

  async #attachSocket(where: Exclude<Com1, { kind: 'stdio' }>): Promise<() => void> {
    const bridge = await openBridge(where, (bytes) => this.#input({ kind: 'serial', line: 'com1', bytes: [...bytes] }))
    this.#send = (bytes) => bridge.send(bytes)
    this.#terminal.stderr.write(`COM1 listens on ${bridge.address}; Ctrl-C ends.\n`)
    return () => bridge.close()
  }

  async #forwards(): Promise<(() => void)[]> {
    const closers: (() => void)[] = []
    const { stderr } = this.#terminal
    const { forwards = [] } = this.#options
    if (forwards.length === 0) return closers
    const links = new HostLinks((input) => this.#input(input))
    closers.push(this.#world.onLink((link, output) => links.receive(link, output)))
    try {
      for (const forward of forwards) {
        const opened = await openForward(forward, links, (message) => stderr.write(`headless: ${message}\n`))
        closers.push(opened.close)
        stderr.write(`${opened.address} leads to dom0:${forward.to}\n`)
      }
    } catch (error) {
      for (const close of closers) close()
      throw error
    }
    return closers
  }

  #input(input: Input): void {
    if (this.#ended) return
    this.#later.push(input)
    if (this.#running) return
    this.#enterLater()
    this.#wake()
  }

  /** What a run let out may have been answered at once. */
  #enterLater(): void {
    for (let input = this.#later.shift(); input && !this.#ended; input = this.#later.shift()) {
      const entering = input
      this.#guard(() => this.#pacer.input(entering))
    }
  }

  /** One turn, soon. */
  #wake(): void {
    this.#cancel?.()
    if (this.#ended) return
    const turn = setImmediate(() => this.#turn())
    this.#cancel = () => clearImmediate(turn)
  }

  #turn(): void {
    let sleepMs = 0
    this.#guard(() => {
      sleepMs = this.#pacer.turn()
    })
    if (this.#later.length > 0) {
      this.#enterLater()
      sleepMs = 0
    }
    this.#flush()
    if (this.#ended) return
    if (this.#inputEnded && !this.#options.forwards?.length && this.#world.settled()) this.#leave()
    else if (sleepMs === 0) this.#wake()
    else {
      // Even a machine that waits for ever keeps the process: its terminal or its socket does.
      const timer = setTimeout(() => this.#turn(), Math.min(sleepMs, SLEEP_MS_MAX))
      this.#cancel = () => clearTimeout(timer)
    }
  }

  #flush(): void {
    if (this.#output.length === 0) return
    const bytes = Uint8Array.from(this.#output)
    this.#output = []
    this.#send(bytes)
  }

  #guard(run: () => void): void {
    this.#running = true
    try {
      run()
    } catch (error) {
      this.#ended = true
      this.#leave(error ?? new Error('unknown'))
    } finally {
      this.#running = false
    }
  }
}
