/** Keys for the guest that a browser or a desktop keeps for itself, or that a keyboard lacks, and what a terminal sends for each. */
export interface SendKey {
  /** What stands in the menu: names of keys are the same in every language. */
  readonly name: string
  readonly bytes: string
}

const control = (letter: string): SendKey => ({
  name: `Ctrl-${letter}`,
  bytes: String.fromCharCode(letter.charCodeAt(0) & 0x1f),
})

/** xterm's: SS3 for the first four, then CSI with numbers that leave gaps where the VT220 had them. */
const FUNCTION_KEYS = ['OP', 'OQ', 'OR', 'OS', ...[15, 17, 18, 19, 20, 21, 23, 24].map((number) => `[${number}~`)]

const alt = (letter: string): SendKey => ({ name: `Alt-${letter.toUpperCase()}`, bytes: `\x1b${letter}` })

export const ctrlA3: SendKey = { name: 'Ctrl-A ×3', bytes: '\x01\x01\x01' }
export const leaveConsole = control(']')

export const sendKeyGroups: readonly (readonly SendKey[])[] = [
  [ctrlA3, leaveConsole, { name: 'Esc', bytes: '\x1b' }, { name: 'Tab', bytes: '\t' }],
  ['A', 'C', 'D', 'N', 'T', 'W', 'Z', '\\'].map(control),
  ['b', 'd', 'f', '.'].map(alt),
  FUNCTION_KEYS.map((rest, i) => ({ name: `F${i + 1}`, bytes: `\x1b${rest}` })),
]
