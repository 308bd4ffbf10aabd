/** expr(1). Integers have 64 bits, as intmax_t has. */
import { INT64_MAX, INT64_MIN } from '../libc/number.ts'
import { program } from '../libc/program.ts'
import { eprint, Out, STDOUT } from '../libc/stdio.ts'
import { finish, helpText } from '../libc/utility.ts'
import { compileRegex } from '../regex/regex.ts'
import { RegexError } from '../regex/syntax.ts'

const record = {
  name: 'expr',
  usage: 'expr EXPRESSION\nexpr OPTION',
  help: `
      --help     display this help and exit
      --version  output version information and exit

Print the value of EXPRESSION to standard output.  A blank line below
separates increasing precedence groups.  EXPRESSION may be:

  ARG1 | ARG2       ARG1 if it is neither null nor 0, otherwise ARG2

  ARG1 & ARG2       ARG1 if neither argument is null or 0, otherwise 0

  ARG1 < ARG2       ARG1 is less than ARG2
  ARG1 <= ARG2      ARG1 is less than or equal to ARG2
  ARG1 = ARG2       ARG1 is equal to ARG2
  ARG1 != ARG2      ARG1 is unequal to ARG2
  ARG1 >= ARG2      ARG1 is greater than or equal to ARG2
  ARG1 > ARG2       ARG1 is greater than ARG2

  ARG1 + ARG2       arithmetic sum of ARG1 and ARG2
  ARG1 - ARG2       arithmetic difference of ARG1 and ARG2

  ARG1 * ARG2       arithmetic product of ARG1 and ARG2
  ARG1 / ARG2       arithmetic quotient of ARG1 divided by ARG2
  ARG1 % ARG2       arithmetic remainder of ARG1 divided by ARG2

  STRING : REGEXP   anchored pattern match of REGEXP in STRING

  match STRING REGEXP        same as STRING : REGEXP
  substr STRING POS LENGTH   substring of STRING, POS counted from 1
  index STRING CHARS         index in STRING where any CHARS is found, or 0
  length STRING              length of STRING
  + TOKEN                    interpret TOKEN as a string, even if it is a
                               keyword like \`match' or an operator like \`/'

  ( EXPRESSION )             value of EXPRESSION

Beware that many operators need to be escaped or quoted for shells.

Exit status is 0 if EXPRESSION is neither null nor 0, 1 if EXPRESSION is null
or 0, 2 if EXPRESSION is syntactically invalid, and 3 if an error occurred.

Report bugs to <bug-coreutils@gnu.org>.`,
}

class ExprError extends Error {
  readonly status: number
  constructor(message: string, status = 2) {
    super(message)
    this.status = status
  }
}

export const expr = program({
  ...record,
  *main(argv) {
    const called = argv[0] ?? 'expr'
    const out = new Out(STDOUT)
    let args = argv.slice(1)
    if (args.length === 1 && /^--(help|version)$/.test(args[0]!)) {
      out.put(args[0] === '--help' ? helpText(record, called) : 'expr (GNU coreutils) 5.97\n')
      return yield* finish(called, out, 0)
    }
    if (args[0] === '--') args = args.slice(1)
    if (args.length === 0) {
      yield* eprint(`${called}: missing operand\nTry \`${called} --help' for more information.\n`)
      return 2
    }
    try {
      const value = new Parser(args).all()
      out.put(`${value}\n`)
      return yield* finish(called, out, isNull(value) ? 1 : 0)
    } catch (error) {
      if (!(error instanceof ExprError)) throw error
      yield* eprint(`${called}: ${error.message}\n`)
      return error.status
    }
  },
})

type Value = string

const isNull = (value: Value): boolean => value === '' || /^-?0+$/.test(value)
const isInteger = (value: Value): boolean => /^-?\d+$/.test(value)

function integer(value: Value): bigint {
  if (!isInteger(value)) throw new ExprError('non-numeric argument')
  const number = BigInt(value)
  if (number > INT64_MAX || number < INT64_MIN) throw new ExprError(`${value}: Numerical result out of range`, 3)
  return number
}

const COMPARE = new Set(['<', '<=', '=', '==', '!=', '>=', '>'])

/** Nothing here is longer than a command line, so that plain functions do. Nesting has a bound. */
class Parser {
  readonly #args: readonly string[]
  #at: number
  #depth: number

  constructor(args: readonly string[]) {
    this.#args = args
    this.#at = 0
    this.#depth = 0
  }

  all(): Value {
    const value = this.#or(true)
    if (this.#at < this.#args.length) throw new ExprError('syntax error')
    return value
  }

  #next(word: string): boolean {
    if (this.#args[this.#at] !== word) return false
    this.#at++
    return true
  }

  /** `live`: whether the value counts, so that the other side of | and & may be nonsense. */
  #or(live: boolean): Value {
    let left = this.#and(live)
    while (this.#next('|')) {
      const right = this.#and(live && isNull(left))
      if (isNull(left)) left = isNull(right) ? '0' : right
    }
    return left
  }

  #and(live: boolean): Value {
    let left = this.#compare(live)
    while (this.#next('&')) {
      const right = this.#compare(live && !isNull(left))
      if (isNull(left) || isNull(right)) left = '0'
    }
    return left
  }

  #compare(live: boolean): Value {
    let left = this.#sum(live)
    for (;;) {
      const op = this.#args[this.#at]
      if (op === undefined || !COMPARE.has(op)) return left
      this.#at++
      const right = this.#sum(live)
      const numbers = isInteger(left) && isInteger(right)
      const order = numbers
        ? Number(BigInt(left) > BigInt(right)) - Number(BigInt(left) < BigInt(right))
        : Number(left > right) - Number(left < right)
      const holds =
        op === '<'
          ? order < 0
          : op === '<='
            ? order <= 0
            : op === '!='
              ? order !== 0
              : op === '>='
                ? order >= 0
                : op === '>'
                  ? order > 0
                  : order === 0
      left = holds ? '1' : '0'
    }
  }

  #sum(live: boolean): Value {
    let left = this.#product(live)
    for (;;) {
      const op = this.#args[this.#at]
      if (op !== '+' && op !== '-') return left
      this.#at++
      const right = this.#product(live)
      if (!live) continue
      left = String(BigInt.asIntN(64, op === '+' ? integer(left) + integer(right) : integer(left) - integer(right)))
    }
  }

  #product(live: boolean): Value {
    let left = this.#match(live)
    for (;;) {
      const op = this.#args[this.#at]
      if (op !== '*' && op !== '/' && op !== '%') return left
      this.#at++
      const right = this.#match(live)
      if (!live) continue
      const [a, b] = [integer(left), integer(right)]
      if (op !== '*' && b === 0n) throw new ExprError('division by zero')
      left = String(BigInt.asIntN(64, op === '*' ? a * b : op === '/' ? a / b : a % b))
    }
  }

  #match(live: boolean): Value {
    let left = this.#keyword(live)
    while (this.#next(':')) {
      const right = this.#keyword(live)
      if (live) left = matched(left, right)
    }
    return left
  }

  #keyword(live: boolean): Value {
    if (this.#next('+')) {
      const token = this.#args[this.#at++]
      if (token === undefined) throw new ExprError('syntax error')
      return token
    }
    if (this.#next('length')) return String(this.#keyword(live).length)
    if (this.#next('match')) {
      const text = this.#keyword(live)
      const pattern = this.#keyword(live)
      return live ? matched(text, pattern) : text
    }
    if (this.#next('index')) {
      const text = this.#keyword(live)
      const set = this.#keyword(live)
      for (let i = 0; i < text.length; i++) if (set.includes(text[i]!)) return String(i + 1)
      return '0'
    }
    if (this.#next('substr')) {
      const text = this.#keyword(live)
      const [start, length] = [this.#keyword(live), this.#keyword(live)]
      if (!isInteger(start) || !isInteger(length)) return ''
      const [from, count] = [Number(start), Number(length)]
      return from < 1 || count < 1 ? '' : text.slice(from - 1, from - 1 + count)
    }
    return this.#primary(live)
  }

  #primary(live: boolean): Value {
    const word = this.#args[this.#at]
    if (word === undefined) throw new ExprError('syntax error')
    this.#at++
    if (word === '(') {
      if (++this.#depth > 500) throw new ExprError('memory exhausted', 3)
      const value = this.#or(live)
      this.#depth--
      if (!this.#next(')')) throw new ExprError('syntax error')
      return value
    }
    if (word === ')') throw new ExprError('syntax error')
    return word
  }
}

/** Group 1 if there is one, else how many characters match. */
function matched(text: string, pattern: string): Value {
  try {
    const regex = compileRegex(pattern)
    const end = regex.matchAt(text, 0)
    if (regex.groups === 0) return String(Math.max(0, end))
    if (end < 0) return ''
    const found = compileRegex(pattern).exec(text, 0)
    return found && found[0] === 0 && found[2]! >= 0 ? text.slice(found[2]!, found[3]!) : ''
  } catch (error) {
    if (error instanceof RegexError) throw new ExprError(error.message)
    throw error
  }
}
