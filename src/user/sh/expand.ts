/** Word expansion (POSIX.1-2004, XCU 2.6), in the order of the standard. What runs no command is done without a generator. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { fnmatch } from '../libc/fnmatch.ts'
import { glob } from '../libc/glob.ts'
import { getpwnam } from '../libc/pwd.ts'
import type { Node, Param, Part, Word } from './ast.ts'
import { ShellError } from './errors.ts'
import { escapePattern, Fields, type Form } from './fields.ts'
import type { Shell } from './shell.ts'

/** Runs a command substitution; the interpreter provides it. */
export type Substitute = (sh: Shell, body: Node) => Sys<string>

const DEFAULT_IFS = ' \t\n'
const ifsOf = (sh: Shell): string => sh.get('IFS') ?? DEFAULT_IFS
const joiner = (sh: Shell): string => {
  const ifs = sh.get('IFS')
  return ifs === undefined ? ' ' : ifs.slice(0, 1)
}

/** The value of a parameter; undefined: unset. */
function parameter(sh: Shell, name: string): string | undefined {
  const c = name.charCodeAt(0)
  if (c >= 65 || c === 95) return name === 'LINENO' ? String(sh.line) : sh.vars.get(name)?.value
  if (c >= 48 && c <= 57) return name === '0' ? sh.arg0 : sh.params[Number(name) - 1]
  switch (name) {
    case '?':
      return String(sh.status)
    case '#':
      return String(sh.params.length)
    case '$':
      return String(sh.rootPid)
    case '!':
      return sh.backgroundPid ? String(sh.backgroundPid) : undefined
    case '-':
      return sh.flags()
    case '*':
      return sh.params.length > 0 ? sh.params.join(joiner(sh)) : undefined
    default:
      return sh.params.length > 0 ? sh.params.join(' ') : undefined
  }
}

function unsetFault(sh: Shell, name: string, message?: string): never {
  throw new ShellError(`${name}: ${message ?? (sh.bash ? 'unbound variable' : 'parameter not set')}`)
}

function value(sh: Shell, name: string): string {
  const text = parameter(sh, name)
  if (text !== undefined) return text
  if (sh.options.has('u') && name !== '@' && name !== '*') unsetFault(sh, name)
  return ''
}

function arithValue(sh: Shell, part: Part & { k: 'arith' }, text?: string): string {
  if (part.tree) return String(sh.arith(part.tree, plainText(part.word)))
  const source = text ?? ''
  if (part.cachedText !== source || !part.cached) {
    part.cached = sh.parseArith(source)
    part.cachedText = source
  }
  return String(sh.arith(part.cached, source))
}

const plainText = (word: Word): string => word.parts.map((part) => ('s' in part ? part.s : '')).join('')

/** A `plain` word. */
function expandPlain(sh: Shell, word: Word, fields: Fields): void {
  for (const part of word.parts)
    switch (part.k) {
      case 'lit':
        fields.literal(part.s)
        break
      case 'quoted':
        fields.quoted(part.s)
        break
      case 'param':
        if (part.q) fields.quoted(value(sh, part.name))
        else fields.split(value(sh, part.name))
        break
      case 'arith':
        if (part.q) fields.quoted(arithValue(sh, part))
        else fields.split(arithValue(sh, part))
        break
    }
}

/** The words of a command, if no command need be run and no directory read for them. */
export function expandQuick(sh: Shell, words: readonly Word[]): string[] | undefined {
  const argv: string[] = []
  let ifs: string | undefined
  for (const word of words) {
    if (word.lit !== undefined) argv.push(word.lit)
    else if (!word.plain) return undefined
    else {
      const only = word.parts.length === 1 ? word.parts[0]! : undefined
      if (only?.k === 'param' && only.q) argv.push(value(sh, only.name))
      else {
        ifs ??= ifsOf(sh)
        const fields = new Fields('fields', ifs)
        expandPlain(sh, word, fields)
        fields.end()
        if (fields.patterns.size > 0 && !sh.options.has('f')) return undefined
        for (const field of fields.done) argv.push(field)
      }
    }
  }
  return argv
}

/** The value of an assignment, likewise. */
export function stringQuick(sh: Shell, word: Word): string | undefined {
  if (word.lit !== undefined) return word.lit
  if (word.parts.length === 0) return ''
  if (!word.plain) return undefined
  const only = word.parts.length === 1 ? word.parts[0]! : undefined
  if (only?.k === 'param') return value(sh, only.name)
  if (only?.k === 'arith') return arithValue(sh, only)
  const fields = new Fields('string', '')
  expandPlain(sh, word, fields)
  return fields.text
}

/** A word as a pattern, likewise. */
export function patternQuick(word: Word): string | undefined {
  if (word.fixedPattern !== undefined) return word.fixedPattern
  let pattern = ''
  for (const part of word.parts) {
    if (part.k === 'lit') pattern += part.s
    else if (part.k === 'quoted') pattern += escapePattern(part.s)
    else return undefined
  }
  word.fixedPattern = pattern
  return pattern
}

export class Expander {
  readonly #substitute: Substitute
  constructor(substitute: Substitute) {
    this.#substitute = substitute
  }

  *words(sh: Shell, words: readonly Word[]): Sys<string[]> {
    const argv: string[] = []
    for (const word of words) {
      if (word.lit !== undefined) {
        argv.push(word.lit)
        continue
      }
      const fields = new Fields('fields', ifsOf(sh))
      yield* this.#word(sh, word, fields, false)
      fields.end()
      for (const [i, field] of fields.done.entries()) {
        const pattern = fields.patterns.get(i)
        const found = pattern === undefined || sh.options.has('f') ? [] : yield* glob(pattern)
        if (found.length > 0) for (const path of found) argv.push(path)
        else argv.push(field)
      }
    }
    return argv
  }

  /** Without splitting and pathname expansion: assignments, here-documents, targets of redirections. */
  *string(sh: Shell, word: Word): Sys<string> {
    return stringQuick(sh, word) ?? (yield* this.#one(sh, word, 'string'))
  }

  /** A pattern in which backslashes mark what was quoted. */
  *pattern(sh: Shell, word: Word): Sys<string> {
    return yield* this.#one(sh, word, 'pattern')
  }

  *#one(sh: Shell, word: Word, form: Form): Sys<string> {
    const fields = new Fields(form, '')
    yield* this.#word(sh, word, fields, false)
    return fields.text
  }

  /** `inner`: the word of an expansion, whose literals are split as its value would be. */
  *#word(sh: Shell, word: Word, fields: Fields, inner: boolean): Sys<void> {
    for (const part of word.parts) {
      switch (part.k) {
        case 'lit':
          if (inner) fields.split(part.s)
          else fields.literal(part.s)
          break
        case 'quoted':
          fields.quoted(part.s)
          break
        case 'tilde':
          fields.quoted(yield* this.#home(sh, part.user))
          break
        case 'cmd': {
          const text = part.body ? yield* this.#substitute(sh, part.body) : ''
          if (part.q) fields.quoted(text)
          else fields.split(text)
          break
        }
        case 'arith': {
          const text = part.tree
            ? arithValue(sh, part)
            : arithValue(sh, part, yield* this.#one(sh, part.word, 'string'))
          if (part.q) fields.quoted(text)
          else fields.split(text)
          break
        }
        case 'param':
          if (part.op === '') this.#parameter(sh, part, fields)
          else yield* this.#operator(sh, part, fields)
      }
    }
  }

  #parameter(sh: Shell, { name, q }: Param, fields: Fields): void {
    if (name === '@' || (name === '*' && !q)) {
      for (const [i, param] of sh.params.entries()) {
        if (i > 0) {
          if (q) fields.cut()
          else fields.cutSoft()
        }
        if (q) fields.quoted(param)
        else fields.split(param)
      }
      return
    }
    const text = value(sh, name)
    if (q) fields.quoted(text)
    else fields.split(text)
  }

  *#operator(sh: Shell, part: Param, fields: Fields): Sys<void> {
    const { name, op, colon, word, q } = part
    const put = (text: string): void => {
      if (q) fields.quoted(text)
      else fields.split(text)
    }
    if (op === 'bad') throw new ShellError(sh.bash ? 'bad substitution' : 'Bad substitution')
    if (op === '#len') {
      put(String(sh.bash && (name === '@' || name === '*') ? sh.params.length : value(sh, name).length))
      return
    }
    const text = parameter(sh, name)
    const absent = text === undefined || (colon && text === '')
    switch (op) {
      case '-':
        if (!absent) this.#parameter(sh, part, fields)
        else {
          yield* this.#word(sh, word!, fields, !q)
          if (q && word!.parts.length === 0) fields.quoted('')
        }
        return
      case '+':
        if (!absent) yield* this.#word(sh, word!, fields, !q)
        else if (q && word!.parts.length === 0) fields.quoted('')
        return
      case '=': {
        if (!absent) {
          this.#parameter(sh, part, fields)
          return
        }
        if (!/^[A-Za-z_]/.test(name))
          throw new ShellError(`${name}: ${sh.bash ? 'cannot assign in this way' : 'bad variable name'}`)
        const assigned = yield* this.string(sh, word!)
        sh.set(name, assigned)
        put(assigned)
        return
      }
      case '?': {
        if (!absent) {
          this.#parameter(sh, part, fields)
          return
        }
        const message = yield* this.string(sh, word!)
        unsetFault(sh, name, message || (colon ? 'parameter not set or null' : 'parameter not set'))
      }
    }
    const subject = value(sh, name)
    if (op === ':') {
      const from = Number(yield* this.string(sh, word!))
      const length = part.word2 ? Number(yield* this.string(sh, part.word2)) : undefined
      put(substring(subject, from, length))
      return
    }
    const pattern = yield* this.pattern(sh, word!)
    if (op === '#' || op === '##') put(trimStart(subject, pattern, op === '##'))
    else if (op === '%' || op === '%%') put(trimEnd(subject, pattern, op === '%%'))
    else {
      const replacement = part.word2 ? yield* this.string(sh, part.word2) : ''
      put(replace(subject, pattern, replacement, op))
    }
  }

  *#home(sh: Shell, user: string): Sys<string> {
    if (user === '') return sh.get('HOME') ?? '~'
    const entry = yield* getpwnam(user)
    return entry ? entry.dir : `~${user}`
  }
}

function substring(text: string, from: number, length: number | undefined): string {
  const start = from < 0 ? text.length + from : from
  if (start < 0) return ''
  if (length === undefined) return text.slice(start)
  if (length < 0) return text.slice(start, text.length + length)
  return text.slice(start, start + length)
}

const MAGIC = /[*?[\\]/
/** `*x` or `x*` with a plain x: what most scripts cut at. */
const starred = (rest: string): string | undefined => (MAGIC.test(rest) || rest === '' ? undefined : rest)

function trimStart(text: string, pattern: string, longest: boolean): string {
  if (!MAGIC.test(pattern)) return pattern !== '' && text.startsWith(pattern) ? text.slice(pattern.length) : text
  const tail = pattern[0] === '*' ? starred(pattern.slice(1)) : undefined
  if (tail !== undefined) {
    const at = longest ? text.lastIndexOf(tail) : text.indexOf(tail)
    return at < 0 ? text : text.slice(at + tail.length)
  }
  for (let i = 0; i <= text.length; i++) {
    const n = longest ? text.length - i : i
    if (fnmatch(pattern, text.slice(0, n))) return text.slice(n)
  }
  return text
}

function trimEnd(text: string, pattern: string, longest: boolean): string {
  if (!MAGIC.test(pattern))
    return pattern !== '' && text.endsWith(pattern) ? text.slice(0, text.length - pattern.length) : text
  const head = pattern.endsWith('*') && !pattern.endsWith('\\*') ? starred(pattern.slice(0, -1)) : undefined
  if (head !== undefined) {
    const at = longest ? text.indexOf(head) : text.lastIndexOf(head)
    return at < 0 ? text : text.slice(0, at)
  }
  for (let i = 0; i <= text.length; i++) {
    const n = longest ? i : text.length - i
    if (fnmatch(pattern, text.slice(n))) return text.slice(0, n)
  }
  return text
}

/** `${v/p/r}`: the longest match at the first place, or at all places. */
function replace(text: string, pattern: string, replacement: string, op: string): string {
  if (pattern === '') return text
  let out = ''
  let at = 0
  while (at <= text.length) {
    let end = -1
    if (op === '/%') {
      if (fnmatch(pattern, text.slice(at))) end = text.length
    } else for (let n = text.length; n >= at && end < 0; n--) if (fnmatch(pattern, text.slice(at, n))) end = n
    if (end > at || (end === at && at === text.length && op === '/%')) {
      out += replacement
      at = end
      if (op !== '//') break
      continue
    }
    if (op === '/#' || at === text.length) break
    out += text[at]!
    at++
  }
  return out + text.slice(at)
}
