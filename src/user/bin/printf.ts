/** printf(1). */

import type { Sys } from '#abi/posix/syscalls.ts'
import { C_ESCAPES } from '../coreutils/escapes.ts'
import { type Conversion, formatFloat, formatInteger, pad, parseFormat } from '../coreutils/printf-format.ts'
import { INT64_MAX, INT64_MIN } from '../libc/number.ts'
import { program } from '../libc/program.ts'
import { quote } from '../libc/quote.ts'
import { eprint, Out, STDOUT } from '../libc/stdio.ts'
import { finish, helpText } from '../libc/utility.ts'

const record = {
  name: 'printf',
  usage: 'printf FORMAT [ARGUMENT]...\nprintf OPTION',
  help: `Print ARGUMENT(s) according to FORMAT.

      --help     display this help and exit
      --version  output version information and exit

FORMAT controls the output as in C printf.  Interpreted sequences are:

  \\"      double quote
  \\0NNN   character with octal value NNN (0 to 3 digits)
  \\\\     backslash
  \\a     alert (BEL)
  \\b     backspace
  \\c     produce no further output
  \\f     form feed
  \\n     new line
  \\r     carriage return
  \\t     horizontal tab
  \\v     vertical tab
  \\xHH   byte with hexadecimal value HH (1 to 2 digits)
  %%     a single %
  %b     ARGUMENT as a string with \`\\' escapes interpreted

and all C format specifications ending with one of diouxXfeEgGcs, with
ARGUMENTs converted to proper type first.  Variable widths are handled.

Report bugs to <bug-coreutils@gnu.org>.`,
}

export const printf = program({
  ...record,
  *main(argv) {
    const out = new Out(STDOUT)
    const called = argv[0] ?? 'printf'
    if (argv.length === 2 && argv[1] === '--help') out.put(helpText(record, called))
    else if (argv.length === 2 && argv[1] === '--version') out.put('printf (GNU coreutils) 5.97\n')
    else {
      const args = argv.slice(argv[1] === '--' ? 2 : 1)
      const format = args[0]
      if (format === undefined) {
        yield* eprint(`${called}: missing operand\nTry \`${called} --help' for more information.\n`)
        return 1
      }
      return yield* finish(called, out, yield* formatted(called, out, format, args.slice(1)))
    }
    return yield* finish(called, out, 0)
  },
})

/** Escapes of a format or of %b; `stop` where \\c was met. */
function unescaped(text: string, inArgument: boolean): { text: string; stop: boolean } {
  let stop = false
  const pattern = inArgument
    ? /\\(0[0-7]{0,3}|[1-7][0-7]{0,2}|x[0-9a-fA-F]{1,2}|[abcfnrtv\\"])/g
    : /\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|[abcfnrtv\\"])/g
  let result = ''
  let at = 0
  for (const match of text.matchAll(pattern)) {
    result += text.slice(at, match.index)
    at = match.index + match[0].length
    const what = match[1]!
    if (what === 'c') {
      stop = true
      at = text.length
      break
    }
    if (/^[0-7]/.test(what)) result += String.fromCharCode(Number.parseInt(what, 8) & 255)
    else if (what.startsWith('x')) result += String.fromCharCode(Number.parseInt(what.slice(1), 16))
    else result += what === '"' ? '"' : C_ESCAPES[what]!
  }
  return { text: result + text.slice(at), stop }
}

function* formatted(name: string, out: Out, format: string, args: readonly string[]): Sys<number> {
  let status = 0
  let next = 0
  const parts = parseFormat(format)
  const complaints: string[] = []
  const complain = (text: string): void => {
    complaints.push(`${name}: ${text}\n`)
    status = 1
  }
  do {
    const before = next
    for (const part of parts) {
      if (typeof part === 'string') {
        const { text, stop } = unescaped(part, false)
        yield* out.print(text)
        if (stop) return status
        continue
      }
      if (!'diouxXfeEgGcsb'.includes(part.letter) || part.letter === '') {
        yield* out.flush()
        yield* eprint(`${name}: ${spelled(part)}: invalid conversion specification\n`)
        return 1
      }
      let flags = part.flags
      let width = part.width === '*' ? Number(integer(args[next++], complain)) : part.width
      if (width < 0) {
        flags += '-'
        width = -width
      }
      const given = part.precision === '*' ? Number(integer(args[next++], complain)) : part.precision
      const precision = given !== undefined && given < 0 ? undefined : given
      const { text, stop } = convert(part.letter, args[next++], flags, width, precision, complain)
      if (complaints.length > 0) {
        yield* out.flush()
        yield* eprint(complaints.splice(0).join(''))
      }
      yield* out.print(text)
      if (stop) return status
    }
    if (next === before) {
      if (next < args.length)
        yield* eprint(`${name}: warning: ignoring excess arguments, starting with ${quote(args[next]!)}\n`)
      break
    }
  } while (next < args.length)
  return status
}

const spelled = ({ flags, width, precision, letter }: Conversion): string =>
  `%${flags}${width || ''}${precision === undefined ? '' : `.${precision}`}${letter}`

function convert(
  letter: string,
  arg: string | undefined,
  flags: string,
  width: number,
  precision: number | undefined,
  complain: (text: string) => void,
): { text: string; stop: boolean } {
  if (letter === 'b') {
    const { text, stop } = unescaped(arg ?? '', true)
    return { text: pad(text.slice(0, precision), flags, width, false), stop }
  }
  if (letter === 's') return { text: pad((arg ?? '').slice(0, precision), flags, width, false), stop: false }
  if (letter === 'c') return { text: pad((arg ?? '').slice(0, 1), flags, width, false), stop: false }
  if ('diouxX'.includes(letter))
    return { text: formatInteger(letter, integer(arg, complain), flags, width, precision), stop: false }
  return { text: formatFloat(letter, double(arg, complain), flags, width, precision ?? 6), stop: false }
}

function integer(arg: string | undefined, complain: (text: string) => void): bigint {
  if (arg === undefined) return 0n
  if (/^["']./s.test(arg)) return BigInt(arg.charCodeAt(1))
  const match = /^\s*([-+]?)(0[xX][0-9a-fA-F]+|\d+)/.exec(arg)
  if (!match) {
    complain(`${arg}: expected a numeric value`)
    return 0n
  }
  let digits = match[2]!
  let consumed = match[0].length
  if (/^0\d/.test(digits)) {
    const octal = /^0[0-7]*/.exec(digits)![0]
    consumed -= digits.length - octal.length
    digits = octal
  }
  if (consumed < arg.length) complain(`${arg}: value not completely converted`)
  const magnitude = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits)
  const value = match[1] === '-' ? -magnitude : magnitude
  if (value > 2n * INT64_MAX + 1n || value < INT64_MIN) {
    complain(`${arg}: Numerical result out of range`)
    return value < 0n ? INT64_MIN : INT64_MAX
  }
  return value
}

function double(arg: string | undefined, complain: (text: string) => void): number {
  if (arg === undefined) return 0
  if (/^["']./s.test(arg)) return arg.charCodeAt(1)
  const match = /^\s*[-+]?(0[xX][0-9a-fA-F]+|(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|inf(inity)?|nan)/i.exec(arg)
  if (!match) {
    complain(`${arg}: expected a numeric value`)
    return 0
  }
  if (match[0].length < arg.length) complain(`${arg}: value not completely converted`)
  const text = match[0].trim().toLowerCase()
  if (text.includes('inf')) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (text.includes('nan')) return Number.NaN
  const hex = /^([-+]?)(0x.*)$/.exec(text)
  return hex ? (hex[1] === '-' ? -1 : 1) * Number(hex[2]) : Number(text)
}
