/** getopt_long(3) of glibc 2.5: options in any order (permuted before operands), unambiguous abbreviations, its exact complaints. */

export interface Option {
  /** The short letter, or what the long option's row says. */
  readonly code: string
  readonly value: string | undefined
}

export interface Options {
  readonly options: readonly Option[]
  readonly operands: readonly string[]
  /** The complaint about the first bad option, without the program's name; `options` holds those before it. */
  readonly error: string | undefined
}

/**
 * `short` is getopt's string: `ab:c::`; a leading `+` stops at the first operand (so does `stopEarly`).
 * `long` has the name with the same colons, and the code it stands for: `{ all: 'a', 'width:': 'w', 'color::': 'color' }`.
 */
export function getopt(args: readonly string[], short: string, long: Readonly<Record<string, string>> = {}): Options {
  const stopEarly = short.startsWith('+')
  const letters = stopEarly ? short.slice(1) : short
  const names = Object.entries(long).map(([spelled, code]) => ({
    name: spelled.replace(/:+$/, ''),
    takes: spelled.endsWith('::') ? 2 : spelled.endsWith(':') ? 1 : 0,
    code,
  }))
  const options: Option[] = []
  const operands: string[] = []
  const failed = (error: string): Options => ({ options, operands, error })

  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === '--') {
      operands.push(...args.slice(i + 1))
      break
    }
    if (!arg.startsWith('-') || arg === '-') {
      if (stopEarly) {
        operands.push(...args.slice(i))
        break
      }
      operands.push(arg)
    } else if (arg.startsWith('--')) {
      const equals = arg.indexOf('=')
      const name = arg.slice(2, equals < 0 ? undefined : equals)
      let value = equals < 0 ? undefined : arg.slice(equals + 1)
      const fits = names.filter((row) => row.name.startsWith(name))
      const exact = fits.find((row) => row.name === name)
      const found = exact ?? fits[0]
      if (!found) return failed(`unrecognized option \`--${name}'`)
      if (!exact && fits.some((row) => row.code !== found.code || row.takes !== found.takes))
        return failed(`option \`${arg}' is ambiguous`)
      if (found.takes === 0 && value !== undefined) return failed(`option \`--${found.name}' doesn't allow an argument`)
      if (found.takes === 1 && value === undefined) {
        value = args[++i]
        if (value === undefined) return failed(`option \`${arg}' requires an argument`)
      }
      options.push({ code: found.code, value })
    } else {
      for (let k = 1; k < arg.length; k++) {
        const letter = arg.charAt(k)
        const at = letter === ':' ? -1 : letters.indexOf(letter)
        if (at < 0) return failed(`invalid option -- ${letter}`)
        if (letters[at + 1] !== ':') {
          options.push({ code: letter, value: undefined })
          continue
        }
        let value: string | undefined = k + 1 < arg.length ? arg.slice(k + 1) : undefined
        if (value === undefined && letters[at + 2] !== ':') {
          value = args[++i]
          if (value === undefined) return failed(`option requires an argument -- ${letter}`)
        }
        options.push({ code: letter, value })
        break
      }
    }
  }
  return { options, operands, error: undefined }
}
