/** tr(1). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { expandSet, parseSet, type TrSet } from '../coreutils/tr-sets.ts'
import { quote } from '../libc/quote.ts'
import { CHUNK, eprint, STDIN } from '../libc/stdio.ts'
import { read } from '../libc/syscall.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

export const tr = utility({
  name: 'tr',
  usage: 'tr [OPTION]... SET1 [SET2]',
  help: `Translate, squeeze, and/or delete characters from standard input,
writing to standard output.

  -c, -C, --complement    first complement SET1
  -d, --delete            delete characters in SET1, do not translate
  -s, --squeeze-repeats   replace each input sequence of a repeated character
                            that is listed in SET1 with a single occurrence
                            of that character
  -t, --truncate-set1     first truncate SET1 to length of SET2
      --help     display this help and exit
      --version  output version information and exit

SETs are specified as strings of characters.  Most represent themselves.
Interpreted sequences are:

  \\NNN            character with octal value NNN (1 to 3 octal digits)
  \\\\              backslash
  \\a              audible BEL
  \\b              backspace
  \\f              form feed
  \\n              new line
  \\r              return
  \\t              horizontal tab
  \\v              vertical tab
  CHAR1-CHAR2     all characters from CHAR1 to CHAR2 in ascending order
  [CHAR*]         in SET2, copies of CHAR until length of SET1
  [CHAR*REPEAT]   REPEAT copies of CHAR, REPEAT octal if starting with 0
  [:CLASS:]       all characters of a class: alnum, alpha, blank, cntrl,
                  digit, graph, lower, print, punct, space, upper, xdigit
  [=CHAR=]        all characters which are equivalent to CHAR

Report bugs to <bug-coreutils@gnu.org>.`,
  short: '+cCdst',
  long: { complement: 'c', delete: 'd', 'squeeze-repeats': 's', 'truncate-set1': 't' },
  *main(run) {
    const remove = run.has('d')
    const squeeze = run.has('s')
    const [first, second] = run.operands
    yield* checkOperands(run, remove, squeeze)
    const set1 = parseSet(first!)
    const set2 = second === undefined ? undefined : parseSet(second)
    const translating = !remove && set2 !== undefined
    const plain = expandSet(set1)
    const codes1 = run.has('c') || run.has('C') ? complement(plain) : plain
    const table = new Uint8Array(256).map((_, code) => code)
    if (translating) translation(table, set1, codes1, set2, run)
    const deleted = remove ? setOf(codes1) : undefined
    // Squeezed are the characters of the last set that was given.
    const squeezed = squeeze ? setOf(set2 ? expandSet(set2, codes1.length) : codes1) : undefined
    yield* filter(run, table, deleted, squeezed)
    return 0
  },
})

function* checkOperands(run: Run, remove: boolean, squeeze: boolean): Sys<void> {
  const { operands } = run
  const least = remove === squeeze ? 2 : 1
  const most = remove && !squeeze ? 1 : 2
  if (operands.length < least) {
    if (operands.length === 0) throw new UsageError('missing operand')
    yield* run.complain(`missing operand after ${quote(operands.at(-1)!)}`)
    yield* eprint(
      squeeze
        ? 'Two strings must be given when both deleting and squeezing repeats.\n'
        : 'Two strings must be given when translating.\n',
    )
    throw new UsageError()
  }
  if (operands.length > most) {
    yield* run.complain(`extra operand ${quote(operands[most]!)}`)
    if (operands.length === 2) yield* eprint('Only one string may be given when deleting without squeezing repeats.\n')
    throw new UsageError()
  }
}

function complement(codes: readonly number[]): number[] {
  const set = setOf(codes)
  return [...set.keys()].filter((code) => set[code] === 0)
}

function setOf(codes: readonly number[]): Uint8Array {
  const set = new Uint8Array(256)
  for (const code of codes) set[code] = 1
  return set
}

function translation(table: Uint8Array, set1: TrSet, codes1: readonly number[], set2: TrSet, run: Run): void {
  if (set2.hasClass)
    throw new Exit(
      1,
      "when translating, the only character classes that may appear in\nstring2 are `upper' and `lower'",
    )
  const complemented = run.has('c') || run.has('C')
  const codes2 = expandSet(set2, codes1.length)
  if (codes2.length === 0 && !run.has('t')) throw new Exit(1, 'when not truncating set1, string2 must be non-empty')
  if (complemented && set1.hasClass && new Set(codes2).size > 1)
    throw new Exit(
      1,
      'when translating with complemented character classes,\nstring2 must map all characters in the domain to one',
    )
  const length = run.has('t') ? Math.min(codes1.length, codes2.length) : codes1.length
  for (let i = 0; i < length; i++) table[codes1[i]!] = codes2[Math.min(i, codes2.length - 1)]!
}

function* filter(
  run: Run,
  table: Uint8Array,
  deleted: Uint8Array | undefined,
  squeezed: Uint8Array | undefined,
): Sys<void> {
  let last = -1
  for (;;) {
    const part = yield* read(STDIN, CHUNK)
    if (part.length === 0) return
    const result = new Uint8Array(part.length)
    const length = deleted || squeezed ? reduce(part, result, table, deleted, squeezed, last) : map(part, result, table)
    if (length > 0) last = result[length - 1]!
    yield* run.out.bytes(result.subarray(0, length))
  }
}

function map(from: Uint8Array, to: Uint8Array, table: Uint8Array): number {
  for (let i = 0; i < from.length; i++) to[i] = table[from[i]!]!
  return from.length
}

function reduce(
  from: Uint8Array,
  to: Uint8Array,
  table: Uint8Array,
  deleted: Uint8Array | undefined,
  squeezed: Uint8Array | undefined,
  before: number,
): number {
  let length = 0
  let last = before
  for (let i = 0; i < from.length; i++) {
    if (deleted?.[from[i]!]) continue
    const code = table[from[i]!]!
    if (squeezed?.[code] && code === last) continue
    to[length++] = code
    last = code
  }
  return length
}
