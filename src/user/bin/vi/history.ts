/** Lines that were typed at a prompt before. */
const HISTORY_MAX = 50

export class History {
  readonly entries: string[] = []
  add(text: string): void {
    if (text === '') return
    const old = this.entries.indexOf(text)
    if (old >= 0) this.entries.splice(old, 1)
    this.entries.push(text)
    if (this.entries.length > HISTORY_MAX) this.entries.shift()
  }
}
