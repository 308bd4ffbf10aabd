/** The terminal in use, and printing on it: grub_putchar, grub_printf and the pager of stage2/char_io.c. */
import type { Metal } from '#abi/pc/metal.ts'
import type { Run } from '../run.ts'
import { Console } from './console.ts'
import { Serial } from './serial.ts'
import { KEY, type Terminal, type TerminalName } from './terminal.ts'

const LINES_DEFAULT = 24

export class Tty {
  readonly console: Console
  readonly serial: Serial
  current: Terminal
  /** Whether long output at the command line stops after each screen. */
  usePager = true
  /** Lines of a screen. */
  maxLines = LINES_DEFAULT
  /** Lines since the last stop; undefined: not counted. */
  lineCount: number | undefined
  readonly #metal: Metal

  constructor(metal: Metal) {
    this.#metal = metal
    this.console = new Console(metal.bios)
    this.serial = new Serial(metal)
    this.current = this.console
  }

  named(name: string): Terminal | undefined {
    return name === 'console' ? this.console : name === 'serial' ? this.serial : undefined
  }

  /** Tell observers which terminals are talked to. */
  announce(terminals: readonly TerminalName[] = [this.current.name]): void {
    this.#metal.probe({ kind: 'boot-terminal', terminals })
  }

  get dumb(): boolean {
    return this.current.flags.dumb
  }

  /** One byte. `\n` brings its `\r`; a tab becomes blanks, as many as GRUB counts. */
  *put(byte: number): Run {
    if (byte === 9) {
      for (let n = 8 - (this.current.column() & 3); n > 0; n--) yield* this.current.put(32)
      return
    }
    if (byte !== 10) return yield* this.current.put(byte)
    yield* this.current.put(13)
    if (this.lineCount !== undefined && ++this.lineCount >= this.maxLines - 2) yield* this.#stop()
    else yield* this.current.put(10)
  }

  /** `more`, in place of a newline. */
  *#stop(): Run {
    this.lineCount = undefined
    yield* this.current.color('highlight')
    yield* this.print('\n[Hit return to continue]')
    yield* this.current.color('normal')
    let key: number
    do key = yield* this.current.key()
    while (key !== KEY.newline && key !== KEY.enter)
    yield* this.print('\r                        \r')
    this.lineCount = 0
  }

  *print(text: string): Run {
    for (let i = 0; i < text.length; i++) yield* this.put(text.charCodeAt(i))
  }

  *key(): Run<number> {
    return yield* this.current.key()
  }

  hasKey(): boolean {
    return this.current.hasKey()
  }

  *clear(): Run {
    if (this.dumb) yield* this.put(10)
    else yield* this.current.clear()
  }

  *goto(column: number, row: number): Run {
    yield* this.current.goto(column, row)
  }

  showCursor(visible: boolean): boolean {
    return this.current.showCursor?.(visible) ?? true
  }
}
