/** test(1) and [(1). */
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
} from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { accessible, attributes, compareFiles } from '../coreutils/file-tests.ts'
import { program } from '../libc/program.ts'
import { quote } from '../libc/quote.ts'
import { eprint, isatty, Out, STDOUT } from '../libc/stdio.ts'
import { getegid, geteuid } from '../libc/syscall.ts'
import { finish, helpText } from '../libc/utility.ts'

const record = {
  name: 'test',
  usage: 'test EXPRESSION\ntest\n[ EXPRESSION ]\n[ ]\n[ OPTION',
  help: `Exit with the status determined by EXPRESSION.

      --help     display this help and exit
      --version  output version information and exit

An omitted EXPRESSION defaults to false.  Otherwise,
EXPRESSION is true or false and sets exit status.  It is one of:

  ( EXPRESSION )               EXPRESSION is true
  ! EXPRESSION                 EXPRESSION is false
  EXPRESSION1 -a EXPRESSION2   both EXPRESSION1 and EXPRESSION2 are true
  EXPRESSION1 -o EXPRESSION2   either EXPRESSION1 or EXPRESSION2 is true

  -n STRING            the length of STRING is nonzero
  STRING               equivalent to -n STRING
  -z STRING            the length of STRING is zero
  STRING1 = STRING2    the strings are equal
  STRING1 != STRING2   the strings are not equal

  INTEGER1 -eq INTEGER2   INTEGER1 is equal to INTEGER2
  INTEGER1 -ge INTEGER2   INTEGER1 is greater than or equal to INTEGER2
  INTEGER1 -gt INTEGER2   INTEGER1 is greater than INTEGER2
  INTEGER1 -le INTEGER2   INTEGER1 is less than or equal to INTEGER2
  INTEGER1 -lt INTEGER2   INTEGER1 is less than INTEGER2
  INTEGER1 -ne INTEGER2   INTEGER1 is not equal to INTEGER2

  FILE1 -ef FILE2   FILE1 and FILE2 have the same device and inode numbers
  FILE1 -nt FILE2   FILE1 is newer (modification date) than FILE2
  FILE1 -ot FILE2   FILE1 is older than FILE2

  -b FILE     FILE exists and is block special
  -c FILE     FILE exists and is character special
  -d FILE     FILE exists and is a directory
  -e FILE     FILE exists
  -f FILE     FILE exists and is a regular file
  -g FILE     FILE exists and is set-group-ID
  -G FILE     FILE exists and is owned by the effective group ID
  -h FILE     FILE exists and is a symbolic link (same as -L)
  -k FILE     FILE exists and has its sticky bit set
  -L FILE     FILE exists and is a symbolic link (same as -h)
  -O FILE     FILE exists and is owned by the effective user ID
  -p FILE     FILE exists and is a named pipe
  -r FILE     FILE exists and read permission is granted
  -s FILE     FILE exists and has a size greater than zero
  -S FILE     FILE exists and is a socket
  -t FD       file descriptor FD is opened on a terminal
  -u FILE     FILE exists and its set-user-ID bit is set
  -w FILE     FILE exists and write permission is granted
  -x FILE     FILE exists and execute (or search) permission is granted

Except for -h and -L, all FILE-related tests dereference symbolic links.

Report bugs to <bug-coreutils@gnu.org>.`,
}

class TestError extends Error {}

const UNARY = new Set('bcdefgGhkLnOprsStuwxz')
const BINARY = new Set(['=', '!=', '-eq', '-ne', '-lt', '-le', '-gt', '-ge', '-nt', '-ot', '-ef'])

const isUnary = (word: string | undefined): boolean => word?.length === 2 && word[0] === '-' && UNARY.has(word[1]!)

const TYPES: Readonly<Record<string, number>> = {
  b: S_IFBLK,
  c: S_IFCHR,
  d: S_IFDIR,
  f: S_IFREG,
  h: S_IFLNK,
  L: S_IFLNK,
  p: S_IFIFO,
  S: S_IFSOCK,
}

export const test = program({ ...record, main: evaluate })
export const bracket = program({ ...record, name: '[', main: evaluate })

function* evaluate(argv: readonly string[]): Sys<number> {
  const called = argv[0] ?? 'test'
  let args = argv.slice(1)
  if (called === '[' || called.endsWith('/[')) {
    if (args.length === 1 && /^--(help|version)$/.test(args[0]!)) {
      const out = new Out(STDOUT)
      out.put(args[0] === '--help' ? helpText(record) : 'test (GNU coreutils) 5.97\n')
      return yield* finish(called, out, 0)
    }
    if (args.at(-1) !== ']') {
      yield* eprint(`${called}: missing \`]'\n`)
      return 2
    }
    args = args.slice(0, -1)
  }
  try {
    const parser = new Parser(args)
    return (yield* parser.all()) ? 0 : 1
  } catch (error) {
    if (!(error instanceof TestError)) throw error
    yield* eprint(`${called}: ${error.message}\n`)
    return 2
  }
}

/** POSIX's rules by the number of arguments; more than four are parsed by precedence. */
class Parser {
  readonly #args: readonly string[]
  #at: number

  constructor(args: readonly string[]) {
    this.#args = args
    this.#at = 0
  }

  *all(): Sys<boolean> {
    const result = yield* this.#byCount(this.#args.length)
    if (this.#at < this.#args.length) throw new TestError(`extra argument ${quote(this.#args[this.#at]!)}`)
    return result
  }

  *#byCount(count: number): Sys<boolean> {
    const args = this.#args
    const first = args[this.#at]
    if (count === 0) return false
    if (count === 1) {
      this.#at++
      return first !== ''
    }
    if (count === 2) {
      if (first === '!') {
        this.#at++
        return !(yield* this.#byCount(1))
      }
      if (isUnary(first)) return yield* this.#unary()
      throw new TestError(
        first!.startsWith('-') && first!.length === 2
          ? `${first}: unary operator expected`
          : `missing argument after ${quote(args[this.#at + 1]!)}`,
      )
    }
    if (count === 3) {
      if (BINARY.has(args[this.#at + 1]!)) return yield* this.#binary()
      if (args[this.#at + 1] === '-a' || args[this.#at + 1] === '-o') return yield* this.#or()
      if (first === '!') {
        this.#at++
        return !(yield* this.#byCount(2))
      }
      if (first === '(' && args[this.#at + 2] === ')') {
        const inner = args[this.#at + 1] !== ''
        this.#at += 3
        return inner
      }
      throw new TestError(`${args[this.#at + 1]}: binary operator expected`)
    }
    if (count === 4) {
      if (first === '!') {
        this.#at++
        return !(yield* this.#byCount(3))
      }
      if (first === '(' && args[this.#at + 3] === ')') {
        this.#at++
        const inner = yield* this.#byCount(2)
        this.#at++
        return inner
      }
    }
    return yield* this.#or()
  }

  *#or(): Sys<boolean> {
    let value = yield* this.#and()
    while (this.#args[this.#at] === '-o') {
      this.#at++
      value = (yield* this.#and()) || value
    }
    return value
  }

  *#and(): Sys<boolean> {
    let value = yield* this.#term()
    while (this.#args[this.#at] === '-a') {
      this.#at++
      value = (yield* this.#term()) && value
    }
    return value
  }

  *#term(): Sys<boolean> {
    const args = this.#args
    const first = args[this.#at]
    if (first === undefined) throw new TestError(`missing argument after ${quote(args.at(-1) ?? '')}`)
    if (BINARY.has(args[this.#at + 1] ?? '') && this.#at + 2 < args.length) return yield* this.#binary()
    if (first === '!') {
      this.#at++
      return !(yield* this.#term())
    }
    if (first === '(') {
      this.#at++
      const inner = yield* this.#or()
      if (args[this.#at] !== ')')
        throw new TestError(this.#at < args.length ? `\`)' expected, found ${args[this.#at]}` : "`)' expected")
      this.#at++
      return inner
    }
    if (isUnary(first) && this.#at + 1 < args.length) return yield* this.#unary()
    this.#at++
    return first !== ''
  }

  *#unary(): Sys<boolean> {
    const letter = this.#args[this.#at]![1]!
    const operand = this.#args[this.#at + 1]
    if (operand === undefined) throw new TestError(`missing argument after ${quote(this.#args[this.#at]!)}`)
    this.#at += 2
    if (letter === 'n') return operand !== ''
    if (letter === 'z') return operand === ''
    if (letter === 't') return yield* isatty(Number(integer(operand)))
    if ('rwx'.includes(letter)) return yield* accessible(operand, letter === 'r' ? 4 : letter === 'w' ? 2 : 1)
    const file = yield* attributes(operand, letter === 'h' || letter === 'L')
    if (!file) return false
    const { mode, size, uid, gid } = file
    if (letter in TYPES) return (mode & S_IFMT) === TYPES[letter]
    switch (letter) {
      case 's':
        return size > 0
      case 'u':
        return (mode & S_ISUID) !== 0
      case 'g':
        return (mode & S_ISGID) !== 0
      case 'k':
        return (mode & S_ISVTX) !== 0
      case 'O':
        return uid === (yield* geteuid())
      case 'G':
        return gid === (yield* getegid())
    }
    return true
  }

  *#binary(): Sys<boolean> {
    const [left, op, right] = this.#args.slice(this.#at, this.#at + 3) as [string, string, string]
    this.#at += 3
    if (op === '=') return left === right
    if (op === '!=') return left !== right
    if (op === '-nt' || op === '-ot' || op === '-ef') return yield* compareFiles(left, op, right)
    const [a, b] = [integer(left), integer(right)]
    switch (op) {
      case '-eq':
        return a === b
      case '-ne':
        return a !== b
      case '-lt':
        return a < b
      case '-le':
        return a <= b
      case '-gt':
        return a > b
    }
    return a >= b
  }
}

function integer(text: string): bigint {
  if (!/^\s*[-+]?\d+\s*$/.test(text)) throw new TestError(`${text}: integer expression expected`)
  return BigInt(text.trim().replace(/^\+/, ''))
}
