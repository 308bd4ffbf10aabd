/** `set -x`. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Shell } from './shell.ts'

/** Quoted where it would need quotes: `set -x`, `set`, `alias`. */
const shown = (text: string): string => (/^[A-Za-z0-9_./,:=+@%^-]+$/.test(text) ? text : quoteSingle(text))

function quoteSingle(text: string): string {
  if (!text.includes("'")) return `'${text}'`
  return text
    .split(/('+)/)
    .map((part) => (part === '' ? '' : part.startsWith("'") ? `"${part}"` : `'${part}'`))
    .join('')
}

export function* trace(sh: Shell, values: readonly (readonly [string, string])[], argv: readonly string[]): Sys<void> {
  const show = (text: string): string => (sh.bash ? shown(text) : text)
  const words = [...values.map(([name, text]) => `${name}=${text === '' ? '' : show(text)}`), ...argv.map(show)]
  yield* sh.err(`${sh.get('PS4') ?? '+ '}${words.join(' ')}\n`)
}
