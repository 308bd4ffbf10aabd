/**
 * The page's end of the port: typed messages to the machine's worker, requests with answers, and the knowledge of whether anybody is
 * there. A worker that is hung or dead is replaced, frame and all, by the next power-on.
 */
import type { Input } from '#protocol/machine.ts'
import type { FromWorker, MachineOptions, Reply, Request, ToWorker } from '#protocol/messages.ts'
import type { XrayWatch } from '#protocol/xray.ts'
import type { BootDisk } from './disk/keeper.ts'
import type { Sandbox } from './sandbox.ts'
import { createWatchdog, type Timers, type Watchdog } from './watchdog.ts'

/** `none`: not started. `starting`: frame and worker are on their way. `hung`: silent, may come back. `dead`: gone, with its machine. */
export type WorkerStatus = 'none' | 'starting' | 'ready' | 'hung' | 'dead'

export type Value = Extract<Reply, { ok: true }>['value']

export interface ClientParts {
  /** The worker's script. */
  readonly workerText: () => Promise<string>
  /** What it executes machine code with. */
  readonly machineCodeText: () => Promise<string>
  /** The disk of the next machine: its buffers are transferred. */
  readonly openDisk: () => Promise<BootDisk>
  /** The second disk, for machines that have one. */
  readonly guestsDisk?: (() => Promise<ArrayBuffer>) | undefined
  /** What of its kernels is translated already. */
  readonly guestsTranslations?: (() => Promise<ArrayBuffer>) | undefined
  readonly openSandbox: (workerText: Promise<string>, onError: (message: string) => void) => Sandbox
  readonly onMessage: (message: FromWorker) => void
  readonly onStatus: (status: WorkerStatus, message: string) => void
  readonly timers: Timers
}

interface Connection {
  readonly sandbox: Sandbox
  readonly watchdog: Watchdog
  readonly waiting: Map<number, { resolve(value: Value): void; reject(error: Error): void }>
}

/** What follows power-on is asked for so often, and after so long again. */
const REST_ATTEMPTS = 5
const REST_AGAIN_MS = 2000

export class MachineClient {
  readonly #parts: ClientParts
  #connection: Connection | undefined
  #status: WorkerStatus = 'none'
  #requestId = 0
  /** While a machine is on its way: who asks then waits for it. */
  #starting: Promise<void> | undefined
  #isVisible = true
  #xray: XrayWatch | undefined

  constructor(parts: ClientParts) {
    this.#parts = parts
  }

  get status(): WorkerStatus {
    return this.#status
  }

  /** Make a new machine and press its power button, unless `press` is false; whatever ran before is gone. */
  powerOn(options: MachineOptions, press = true): Promise<void> {
    this.#close('replaced by a new machine')
    this.#setStatus('starting', '')
    this.#starting = this.#start(options, press)
    return this.#starting
  }

  async #start(options: MachineOptions, press: boolean): Promise<void> {
    try {
      const connection = this.#connect(this.#parts.workerText())
      this.#connection = connection
      this.#post({ type: 'visible', visible: this.#isVisible })
      if (this.#xray) this.#post({ type: 'xray', watch: this.#xray })
      const { openDisk, guestsDisk } = this.#parts
      const [boot, secondDisk] = await Promise.all([openDisk(), options.guests ? guestsDisk?.() : undefined])
      const { first: disk, rest, stored, persist } = boot
      // Another power-on may have come meanwhile, or the worker may be dead already.
      if (this.#connection !== connection) return
      const chunks = stored.map(({ bytes }) => bytes.buffer as ArrayBuffer)
      const transfer = [disk, ...(secondDisk ? [secondDisk] : []), ...chunks]
      this.#post({ type: 'power-on', options, disk, secondDisk, press, stored, persist }, transfer)
      await connection.sandbox.started
      if (rest) this.#sendLater(connection, async () => ({ type: 'disk-part', disk: await rest() }))
      this.#sendLater(connection, () => this.#machineCode(options))
    } catch (error) {
      this.#die(error instanceof Error ? error.message : String(error))
    }
  }

  async #machineCode({ guests }: MachineOptions): Promise<ToWorker> {
    const { machineCodeText, guestsTranslations } = this.#parts
    if (!guests || !guestsTranslations) return { type: 'machine-code', text: await machineCodeText() }
    // Without them everything is the same, and slower.
    const none = (): undefined => {}
    const [text, translations] = await Promise.all([machineCodeText(), guestsTranslations().catch(none)])
    return { type: 'machine-code', text, translations }
  }

  /** The machine runs meanwhile, and waits if it needs what has not come. */
  #sendLater(connection: Connection, make: () => Promise<ToWorker>): void {
    void this.#tryToSend(connection, make, REST_ATTEMPTS)
  }

  async #tryToSend(connection: Connection, make: () => Promise<ToWorker>, attempts: number): Promise<void> {
    try {
      const message = await make()
      if (this.#connection === connection) this.#post(message, transferOf(message))
    } catch (error) {
      if (this.#connection !== connection) return
      if (attempts > 1)
        this.#parts.timers.setTimeout(() => void this.#tryToSend(connection, make, attempts - 1), REST_AGAIN_MS)
      else this.#die(error instanceof Error ? error.message : String(error))
    }
  }

  input(input: Input): void {
    this.#post({ type: 'input', input })
  }

  clock(mode: MachineOptions['clock']): void {
    this.#post({ type: 'clock', mode })
  }

  visible(visible: boolean): void {
    this.#isVisible = visible
    this.#post({ type: 'visible', visible })
  }

  /** What of the trace this and all later machines tell. */
  xray(watch: XrayWatch | undefined): void {
    this.#xray = watch
    this.#post({ type: 'xray', watch })
  }

  async request(request: Request): Promise<Value> {
    await this.#starting
    const connection = this.#connection
    if (!connection) throw new Error('there is no machine')
    const id = ++this.#requestId
    return new Promise((resolve, reject) => {
      connection.waiting.set(id, { resolve, reject })
      this.#post({ type: 'request', id, request })
    })
  }

  #connect(workerText: Promise<string>): Connection {
    const sandbox = this.#parts.openSandbox(workerText, (message) => {
      if (this.#connection === connection) this.#die(message)
    })
    const watchdog = createWatchdog(() => this.#setStatus('hung', ''), this.#parts.timers)
    const connection: Connection = { sandbox, watchdog, waiting: new Map() }
    sandbox.port.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (this.#connection === connection) this.#receive(connection, data)
    }
    return connection
  }

  #receive(connection: Connection, message: FromWorker): void {
    if (message.type === 'alive') connection.watchdog.heard(message.sleepMs)
    else connection.watchdog.heard(0)
    if (this.#status !== 'ready' && message.type !== 'fault') this.#setStatus('ready', '')
    switch (message.type) {
      case 'reply': {
        const waiter = connection.waiting.get(message.id)
        connection.waiting.delete(message.id)
        if (message.reply.ok) waiter?.resolve(message.reply.value)
        else waiter?.reject(new Error(message.reply.error))
        return
      }
      case 'fault':
        this.#parts.onMessage(message)
        this.#die(message.message)
        break
      default:
        this.#parts.onMessage(message)
    }
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    const connection = this.#connection
    if (!connection) return
    connection.sandbox.port.postMessage(message, transfer)
    connection.watchdog.asked()
  }

  #die(message: string): void {
    this.#close(message)
    this.#setStatus('dead', message)
  }

  #close(why: string): void {
    const connection = this.#connection
    if (!connection) return
    this.#connection = undefined
    connection.watchdog.stop()
    connection.sandbox.close()
    for (const { reject } of connection.waiting.values()) reject(new Error(`the machine is gone: ${why}`))
  }

  #setStatus(status: WorkerStatus, message: string): void {
    this.#status = status
    this.#parts.onStatus(status, message)
  }
}

/** Buffers that nobody needs here any more. */
function transferOf(message: ToWorker): Transferable[] {
  if (message.type === 'disk-part') return [message.disk]
  return message.type === 'machine-code' && message.translations ? [message.translations] : []
}
