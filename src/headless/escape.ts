/** Keys of the person at the terminal that are for the headless command itself: Ctrl-] and a letter, as telnet and miniterm have it. */

export type Act =
  | { readonly kind: 'send'; readonly bytes: readonly number[] }
  | { readonly kind: 'button'; readonly button: 'power' | 'reset' | 'nmi' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'help' }

const ESCAPE = 0x1d

const KEYS: ReadonlyMap<string, Act> = new Map<string, Act>([
  ['q', { kind: 'leave' }],
  ['r', { kind: 'button', button: 'reset' }],
  ['n', { kind: 'button', button: 'nmi' }],
  ['p', { kind: 'button', button: 'power' }],
  ['\x1d', { kind: 'send', bytes: [ESCAPE] }],
])

export const ESCAPE_HELP = [
  'Ctrl-] q       leave',
  'Ctrl-] r       press the reset button',
  'Ctrl-] n       press the NMI button',
  'Ctrl-] p       press the power button (off, then on)',
  'Ctrl-] Ctrl-]  send Ctrl-]',
  'Ctrl-] ?       this list',
]

/** Sorts what was typed; remembers a Ctrl-] whose letter is still to come. */
export function createEscape(): (typed: Uint8Array) => Act[] {
  let pending = false
  return (typed) => {
    const acts: Act[] = []
    let bytes: number[] = []
    const flush = (): void => {
      if (bytes.length > 0) acts.push({ kind: 'send', bytes })
      bytes = []
    }
    for (const byte of typed) {
      if (pending) {
        pending = false
        flush()
        acts.push(KEYS.get(String.fromCharCode(byte).toLowerCase()) ?? { kind: 'help' })
      } else if (byte === ESCAPE) pending = true
      else bytes.push(byte)
    }
    flush()
    return acts
  }
}
