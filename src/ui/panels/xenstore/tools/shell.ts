/** xsh in dom0, on a terminal here: a host link that starts the program on a pty of its own. The link's end is its end. */
import type { HostLink } from '#protocol/links.ts'
import type { OpenLink } from '#protocol/open-link.ts'
import { SendQueue } from '../../consoles/send-queue.ts'
import type { Terminals } from '../../consoles/terminals.ts'

const PROGRAM = '/usr/bin/xsh'
const PART_BYTES = 16384

export type ShellState =
  | { readonly kind: 'opening' }
  /** It has said something. */
  | { readonly kind: 'open' }
  | { readonly kind: 'over'; readonly reason: string }

export interface ShellParts {
  readonly openLink: OpenLink
  readonly terminals: Pick<Terminals, 'make'>
}

/** A path as the shell takes it: names of XenStore need no quotes. */
const goTo = (path: string): string => `\x05\x15cd ${path}\r`

export class Shell {
  readonly terminal: ReturnType<Terminals['make']>
  #state: ShellState = { kind: 'opening' }
  readonly #listeners = new Set<() => void>()
  readonly #link: HostLink

  constructor({ openLink, terminals }: ShellParts, columns: number, rows: number) {
    const queue = new SendQueue()
    let link: HostLink | undefined
    let blocked = false
    const pump = (): void => {
      while (link && !blocked && queue.pending > 0) blocked = !link.write(queue.take(PART_BYTES))
    }
    this.terminal = terminals.make(columns, rows, () => ({
      queue,
      write(bytes) {
        queue.push(bytes)
        pump()
      },
    }))
    const { terminal } = this.terminal
    this.#link = openLink(`exec:${columns}x${rows}:${PROGRAM}`, {
      data: (bytes, taken) => {
        if (this.#state.kind === 'opening') this.#become({ kind: 'open' })
        terminal.write(bytes, () => taken(bytes.length))
      },
      end: () => this.#over(''),
      close: (reason) => this.#over(reason),
      drain: () => {
        blocked = false
        pump()
      },
    })
    link = this.#link
    pump()
  }

  readonly state = (): ShellState => this.#state

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Whatever was typed and not entered is dropped. */
  cd(path: string): void {
    this.#send(goTo(path))
  }

  insert(path: string): void {
    this.#send(path)
  }

  /** Hangs up; the program gets SIGHUP. */
  close(): void {
    if (this.#state.kind !== 'over') this.#link.close()
    this.terminal.dispose()
  }

  #send(keys: string): void {
    if (this.#state.kind === 'over') return
    this.terminal.send(keys)
    this.terminal.focus()
  }

  #over(reason: string): void {
    if (this.#state.kind === 'over') return
    // What it said before is still to be read.
    this.#link?.close()
    this.terminal.line.queue.cancel()
    this.#become({ kind: 'over', reason })
  }

  #become(state: ShellState): void {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}
