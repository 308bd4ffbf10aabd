/** The author's end of a machine's thread: requests with answers. The machine's own words come to `heard`. */
import type { FromWorker, Reply, Request, ToWorker } from '#protocol/messages.ts'

/** What is needed of a thread; node:worker_threads' Worker is one. */
export interface Thread {
  postMessage(message: ToWorker): void
  on(event: 'message', listener: (message: FromWorker) => void): unknown
  on(event: 'error', listener: (error: unknown) => void): unknown
  on(event: 'exit', listener: () => void): unknown
  terminate(): Promise<unknown>
}

type Value = Extract<Reply, { ok: true }>['value']

export class MachineClient {
  readonly #thread: Thread
  readonly #waiting = new Map<number, { resolve(value: Value): void; reject(error: Error): void }>()
  #lastId = 0
  #goneWhy: string | undefined

  constructor(thread: Thread, heard: (message: FromWorker) => void, gone: (why: string) => void) {
    this.#thread = thread
    const die = (why: string): void => {
      if (this.#goneWhy !== undefined) return
      this.#goneWhy = why
      for (const { reject } of this.#waiting.values()) reject(new Error(`the machine is gone: ${why}`))
      this.#waiting.clear()
      gone(why)
    }
    thread.on('message', (message) => {
      if (message.type === 'reply') {
        const waiter = this.#waiting.get(message.id)
        this.#waiting.delete(message.id)
        if (message.reply.ok) waiter?.resolve(message.reply.value)
        else waiter?.reject(new Error(message.reply.error))
        return
      }
      heard(message)
      if (message.type === 'fault') die(message.message)
    })
    thread.on('error', (error) => die(error instanceof Error ? error.message : String(error)))
    thread.on('exit', () => die('it was closed'))
  }

  get isGone(): boolean {
    return this.#goneWhy !== undefined
  }

  post(message: ToWorker): void {
    if (!this.isGone) this.#thread.postMessage(message)
  }

  request(request: Request): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.#goneWhy !== undefined) {
        reject(new Error(`the machine is gone: ${this.#goneWhy}`))
        return
      }
      const id = ++this.#lastId
      this.#waiting.set(id, { resolve, reject })
      this.post({ type: 'request', id, request })
    })
  }

  async close(): Promise<void> {
    await this.#thread.terminate()
  }
}
