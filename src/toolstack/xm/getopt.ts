/** Python's getopt and gnu_getopt, with their complaints. */
import { OptionError } from './errors.ts'

export interface Parsed {
  readonly options: readonly (readonly [name: string, value: string])[]
  readonly params: readonly string[]
}

/** GetoptError. */
export class GetoptError extends OptionError {}

/** `short` as `ab:`, `long` as `name` or `name=`. With `stop` the first plain argument ends the options. */
export function getopt(args: readonly string[], short: string, long: readonly string[], stop = false): Parsed {
  const options: [string, string][] = []
  const params: string[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === '--') {
      params.push(...args.slice(i + 1))
      break
    }
    if (!arg.startsWith('-') || arg === '-') {
      if (stop) {
        params.push(...args.slice(i))
        break
      }
      params.push(arg)
    } else if (arg.startsWith('--')) {
      const equals = arg.indexOf('=')
      const typed = equals < 0 ? arg.slice(2) : arg.slice(2, equals)
      let value = equals < 0 ? undefined : arg.slice(equals + 1)
      const name = longName(typed, long)
      if (name.endsWith('=')) {
        value ??= args[++i]
        if (value === undefined) throw new GetoptError(`option --${name.slice(0, -1)} requires argument`)
        options.push([`--${name.slice(0, -1)}`, value])
      } else {
        if (value !== undefined) throw new GetoptError(`option --${name} must not have an argument`)
        options.push([`--${name}`, ''])
      }
    } else {
      for (let k = 1; k < arg.length; k++) {
        const letter = arg[k]!
        const at = letter === ':' ? -1 : short.indexOf(letter)
        if (at < 0) throw new GetoptError(`option -${letter} not recognized`)
        if (short[at + 1] !== ':') options.push([`-${letter}`, ''])
        else {
          const value = k + 1 < arg.length ? arg.slice(k + 1) : args[++i]
          if (value === undefined) throw new GetoptError(`option -${letter} requires argument`)
          options.push([`-${letter}`, value])
          break
        }
      }
    }
  }
  return { options, params }
}

function longName(typed: string, long: readonly string[]): string {
  const fits = long.filter((one) => one.startsWith(typed))
  if (fits.length === 0) throw new GetoptError(`option --${typed} not recognized`)
  const exact = fits.find((one) => one === typed || one === `${typed}=`)
  if (exact !== undefined) return exact
  if (fits.length > 1) throw new GetoptError(`option --${typed} not a unique prefix`)
  return fits[0]!
}

/** Was one of these given? */
export const given = ({ options }: Parsed, ...names: readonly string[]): boolean =>
  options.some(([name]) => names.includes(name))
/** The last value of one of these. */
export const lastValue = ({ options }: Parsed, ...names: readonly string[]): string | undefined =>
  options.findLast(([name]) => names.includes(name))?.[1]
