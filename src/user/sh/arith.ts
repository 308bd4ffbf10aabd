/** Arithmetic expansion (POSIX.1-2004, XCU 2.6.4): C's operators over signed 64-bit integers. */
import { ShellError } from './errors.ts'

export type Arith =
  | { readonly t: 'num'; readonly n: number; readonly big: bigint | undefined }
  | { readonly t: 'var'; readonly name: string }
  | { readonly t: 'unary'; readonly op: string; readonly a: Arith }
  | { readonly t: 'binary'; readonly op: string; readonly a: Arith; readonly b: Arith }
  | { readonly t: 'and' | 'or'; readonly a: Arith; readonly b: Arith }
  | { readonly t: 'cond'; readonly a: Arith; readonly b: Arith; readonly c: Arith }
  | { readonly t: 'assign'; readonly op: string; readonly name: string; readonly b: Arith }
  | { readonly t: 'step'; readonly name: string; readonly by: 1 | -1; readonly prefix: boolean }

const PRECEDENCE: Readonly<Record<string, number>> = {
  __proto__: null as never,
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '<=': 7,
  '>': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
}

const TOKEN =
  /[ \t\n]*(?:(0[xX][0-9a-fA-F]*|[0-9]+)|([A-Za-z_][A-Za-z0-9_]*)|(<<=|>>=|\+\+|--|&&|\|\||[-+*/%&|^]=|<<|>>|<=|>=|==|!=|[-+*/%&|^<>=!~?:()]))/y
const DEPTH_MAX = 200
const CHAIN_MAX = 500

export interface ArithStyle {
  /** `++` and `--` are operators. */
  readonly steps: boolean
  readonly fault: (what: string) => string
}

class ArithParser {
  readonly #text: string
  readonly #style: ArithStyle
  #at = 0
  #depth = 0
  /** The token ahead: 'n' number, 'i' name, 'o' operator, '' the end. */
  #kind = ''
  #value = ''

  constructor(text: string, style: ArithStyle) {
    this.#text = text
    this.#style = style
    this.#next()
  }

  #next(): void {
    TOKEN.lastIndex = this.#at
    const match = TOKEN.exec(this.#text)
    if (!match) {
      if (/^[ \t\n]*$/.test(this.#text.slice(this.#at))) {
        this.#kind = ''
        this.#value = ''
        return
      }
      this.fail(this.#value === '' ? 'expecting primary' : 'expecting EOF')
    }
    let taken = TOKEN.lastIndex
    if (match[1] !== undefined) {
      this.#kind = 'n'
      this.#value = match[1]
    } else if (match[2] !== undefined) {
      this.#kind = 'i'
      this.#value = match[2]
    } else {
      this.#kind = 'o'
      this.#value = match[3]!
      if (!this.#style.steps && (this.#value === '++' || this.#value === '--')) {
        this.#value = this.#value[0]!
        taken--
      }
    }
    this.#at = taken
  }

  fail(what: string): never {
    throw new ShellError(this.#style.fault(what))
  }

  whole(): Arith {
    if (this.#kind === '') {
      if (!this.#style.steps) this.fail('expecting primary')
      return { t: 'num', n: 0, big: undefined }
    }
    const tree = this.#assignment()
    if (this.#kind !== '') this.fail('expecting EOF')
    return tree
  }

  #isName(): boolean {
    return this.#kind === 'i'
  }

  #is(op: string): boolean {
    return this.#kind === 'o' && this.#value === op
  }

  #assignment(): Arith {
    if (++this.#depth > DEPTH_MAX) this.fail('expression recursion level exceeded')
    try {
      const left = this.#conditional()
      if (this.#kind === 'o' && (this.#value === '=' || /^(?:<<|>>|[-+*/%&|^])=$/.test(this.#value))) {
        if (left.t !== 'var') this.fail('expecting EOF')
        const op = this.#value.slice(0, -1)
        this.#next()
        return { t: 'assign', op, name: left.name, b: this.#assignment() }
      }
      return left
    } finally {
      this.#depth--
    }
  }

  #conditional(): Arith {
    const a = this.#binary(1)
    if (!this.#is('?')) return a
    this.#next()
    const b = this.#assignment()
    if (!this.#is(':')) this.fail("expecting ':'")
    this.#next()
    return { t: 'cond', a, b, c: this.#assignment() }
  }

  #binary(level: number): Arith {
    let a = this.#unary()
    for (let operators = 0; ; operators++) {
      // The tree is as deep as they are many.
      if (operators > CHAIN_MAX) this.fail('expression too long')
      const precedence = this.#kind === 'o' ? PRECEDENCE[this.#value] : undefined
      if (precedence === undefined || precedence < level) return a
      const op = this.#value
      this.#next()
      const b = this.#binary(precedence + 1)
      a = op === '&&' ? { t: 'and', a, b } : op === '||' ? { t: 'or', a, b } : { t: 'binary', op, a, b }
    }
  }

  #unary(): Arith {
    if (this.#kind === 'o') {
      const op = this.#value
      if (op === '++' || op === '--') {
        this.#next()
        if (!this.#isName()) this.fail('expecting primary')
        const name = this.#value
        this.#next()
        return { t: 'step', name, by: op === '++' ? 1 : -1, prefix: true }
      }
      if (op === '-' || op === '+' || op === '!' || op === '~') {
        if (++this.#depth > DEPTH_MAX) this.fail('expression recursion level exceeded')
        this.#next()
        const a = this.#unary()
        this.#depth--
        return { t: 'unary', op, a }
      }
    }
    return this.#primary()
  }

  #primary(): Arith {
    const value = this.#value
    if (this.#kind === 'n') {
      const big = numberOf(value)
      if (big === undefined) this.fail('expecting EOF')
      this.#next()
      return literal(big)
    }
    if (this.#kind === 'i') {
      this.#next()
      if (this.#is('++') || this.#is('--')) {
        const by = this.#is('++') ? 1 : -1
        this.#next()
        return { t: 'step', name: value, by, prefix: false }
      }
      return { t: 'var', name: value }
    }
    if (this.#is('(')) {
      this.#next()
      const inner = this.#assignment()
      if (!this.#is(')')) this.fail("expecting ')'")
      this.#next()
      return inner
    }
    return this.fail('expecting primary')
  }
}

const literal = (big: bigint): Arith => {
  const n = Number(big)
  return { t: 'num', n, big: Number.isSafeInteger(n) ? undefined : BigInt.asIntN(64, big) }
}

const MAX = 0x7fffffffffffffffn

/** A C constant: 10, 0x1f, 017; undefined if it is none. Larger ones are the largest, as strtoimax has it. */
function numberOf(text: string): bigint | undefined {
  let big: bigint
  if (/^0[xX]/.test(text)) {
    if (!/^0[xX][0-9a-fA-F]+$/.test(text)) return undefined
    big = BigInt(text)
  } else if (text.startsWith('0') && text.length > 1) {
    if (!/^[0-7]+$/.test(text)) return undefined
    big = BigInt('0o' + text)
  } else big = BigInt(text)
  return big > MAX ? MAX : big
}

export const parseArith = (text: string, style: ArithStyle): Arith => new ArithParser(text, style).whole()

export interface ArithVars {
  /** Its text; undefined: unset. */
  get(name: string): string | undefined
  set(name: string, value: string): void
  /** The value of text that is no plain number. */
  number(name: string, text: string): number | bigint
  fault(what: string): never
}

/** Results are numbers as long as they are safe integers, and 64-bit bigints beyond. */
export type Int = number | bigint

const normal = (big: bigint): Int => {
  const wrapped = BigInt.asIntN(64, big)
  const n = Number(wrapped)
  return Number.isSafeInteger(n) ? n : wrapped
}

const truth = (value: Int): boolean => (typeof value === 'number' ? value !== 0 : value !== 0n)

export function evalArith(tree: Arith, vars: ArithVars): Int {
  switch (tree.t) {
    case 'num':
      return tree.big ?? tree.n
    case 'var':
      return variable(tree.name, vars)
    case 'binary':
      return binary(tree.op, evalArith(tree.a, vars), evalArith(tree.b, vars), vars)
    case 'unary': {
      const a = evalArith(tree.a, vars)
      if (tree.op === '!') return truth(a) ? 0 : 1
      if (tree.op === '-') return typeof a === 'number' ? 0 - a : normal(-a)
      if (tree.op === '~') return normal(~BigInt(a))
      return a
    }
    case 'and':
      return truth(evalArith(tree.a, vars)) && truth(evalArith(tree.b, vars)) ? 1 : 0
    case 'or':
      return truth(evalArith(tree.a, vars)) || truth(evalArith(tree.b, vars)) ? 1 : 0
    case 'cond':
      return truth(evalArith(tree.a, vars)) ? evalArith(tree.b, vars) : evalArith(tree.c, vars)
    case 'assign': {
      const b = evalArith(tree.b, vars)
      const value = tree.op === '' ? b : binary(tree.op, variable(tree.name, vars), b, vars)
      vars.set(tree.name, String(value))
      return value
    }
    case 'step': {
      const old = variable(tree.name, vars)
      const value = binary('+', old, tree.by, vars)
      vars.set(tree.name, String(value))
      return tree.prefix ? value : old
    }
  }
}

function variable(name: string, vars: ArithVars): Int {
  const text = vars.get(name)
  if (text === undefined || text === '') return 0
  // The common case: a small decimal number.
  if (text.length < 15) {
    const n = +text
    const first = text.charCodeAt(0)
    if (Number.isInteger(n) && ((first >= 49 && first <= 57) || text === '0' || first === 45) && String(n) === text)
      return n
  }
  return vars.number(name, text)
}

/** The value of a variable's text, as a C constant with a sign; undefined if it is none. */
export function parseInteger(text: string): Int | undefined {
  const match = /^[ \t\n]*([-+]?)(0[xX][0-9a-fA-F]+|[0-9]+)[ \t\n]*$/.exec(text)
  if (!match) return undefined
  const big = numberOf(match[2]!)
  if (big === undefined) return undefined
  return normal(match[1] === '-' ? -big : big)
}

function binary(op: string, a: Int, b: Int, vars: ArithVars): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    switch (op) {
      case '+': {
        const r = a + b
        return Number.isSafeInteger(r) ? r : normal(BigInt(a) + BigInt(b))
      }
      case '-': {
        const r = a - b
        return Number.isSafeInteger(r) ? r : normal(BigInt(a) - BigInt(b))
      }
      case '*': {
        const r = a * b
        return Number.isSafeInteger(r) ? r + 0 : normal(BigInt(a) * BigInt(b))
      }
      case '<':
        return a < b ? 1 : 0
      case '<=':
        return a <= b ? 1 : 0
      case '>':
        return a > b ? 1 : 0
      case '>=':
        return a >= b ? 1 : 0
      case '==':
        return a === b ? 1 : 0
      case '!=':
        return a !== b ? 1 : 0
      case '/':
        if (b !== 0) return Math.trunc(a / b) + 0
        break
      case '%':
        if (b !== 0) return (a % b) + 0
        break
    }
  }
  const x = BigInt(a)
  const y = BigInt(b)
  switch (op) {
    case '+':
      return normal(x + y)
    case '-':
      return normal(x - y)
    case '*':
      return normal(x * y)
    case '/':
    case '%':
      if (y === 0n) vars.fault('division by zero')
      return normal(op === '/' ? x / y : x % y)
    case '<':
      return x < y ? 1 : 0
    case '<=':
      return x <= y ? 1 : 0
    case '>':
      return x > y ? 1 : 0
    case '>=':
      return x >= y ? 1 : 0
    case '==':
      return x === y ? 1 : 0
    case '!=':
      return x !== y ? 1 : 0
    case '<<':
      return normal(x << (y & 63n))
    case '>>':
      return normal(x >> (y & 63n))
    case '&':
      return normal(x & y)
    case '|':
      return normal(x | y)
    default:
      return normal(x ^ y)
  }
}
