/**
 * printk (Linux: kernel/printk.c): a ring of bytes, 2^CONFIG_LOG_BUF_SHIFT of them, and the consoles that `console=` has asked for. What is logged
 * before a console registers is printed when it does.
 */
import type { Console, Log } from '../kernel.ts'
import { WaitQueue } from '../sched/wait.ts'

const LOG_BUF_SHIFT = 17
const DEFAULT_MESSAGE_LOGLEVEL = 4
const DEFAULT_CONSOLE_LOGLEVEL = 7
const QUIET_CONSOLE_LOGLEVEL = 4
const DEBUG_CONSOLE_LOGLEVEL = 10

/** `console=` of the command line: `ttyS0,115200n8`. */
interface Preferred {
  readonly name: string
  readonly index: number
}

function preferredConsoles(words: readonly string[]): Preferred[] {
  const found: Preferred[] = []
  for (const word of words) {
    if (!word.startsWith('console=')) continue
    const text = word.slice('console='.length).split(',')[0]!
    const digits = /\d*$/.exec(text)![0]
    // A bare number means ttyS, as it always did.
    const name = text.slice(0, text.length - digits.length) || 'ttyS'
    found.push({ name, index: digits === '' ? 0 : Number(digits) })
  }
  return found
}

export class Printk implements Log {
  readonly bufferBytes = 1 << LOG_BUF_SHIFT
  consoleLevel = DEFAULT_CONSOLE_LOGLEVEL
  readonly consoles: Console[] = []
  /** What each line is made of: level, text with its newline (the last may not have one yet). */
  #lines: { level: number; text: string }[] = []
  #bytes = 0
  #open = false
  /** klogctl(CLEAR): dmesg shows what came later. */
  #clearedAt = 0
  #dropped = 0
  /** SYSLOG_ACTION_READ and /proc/kmsg: lines already read. */
  #readAt = 0
  readonly #preferred: readonly Preferred[]
  /** Without console=: somebody is /dev/console already. */
  #anyPreferred = false
  /** Reads of /proc/kmsg sleep here. */
  readonly readers = new WaitQueue()

  constructor(cmdline: string) {
    const words = cmdline.split(/\s+/)
    this.#preferred = preferredConsoles(words)
    if (words.includes('quiet')) this.consoleLevel = QUIET_CONSOLE_LOGLEVEL
    if (words.includes('debug')) this.consoleLevel = DEBUG_CONSOLE_LOGLEVEL
    const level = words.findLast((word) => /^loglevel=\d+$/.test(word))
    if (level) this.consoleLevel = Number(level.slice('loglevel='.length))
  }

  printk(text: string): void {
    let rest = text
    while (rest !== '') {
      const newline = rest.indexOf('\n') + 1
      let part = newline > 0 ? rest.slice(0, newline) : rest
      rest = rest.slice(part.length)
      let level = this.#open ? this.#lines.at(-1)!.level : DEFAULT_MESSAGE_LOGLEVEL
      const tag = /^<([0-7])>/.exec(part)
      if (tag) {
        if (!this.#open) level = Number(tag[1])
        part = part.slice(3)
      }
      this.#append(level, part)
      if (level < this.consoleLevel) for (const console of this.consoles) console.write(part)
    }
    this.readers.wakeUp()
  }

  registerConsole(console: Console): void {
    const selected = this.#preferred.length - 1
    const chosen = this.#preferred.findLastIndex(({ name, index }) => name === console.name && index === console.index)
    // Without console= the first that comes is it.
    const first = selected < 0 && !this.#anyPreferred
    if (!first && chosen < 0 && !console.enabled) return
    if (first) this.#anyPreferred = true
    // The one that was named last is /dev/console; others come behind whoever is that.
    const front = first || (chosen >= 0 && chosen === selected) || this.consoles.length === 0
    this.consoles.splice(front ? 0 : 1, 0, console)
    for (const { level, text } of this.#lines) if (level < this.consoleLevel) console.write(text)
  }

  unregisterConsole(console: Console): void {
    const at = this.consoles.indexOf(console)
    if (at >= 0) this.consoles.splice(at, 1)
  }

  get consoleDevice(): number {
    return this.consoles[0]?.device ?? 0
  }

  text(): string {
    let text = ''
    for (const { text: line } of this.#kept()) text += line
    return text
  }

  /** The same with each line's level in front, as the ring has it. */
  taggedText(): string {
    let text = ''
    for (const { level, text: line } of this.#kept()) text += `<${level}>${line}`
    return text
  }

  clear(): void {
    this.#clearedAt = this.#dropped + this.#lines.length
  }

  /** Complete lines that no reader of /proc/kmsg has had, at most `count` bytes of them. */
  takeUnread(count: number): string {
    let text = ''
    const end = this.#dropped + this.#lines.length - (this.#open ? 1 : 0)
    if (this.#readAt < this.#dropped) this.#readAt = this.#dropped
    while (this.#readAt < end) {
      const { level, text: line } = this.#lines[this.#readAt - this.#dropped]!
      const tagged = `<${level}>${line}`
      if (text.length + tagged.length > count) {
        if (text !== '') break
        this.#readAt++
        return tagged.slice(0, count)
      }
      text += tagged
      this.#readAt++
    }
    return text
  }

  get unreadBytes(): number {
    const from = Math.max(this.#readAt, this.#dropped) - this.#dropped
    let bytes = 0
    for (const { text } of this.#lines.slice(from)) bytes += text.length + 3
    return bytes
  }

  get unread(): boolean {
    return Math.max(this.#readAt, this.#dropped) < this.#dropped + this.#lines.length - (this.#open ? 1 : 0)
  }

  #kept(): readonly { readonly level: number; readonly text: string }[] {
    return this.#lines.slice(Math.max(0, this.#clearedAt - this.#dropped))
  }

  #append(level: number, part: string): void {
    const last = this.#lines.at(-1)
    if (this.#open && last) last.text += part
    else {
      this.#lines.push({ level, text: part })
      this.#bytes += 3
    }
    this.#bytes += part.length
    this.#open = !part.endsWith('\n')
    let drop = 0
    while (this.#bytes > this.bufferBytes && drop < this.#lines.length - 1)
      this.#bytes -= this.#lines[drop++]!.text.length + 3
    if (drop === 0) return
    this.#lines = this.#lines.slice(drop)
    this.#dropped += drop
  }
}
