/** xm/opts.py: the option parser of create, new, shutdown, reboot and migrate, whose values are variables by name. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { makeInt } from '#python/numbers.ts'
import { PyList, PyLong, type Value } from '#python/objects.ts'
import { OptionError } from './errors.ts'
import { getopt } from './getopt.ts'
import { wrap } from './help.ts'
import type { Xm } from './xm.ts'

export type Kind = 'true' | 'value' | 'int' | 'long' | 'bool' | 'append'

export interface OptionSpec {
  readonly name: string
  readonly kind: Kind
  readonly initial: Value
  readonly text: string
  readonly short?: string
  /** How its value is called in the help; none: it takes no value. */
  readonly value?: string
  /** Set by NAME=VALUE, not by a switch. */
  readonly variable?: boolean
}

export class Opts {
  readonly usage: string
  readonly #specs: readonly OptionSpec[]
  readonly values: Map<string, Value>
  /** Variables that are no options: set by VAR=VALUE, for the script. */
  readonly vars: Map<string, string>
  readonly #specified: Set<string>

  constructor(usage: string, specs: readonly OptionSpec[]) {
    this.usage = usage
    this.#specs = specs
    this.values = new Map(specs.map(({ name, initial }) => [name, initial]))
    this.vars = new Map()
    this.#specified = new Set()
  }

  get(name: string): Value {
    return this.values.get(name) ?? null
  }

  specified(name: string): boolean {
    return this.#specified.has(name)
  }

  /** Python's truth of a value that the command line or a file set. */
  isSet(name: string): boolean {
    const value = this.get(name)
    return value instanceof PyList
      ? value.items.length > 0
      : value !== null && value !== 0 && value !== '' && value !== false
  }

  /** Plain arguments come back. */
  *parse(xm: Xm, args: readonly string[], plain?: string): Sys<string[]> {
    const switches = this.#specs.filter(({ variable }) => !variable)
    const short = switches.map((one) => (one.short ? one.short + (one.value ? ':' : '') : '')).join('')
    const long = switches.map((one) => one.name + (one.value ? '=' : ''))
    const rest: string[] = []
    let left = args
    while (left.length > 0) {
      let parsed: ReturnType<typeof getopt>
      try {
        parsed = getopt(left, short, long, true)
      } catch (error) {
        throw new OptionError((error as Error).message, this.usage)
      }
      for (const [key, value] of parsed.options) {
        const spec = switches.find((one) => key === `--${one.name}` || key === `-${one.short}`)
        if (spec) yield* this.#set(xm, spec, value)
      }
      const [word, ...more] = parsed.params
      left = more
      if (word === undefined) break
      const equals = word.indexOf('=')
      const spec =
        equals < 0 ? undefined : this.#specs.find((one) => one.variable && one.name === word.slice(0, equals))
      if (spec) yield* this.#set(xm, spec, word.slice(equals + 1))
      else {
        if (equals < 0 && plain !== undefined) this.values.set(plain, word)
        rest.push(word)
      }
    }
    return rest
  }

  *#set(xm: Xm, { name, kind }: OptionSpec, text: string): Sys<void> {
    this.#specified.add(name)
    if (kind === 'true') this.values.set(name, 1)
    else if (kind === 'value') this.values.set(name, text)
    else if (kind === 'append') {
      const old = this.get(name)
      const items = old instanceof PyList ? [...old.items] : []
      this.values.set(name, new PyList([...items, text]))
    } else if (kind === 'bool') {
      if (!['yes', 'y', 'no', 'n'].includes(text)) yield* xm.fail(`Invalid value:${text}`)
      this.values.set(name, text.startsWith('y') ? 1 : 0)
    } else {
      if (!/^\s*[-+]?\d+[lL]?\s*$/.test(text) || (kind === 'int' && /[lL]\s*$/.test(text)))
        yield* xm.fail(`Invalid value: ${text}`)
      const number = BigInt(text.trim().replace(/^\+|[lL]$/g, ''))
      this.values.set(name, kind === 'long' ? new PyLong(number) : makeInt(number))
    }
  }

  /** The switches, as `xm create --help` ends. */
  describe(): string {
    const lines = this.#specs.filter(({ variable }) => !variable).map(line)
    return lines.length === 0 ? '' : `\nOptions:\n\n${lines.join('\n')}\n`
  }

  /** The variables, as --help_config has them. */
  describeVariables(): string {
    const lines = this.#specs.filter(({ variable }) => variable).map(line)
    return lines.length === 0 ? '' : `\nValues:\n\n${lines.join('\n')}\n`
  }
}

const KEYS = 20

function line({ name, short, value, variable, text }: OptionSpec): string {
  const keys = variable ? [name] : [...(short === undefined ? [] : [`-${short}`]), `--${name}`]
  const shown = keys.map((key) => (value === undefined || value === '' ? key : `${key}=${value}`)).join(', ')
  const words = wrap(text, 55)
  return shown.padEnd(KEYS + 1) + (shown.length > KEYS ? ['', ...words] : words).join(`\n${' '.repeat(KEYS + 1)}`)
}
