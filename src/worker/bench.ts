/** For tests: a room with the real machine in it, whose real time passes as the test says. */
import type { DiskBatch, DiskChunk } from '#protocol/disk.ts'
import type { FromWorker, Request, ToWorker } from '#protocol/messages.ts'
import { createRing3s } from './machine-code.ts'
import { createRoom, type Room } from './room.ts'

let known: readonly string[] = []
let parts: readonly Uint8Array[] = []

/** Before anything else here: the default disk. */
export function useDisk(build: { readonly known: readonly string[] }, diskParts: readonly Uint8Array[]): void {
  known = build.known
  parts = diskParts
}

const buffer = (bytes: Uint8Array): ArrayBuffer => bytes.slice().buffer as ArrayBuffer

export class Bench {
  readonly sent: FromWorker[] = []
  readonly faults: unknown[] = []
  readonly #queue: (() => void)[] = []
  readonly #timers: (() => void)[] = []
  readonly #room: Room
  #nowMs = 0
  #id = 0

  /** `callMs`: what passes whenever somebody looks at the clock. */
  constructor(callMs = 0) {
    this.#room = createRoom({
      host: {
        nowMs: () => (this.#nowMs += callMs),
        soon: (run) => this.#queue.push(run),
        after: (_, run) => {
          this.#timers.push(run)
          return () => {}
        },
      },
      known,
      evaluate: () => createRing3s,
      send: (message) => this.sent.push(message),
      fault: (error) => this.faults.push(error),
    })
  }

  receive(message: ToWorker): void {
    this.#room.receive(message)
  }

  powerOn(stored?: readonly DiskChunk[], { press = true, disk = buffer(parts[0]!) } = {}): void {
    const options = { memoryMiB: 1024, seed: 1, clock: 'turbo' } as const
    const kept = stored ? { stored: stored.map((chunk) => ({ ...chunk })), persist: true } : {}
    this.receive({ type: 'power-on', options, disk, press, ...kept })
  }

  /** What the page would have stored by now. */
  get batches(): DiskBatch[] {
    return this.sent.flatMap((message) => (message.type === 'disk-batch' ? [message.batch] : []))
  }

  /** What follows a first load. */
  rest(): void {
    this.receive({ type: 'disk-part', disk: buffer(parts[1]!) })
    this.machineCode()
  }

  machineCode(): void {
    this.receive({ type: 'machine-code', text: '' })
  }

  type(text: string): void {
    this.receive({
      type: 'input',
      input: { kind: 'serial', line: 'com1', bytes: [...text].map((c) => c.charCodeAt(0)) },
    })
  }

  /** Turns until COM1 has said `text` since the last call, or nothing goes on: whether it has. */
  until(text: string, turns = 20_000): boolean {
    const from = this.#heard
    for (let i = 0; i < turns; i++) {
      const at = this.com1.indexOf(text, from)
      if (at >= 0) {
        this.#heard = at + text.length
        return true
      }
      this.#nowMs += 5
      const next = this.#queue.shift() ?? this.#timers.shift()
      if (!next) return false
      next()
    }
    return false
  }
  #heard = 0

  get com1(): string {
    for (const message of this.sent.slice(this.#read))
      if (message.type === 'serial' && message.line === 'com1') this.#text += String.fromCharCode(...message.bytes)
    this.#read = this.sent.length
    return this.#text
  }
  #text = ''
  #read = 0

  request(request: Request): { readonly reply: unknown } {
    const id = ++this.#id
    const { sent } = this
    this.receive({ type: 'request', id, request })
    return {
      get reply() {
        return sent.find((message) => message.type === 'reply' && message.id === id)
      },
    }
  }
}

/** A page's store: the chunks of `batches` over those that were there. */
export function storedAfter(stored: readonly DiskChunk[], batches: readonly DiskBatch[]): DiskChunk[] {
  const chunks = new Map(stored.map(({ number, bytes }) => [number, bytes]))
  for (const batch of batches) {
    if (batch.blankSectors !== undefined) chunks.clear()
    for (const { number, bytes } of batch.chunks) chunks.set(number, bytes)
  }
  return [...chunks].map(([number, bytes]) => ({ number, bytes }))
}
