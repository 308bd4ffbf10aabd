/** xen/common/kernel.c: the command line and its parameters, and the taint flags. */
import { strtol } from './lib.ts'

/** One row of the parameter table: how `key=value` is taken. `set` gets what kernel.c's OPT_* type makes of the value. */
export type Param =
  /** OPT_STR: the text, cut at `length - 1` characters. */
  | { readonly name: string; readonly type: 'string'; readonly length: number; readonly set: (value: string) => void }
  /** OPT_UINT. */
  | { readonly name: string; readonly type: 'integer'; readonly set: (value: number) => void }
  | { readonly name: string; readonly type: 'boolean'; readonly set: (value: boolean) => void }
  | { readonly name: string; readonly type: 'custom'; readonly set: (value: string) => void }

/** An option longer than this is cut, as the buffer in cmdline_parse cuts it. */
const OPTION_MAX = 99
const FALSE_WORDS: readonly string[] = ['no', 'off', 'false', '0']

/** Take every option of `cmdline` that the table knows; the others are nobody's business. */
export function cmdlineParse(params: readonly Param[], cmdline: string): void {
  for (const word of cmdline.split(' ')) {
    if (word === '') continue
    const option = word.slice(0, OPTION_MAX)
    const equals = option.indexOf('=')
    const value = equals < 0 ? '' : option.slice(equals + 1)
    let key = equals < 0 ? option : option.slice(0, equals)
    // Boolean parameters can be inverted with a 'no-' prefix; on others it is simply taken off.
    const negated = key.startsWith('no-')
    if (negated) key = key.slice(3)
    for (const param of params) {
      if (param.name !== key) continue
      if (param.type === 'string') param.set(value.slice(0, param.length - 1))
      else if (param.type === 'integer') param.set(strtol(value, 0) >>> 0)
      else if (param.type === 'boolean') param.set(FALSE_WORDS.includes(value) ? negated : !negated)
      else param.set(value)
    }
  }
}

/** cmdline_cook: without the first word (the image's file name) and the blanks around it. */
export function cmdlineCook(text: string): string {
  let at = 0
  while (text[at] === ' ') at++
  while (at < text.length && text[at] !== ' ') at++
  while (text[at] === ' ') at++
  return text.slice(at)
}

/** Xen's options and dom0's: what follows ` -- ` is dom0's, with exactly one leading blank. Undefined: no ` -- `. */
export function splitCmdline(cooked: string): { readonly xen: string; readonly dom0: string | undefined } {
  const at = cooked.indexOf(' -- ')
  if (at < 0) return { xen: cooked, dom0: undefined }
  let from = at + 3
  while (cooked[from + 1] === ' ') from++
  return { xen: cooked.slice(0, at), dom0: cooked.slice(from) }
}

export const TAINT_UNSAFE_SMP = 1 << 0
export const TAINT_MACHINE_CHECK = 1 << 1
export const TAINT_BAD_PAGE = 1 << 2
export const TAINT_SYNC_CONSOLE = 1 << 3

export function taintedText(tainted: number): string {
  if (tainted === 0) return 'Not tainted'
  const flag = (bit: number, letter: string): string => (tainted & bit ? letter : ' ')
  return `Tainted: ${flag(TAINT_UNSAFE_SMP, 'S')}${flag(TAINT_MACHINE_CHECK, 'M')}${flag(TAINT_BAD_PAGE, 'B')}${flag(TAINT_SYNC_CONSOLE, 'C')}`
}
