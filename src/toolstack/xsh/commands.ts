/** xsh's commands: a row each, which `help` prints. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { xsPermFromString, xsPermToString } from '../libxs/perms.ts'
import {
  XS_PERM_NONE,
  type XsPermission,
  xsGetPermissions,
  xsMkdir,
  xsRead,
  xsRm,
  xsSetPermissions,
  xsTransaction,
  xsUnwatch,
  xsWatch,
  xsWrite,
} from '../libxs/xs.ts'
import { sanitise, unsanitise } from '../xenstore/escape.ts'
import { ls, tree } from './listing.ts'
import { type Call, complain, Refusal, type Session } from './session.ts'
import { join, resolve } from './words.ts'

export interface Command {
  readonly usage: string
  readonly help: string
  /** Letters of its options. One with a colon behind it takes a number. */
  readonly options?: string
  readonly min?: number
  readonly max?: number
  run(call: Call): Sys<void>
}

/** `body` for each operand; what is refused is told, and the others are done all the same. */
function* each(name: string, { xs, operands }: Call, body: (path: string) => Sys<unknown>): Sys<void> {
  for (const operand of operands) {
    try {
      yield* body(resolve(xs.cwd, operand))
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* complain(xs, `${name}: ${operand}: ${strerror(error.errno)}`)
    }
  }
}

function* cd({ xs, operands: [to] }: Call): Sys<void> {
  const path = to === undefined ? xs.home : resolve(xs.cwd, to)
  const found = yield* xs.names(path)
  if (found instanceof OsError) throw new Refusal(`${to ?? path}: ${strerror(found.errno)}`)
  xs.cwd = path
}

const cat = (call: Call): Sys<void> =>
  each('cat', call, function* (path) {
    const value = yield* call.xs.ask(xsRead(call.xs.h, 0, path))
    if (call.options.has('r')) call.xs.out.put(value)
    else yield* call.xs.print(sanitise(value))
  })

/** All of it or nothing. */
function* write({ xs, operands }: Call): Sys<void> {
  if (operands.length % 2 === 1) throw new Refusal(`usage: ${COMMANDS.get('write')!.usage}`, 2)
  const store = function* (t: number): Sys<void> {
    for (let i = 0; i < operands.length; i += 2) {
      const done = yield* xs.attempt(xsWrite(xs.h, t, resolve(xs.cwd, operands[i]!), unsanitise(operands[i + 1]!)))
      if (done instanceof OsError) throw new Refusal(`${operands[i]}: ${strerror(done.errno)}`)
    }
  }
  yield* operands.length > 2 ? xsTransaction(xs.h, store) : store(0)
}

function* chmod({ xs, operands: [typed = '', ...modes], options }: Call): Sys<void> {
  const perms = modes
    .flatMap((mode) => mode.split(','))
    .map((mode) => {
      const perm = xsPermFromString(mode)
      if (!perm) throw new Refusal(`${mode}: no permission (n, r, w or b, and a domain)`, 2)
      return perm
    })
  const path = resolve(xs.cwd, typed)
  yield* setPermissions(xs, path, perms, options.has('r'))
  if (!options.has('u')) return
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1))
    yield* setPermissions(xs, path.slice(0, slash), perms, false)
}

function* setPermissions(xs: Session, path: string, perms: readonly XsPermission[], below: boolean): Sys<void> {
  const done = yield* xs.attempt(xsSetPermissions(xs.h, 0, path, perms))
  if (done instanceof OsError) throw new Refusal(`${path}: ${strerror(done.errno)}`)
  if (!below) return
  const names = yield* xs.names(path)
  if (names instanceof OsError) throw new Refusal(`${path}: ${strerror(names.errno)}`)
  for (const name of names) yield* setPermissions(xs, join(path, name), perms, true)
}

/** What `perms` prints besides n0,r5: the same in words. */
function inWords([owner, ...others]: readonly XsPermission[]): string {
  const may = ({ perms }: XsPermission): string => ['nothing', 'read', 'write', 'read and write'][perms]!
  if (!owner) return ''
  const all =
    owner.perms === XS_PERM_NONE ? 'nobody else' : `all${others.length > 0 ? ' others' : ''} may ${may(owner)}`
  return `owner domain ${owner.id}; ${[...others.map((one) => `domain ${one.id} may ${may(one)}`), all].join(', ')}`
}

const perms = (call: Call): Sys<void> =>
  each('perms', call, function* (path) {
    const list = yield* call.xs.ask(xsGetPermissions(call.xs.h, 0, path))
    yield* call.xs.print(`${list.map(xsPermToString).join(',')}  ${inWords(list)}`)
  })

function* exists({ xs, operands }: Call): Sys<void> {
  for (const operand of operands)
    if ((yield* xs.attempt(xsRead(xs.h, 0, resolve(xs.cwd, operand)))) instanceof OsError) xs.status = 1
}

function* watch(call: Call): Sys<void> {
  const { xs, operands } = call
  if (operands.length === 0) for (const path of xs.watched) yield* xs.print(path)
  yield* each('watch', call, function* (path) {
    yield* xs.ask(xsWatch(xs.h, path, path))
    xs.watched.push(path)
  })
}

function* unwatch(call: Call): Sys<void> {
  const { xs, operands } = call
  yield* each('unwatch', { ...call, operands: operands.length > 0 ? operands : [...xs.watched] }, function* (path) {
    yield* xs.ask(xsUnwatch(xs.h, path, path))
    xs.watched.splice(xs.watched.indexOf(path), 1)
  })
}

function* help({ xs, operands: [name] }: Call): Sys<void> {
  if (name !== undefined) {
    const command = COMMANDS.get(name)
    if (!command) throw new Refusal(`${name}: no such command`)
    yield* xs.print(`${command.usage}\n    ${command.help}`)
    return
  }
  const wide = Math.max(...[...COMMANDS.values()].map(({ usage }) => usage.length))
  for (const { usage, help } of COMMANDS.values()) yield* xs.print(`${usage.padEnd(wide)}  ${help.split('\n')[0]}`)
}

function* exit({ xs, operands: [status] }: Call): Sys<void> {
  if (status !== undefined && !/^\d{1,9}$/.test(status)) throw new Refusal(`${status}: numeric argument required`, 2)
  xs.ended = true
  if (status !== undefined) xs.status = Number(status) & 255
}

export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'ls',
    {
      usage: 'ls [-l] [-R] [-d] [PATH...]',
      help: 'Names of the keys at PATH.\n    -l  with permissions and values\n    -R  all below, too\n    -d  PATH itself',
      options: 'lRd',
      run: ls,
    },
  ],
  [
    'tree',
    {
      usage: 'tree [-p] [-L DEPTH] [PATH]',
      help: 'All below PATH, drawn.\n    -p        with permissions\n    -L DEPTH  so deep',
      options: 'pL:',
      max: 1,
      run: tree,
    },
  ],
  ['cd', { usage: 'cd [PATH]', help: 'Go to PATH, or to where you began.', max: 1, run: cd }],
  ['pwd', { usage: 'pwd', help: 'Where you are.', max: 0, run: ({ xs }) => xs.print(xs.cwd) }],
  [
    'cat',
    {
      usage: 'cat [-r] PATH...',
      help: 'Values, with escapes for what is not printable.\n    -r  the bytes as they are, without a newline',
      options: 'r',
      min: 1,
      run: cat,
    },
  ],
  [
    'write',
    {
      usage: 'write PATH VALUE [PATH VALUE]...',
      help: "Write values, all or none. In '...' \\t \\n \\r \\\\ \\ooo \\xhh stand for bytes.",
      min: 2,
      run: write,
    },
  ],
  [
    'mkdir',
    {
      usage: 'mkdir PATH...',
      help: 'Make keys without a value.',
      min: 1,
      run: (call) => each('mkdir', call, (path) => call.xs.ask(xsMkdir(call.xs.h, 0, path))),
    },
  ],
  [
    'rm',
    {
      usage: 'rm [-r] PATH...',
      help: 'Remove keys and all below them, with -r or without.',
      options: 'r',
      min: 1,
      run: (call) => each('rm', call, (path) => call.xs.ask(xsRm(call.xs.h, 0, path))),
    },
  ],
  [
    'chmod',
    {
      usage: 'chmod [-r] [-u] PATH MODE...',
      help: 'Set permissions: n, r, w or b and a domain each; the first is owner and all others.\n    -r  of all below, too\n    -u  of all above, too',
      options: 'ru',
      min: 2,
      run: chmod,
    },
  ],
  ['perms', { usage: 'perms PATH...', help: 'Permissions, also in words.', min: 1, run: perms }],
  ['exists', { usage: 'exists PATH...', help: 'Say by the status whether all are there.', min: 1, run: exists }],
  [
    'watch',
    {
      usage: 'watch [PATH...]',
      help: 'Tell changes at or below PATH as they come; alone: what is watched.',
      run: watch,
    },
  ],
  ['unwatch', { usage: 'unwatch [PATH...]', help: 'Watch no more; alone: nothing at all.', run: unwatch }],
  ['help', { usage: 'help [COMMAND]', help: 'This list, or more of COMMAND.', max: 1, run: help }],
  ['exit', { usage: 'exit [STATUS]', help: 'End.', max: 1, run: exit }],
])

/** The operands and options of a command's words. A Refusal with its usage for what it does not know. */
export function parse(command: Command, words: readonly string[], xs: Session): Call {
  const { options: known = '', min = 0, max = Number.POSITIVE_INFINITY, usage } = command
  const operands: string[] = []
  const options = new Map<string, number>()
  const wrong = (what: string): never => {
    throw new Refusal(`${what}\nusage: ${usage}`, 2)
  }
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === '--') {
      operands.push(...words.slice(i + 1))
      break
    }
    // Once the value of a key may begin with a dash, what does not look like an option is none.
    if (!/^-[A-Za-z]/.test(word) || operands.length > 0) {
      operands.push(word)
      continue
    }
    for (let k = 1; k < word.length; k++) {
      const letter = word[k]!
      const at = known.indexOf(letter)
      if (at < 0 || letter === ':') return wrong(`invalid option -- ${letter}`)
      if (known[at + 1] !== ':') {
        options.set(letter, 1)
        continue
      }
      const number = k + 1 < word.length ? word.slice(k + 1) : (words[++i] ?? '')
      if (!/^\d{1,4}$/.test(number)) return wrong(`option -${letter} needs a number`)
      options.set(letter, Number(number))
      break
    }
  }
  if (operands.length < min) return wrong('missing operand')
  if (operands.length > max) return wrong('too many operands')
  return { xs, operands, options }
}
