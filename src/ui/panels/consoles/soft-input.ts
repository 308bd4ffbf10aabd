/**
 * Input that comes without keys: soft keyboards, dictation, emoji pickers. Such input changes a text field; what changed goes out, characters as
 * they are, deletions as Backspace. (Android says nothing of the key, only 229; a composition may be revised while it lasts.)
 */
export interface SoftInputHandlers {
  /** Characters, with DEL (0x7f) for each one taken back, and CR for Enter. */
  readonly text: (text: string) => void
}

const DEL = '\x7f'
/** What the field holds between inputs: a soft keyboard says nothing of a deletion where there is nothing to delete. */
const FILLER = ' '
/** Keys of other inputs than insertText, by `InputEvent.inputType`. */
const KEYS: Readonly<Record<string, string>> = {
  insertLineBreak: '\r',
  insertParagraph: '\r',
  deleteContentBackward: DEL,
  deleteWordBackward: '\x17',
  deleteSoftLineBackward: '\x15',
  deleteHardLineBackward: '\x15',
  deleteContentForward: '\x1b[3~',
}
const UNKNOWN_KEY = 229

/** What makes `next` of `before` at the end of a line: deletions, then characters. */
export function edits(before: string, next: string): string {
  const [old, now] = [[...before], [...next]]
  let same = 0
  while (same < old.length && old[same] === now[same]) same++
  return DEL.repeat(old.length - same) + now.slice(same).join('')
}

const isSoft = (): boolean => matchMedia('(pointer: coarse)').matches

/** Listens before anybody else does to what happens to `field`, which is inside `around`. Returns what undoes it. */
export function listenSoftly(around: HTMLElement, field: HTMLTextAreaElement, { text }: SoftInputHandlers): () => void {
  const over = new AbortController()
  /** The last key came with its name, so whoever listens to keys has dealt with it. */
  let keyKnown = false
  let composed: string | undefined

  const mine = (event: Event): boolean => event.target === field
  function refill(): void {
    field.value = isSoft() ? FILLER : ''
    field.setSelectionRange(field.value.length, field.value.length)
  }
  function on<K extends keyof HTMLElementEventMap>(type: K, listener: (event: HTMLElementEventMap[K]) => void): void {
    around.addEventListener(type, (event) => mine(event) && listener(event), { capture: true, signal: over.signal })
  }

  on('focusin', () => isSoft() && refill())
  on('keydown', (event) => {
    keyKnown = event.keyCode !== UNKNOWN_KEY || !isSoft()
    if (!keyKnown) event.stopPropagation()
  })
  on('keyup', () => {
    keyKnown = false
  })
  on('compositionstart', (event) => {
    if (!isSoft()) return
    event.stopPropagation()
    composed = ''
  })
  on('compositionupdate', (event) => {
    if (composed === undefined) return
    event.stopPropagation()
    text(edits(composed, event.data))
    composed = event.data
  })
  on('compositionend', (event) => {
    if (composed === undefined) return
    event.stopPropagation()
    text(edits(composed, event.data))
    composed = undefined
    refill()
  })
  on('beforeinput', (event) => {
    if (composed !== undefined || event.isComposing || event.inputType === 'insertFromPaste') return
    if (keyKnown) {
      // A screen reader says what is typed from the field; a soft keyboard would take it for its own words.
      if (isSoft()) event.preventDefault()
      return
    }
    const what = event.data ?? event.dataTransfer?.getData('text/plain') ?? ''
    const entered = KEYS[event.inputType] ?? (event.inputType.startsWith('insert') ? what.replace(/\n/g, '\r') : '')
    if (entered === '') return
    event.preventDefault()
    text(entered)
  })
  // Of what was dealt with above; xterm would look at it again.
  on('input', (event) => isSoft() && event.stopPropagation())
  return () => over.abort()
}
