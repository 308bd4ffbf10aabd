/**
 * Programs and modules that mean no good, as they lie on the disk of hostile.test.ts: sources, compiled by cc and ld like all others. A program is one
 * generator; `say` and `call` stand before each. What becomes of it is what `echo $?` says.
 */

const SEGV = 139
const KILLED = 137

export interface HostileProgram {
  readonly name: string
  /** Body of `function* hostile()`, behind `before`. */
  readonly body: string
  /** At the top of the file. */
  readonly before?: string
  /** What the shell's $? says. */
  readonly status: number
  /** Of what it prints, or the kernel says of it. */
  readonly says?: RegExp
}

/** What all of them begin with: system calls by hand. */
export const PROLOGUE = `
const bytes = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
function* say(text) { return yield [1, 1, bytes(text + '\\n')] }
`

export const PROGRAMS: readonly HostileProgram[] = [
  // --- that never come back ---
  {
    name: 'loops in a plain function',
    before: 'function hang() { for (;;) { } }',
    body: 'hang()',
    status: KILLED,
    says: /no system call for too long in h\.ts:/,
  },
  { name: 'loops in a getter of what it yields', body: 'yield { get length() { for (;;) { } } }', status: KILLED },
  {
    name: 'loops in next()',
    before: 'export function main() { return { next() { for (;;) { } } } }',
    body: '',
    status: KILLED,
  },
  {
    name: 'keeps the trap of its fuel to itself',
    before: 'function hang() { for (;;) try { for (;;) { } } finally { continue } }',
    body: 'hang()',
    status: KILLED,
  },
  {
    name: 'recurs without end',
    before: 'function down(n) { return down(n + 1) + 1 }',
    body: 'down(0)',
    status: SEGV,
    says: /segfault: stack overflow/,
  },
  {
    name: 'recurs in generators',
    before: 'function* down() { return yield* down() }',
    body: 'yield* down()',
    status: SEGV,
  },
  {
    name: 'catches its overflow and goes on',
    before: 'function down() { try { down() } catch (error) { } }',
    body: 'down(); return 3',
    status: SEGV,
  },

  // --- whose system calls are none ---
  { name: 'yields null', body: 'yield null', status: SEGV },
  { name: 'yields a number', body: 'return -(yield 5)', status: 38 },
  { name: 'yields a text', body: "return -(yield 'read')", status: 38 },
  { name: 'yields a function', body: 'return -(yield () => {})', status: 38 },
  { name: 'yields an empty list', body: 'return -(yield [])', status: 38 },
  { name: 'yields a symbol for a number', body: 'return -(yield [Symbol.iterator])', status: 38 },
  {
    name: 'yields numbers that are none',
    body: 'return -((yield [NaN]) || (yield [-1]) || (yield [1e300]))',
    status: 38,
  },
  { name: 'yields half a number', body: 'return -(yield [39.5])', status: 38 },
  {
    name: 'yields a list of 2^32 - 1',
    body: 'const list = []; list.length = 2 ** 32 - 1; return -(yield list)',
    status: 38,
  },
  { name: 'yields a getter that throws', body: "yield { length: 1, get 0() { throw 'x' } }", status: SEGV },
  {
    name: 'yields a list that changes while it is read',
    body: 'let n = 0; const got = yield { length: 1, get 0() { return n++ === 0 ? 39 : 231 } }; return got > 1 ? 4 : 5',
    status: 4,
  },
  {
    name: 'passes a list of 2^32 - 1 texts',
    body: "const list = []; list.length = 2 ** 32 - 1; return -(yield [59, '/bin/true', list, []])",
    status: 14,
  },
  {
    name: 'passes bytes with a length of its own',
    body: "const b = bytes('abc'); Object.defineProperty(b, 'length', { value: 1000 }); return -(yield [1, 1, b])",
    status: 253,
  },
  {
    name: 'passes a DataView for bytes',
    body: 'return -(yield [1, 1, new DataView(new ArrayBuffer(8))])',
    status: 14,
  },
  {
    name: 'passes objects that pretend to be numbers',
    body: 'return -(yield [3, { valueOf() { return 1 } }])',
    status: 14,
  },
  { name: 'passes a path with a NUL', body: "return -(yield [2, '/etc\\0/passwd', 0, 0])", status: 22 },
  { name: 'passes a path of 100,000 letters', body: "return -(yield [2, 'x'.repeat(100000), 0, 0])", status: 36 },
  { name: 'passes letters that are no bytes', body: "return -(yield [2, '\\u2603', 0, 0])", status: 22 },

  // --- that throw and lie ---
  { name: 'throws undefined', body: 'throw undefined', status: SEGV },
  {
    name: 'throws an object with a getter',
    body: 'throw { get message() { for (;;) { } }, get stack() { for (;;) { } } }',
    status: SEGV,
  },
  { name: 'throws a kernel error', body: 'throw { errno: 2 }', status: SEGV },
  { name: 'ends with an object', body: 'return { valueOf() { for (;;) { } } }', status: 0 },
  { name: 'ends with NaN', body: 'return NaN', status: 0 },
  { name: 'ends with 2^52 + 7', body: 'return 2 ** 52 + 7', status: 7 },
  { name: 'is no generator', before: 'export function main() { return 5 }', body: '', status: SEGV },
  {
    name: 'says done by a getter that throws',
    before: 'export function main() { return { next() { return { get done() { throw 1 } } } } }',
    body: '',
    status: SEGV,
  },
  {
    name: 'has no main',
    before: 'export const main = 5',
    body: '',
    status: 126,
    says: /Exec format error|cannot execute/,
  },
  { name: 'throws when it is evaluated', before: "throw_(); function throw_() { throw 'x' }", body: '', status: SEGV },
  { name: 'loops when it is evaluated', before: 'for (;;) { }', body: '', status: KILLED },

  // --- tricks with what the kernel gives; what is everybody's is locked by the machine's realm (world/realm/hostile.ts) ---
  {
    name: 'changes what uname gave',
    body: "const u = yield [63]; try { u.sysname = 'Evil' } catch (e) { } return (yield [63]).sysname === 'Linux' ? 8 : 9",
    status: 8,
  },
  {
    name: 'changes what sysinfo gave',
    body: 'const s = yield [99]; try { s.loads[0] = 65536 * 1000 } catch (e) { } return (yield [99]).loads[0] < 65536 * 1000 ? 8 : 9',
    status: 8,
  },
  {
    name: 'changes what it has passed',
    body: "const b = bytes('/tmp'); const env = ['A=b']; const r = yield [1, 1, b]; b.fill(0); return r",
    status: 4,
  },
  {
    name: 'has a handler that loops',
    before: 'function hang() { for (;;) { } }',
    body: 'yield [13, 10, () => hang(), 0, 0]; yield [62, yield [39], 10]; return 1',
    status: KILLED,
  },
  {
    name: 'has a handler that is no generator',
    body: 'yield [13, 10, () => 5, 0, 0]; yield [62, yield [39], 10]; return 1',
    status: SEGV,
  },
  {
    name: 'has a handler that throws',
    body: "yield [13, 10, function* () { throw 'x' }, 0, 0]; yield [62, yield [39], 10]; return 1",
    status: SEGV,
  },
  {
    name: 'has a handler that signals itself without end',
    before: 'function* again() { yield [62, yield [39], 10] }',
    // alarm(1) ends it.
    body: 'yield [37, 1]; yield [13, 10, again, 0, 0]; yield [62, yield [39], 10]; return 1',
    status: 142,
  },
  { name: 'catches SIGKILL', body: 'return -(yield [13, 9, function* () { }, 0, 0])', status: 22 },
  {
    name: 'is killed with a finally that loops',
    body: 'try { yield [62, yield [39], 9] } finally { for (;;) { } }',
    status: KILLED,
  },
  { name: 'sends signals that are none', body: 'return -(yield [62, 1, 65])', status: 22 },
  { name: 'kills init', body: 'return -(yield [62, 1, 9])', status: 0 },

  // --- that want too much ---
  { name: 'wants a heap of 2^52', body: 'return -(yield [12, 2 ** 52])', status: 12 },
  { name: 'wants a heap of -1', body: 'return -(yield [12, -1])', status: 22 },
  {
    name: 'wants a read of 2^53 - 1',
    body: "const fd = yield [2, '/dev/zero', 0, 0]; const got = yield [0, fd, 2 ** 53 - 1]; return got.length > 0 ? 7 : 8",
    status: 7,
  },
  {
    name: 'opens until there are no more',
    body: "for (;;) { const fd = yield [2, '/dev/null', 0, 0]; if (fd < 0) return -fd }",
    status: 24,
  },
  {
    name: 'makes pipes until there are no more',
    body: 'for (;;) { const fds = yield [22]; if (fds < 0) return -fds }',
    status: 24,
  },
  {
    name: 'forks until there are no more',
    body: 'for (;;) { const pid = yield [57, function* () { yield [34] }]; if (pid < 0) { yield [13, 15, 1, 0, 0]; yield [62, 0, 15]; return -pid } }',
    status: 11,
  },
  {
    name: 'forks what is no generator',
    body: 'const pid = yield [57, () => 5]; const { status } = yield [61, pid, 0]; return status',
    status: 11,
  },
]

/** Every number with arguments of all wrong types. Left out is what waits for ever by right, ends the process, or takes any bytes (a host's name). */
export const ALL_CALLS = `
const WRONG = [undefined, null, NaN, 1.5, Infinity, {}, [], [{}], () => {}, Symbol.iterator, '\\u2603', 'a\\0b', new Uint8Array(3), new Float64Array(2), true]
export function* main() {
  yield [112]
  for (let nr = 0; nr <= 300; nr++) {
    if ([34, 35, 57, 60, 170, 171].includes(nr)) continue
    for (const wrong of WRONG) {
      const result = yield [nr, wrong, wrong, wrong, wrong, wrong, wrong]
      if (typeof result === 'number' && (result < -4095 || Number.isNaN(result))) return 1
    }
  }
  return 0
}
`

export interface HostileModule {
  readonly name: string
  readonly source: string
  /** insmod's. */
  readonly status: number
  readonly says: RegExp
}

const module = (name: string, init: string, rest = ''): string =>
  `export const module = { name: '${name}', license: 'GPL', *init(kernel) { ${init} } ${rest} }`

export const MODULES: readonly HostileModule[] = [
  {
    name: 'throws',
    source: module('throws', "throw new Error('ouch')"),
    status: SEGV,
    says: /Oops: 0000 \[1\][\s\S]*comm: insmod Not tainted/,
  },
  { name: 'refuses', source: module('refuses', 'throw { errno: 19 }'), status: 1, says: /No such device/ },
  { name: 'lies', source: module('lies', 'throw { errno: -3.5 }'), status: 1, says: /Invalid (argument|parameters)/ },
  {
    name: 'spins',
    source: module('spins', 'for (;;) { }'),
    status: SEGV,
    says: /Unable to handle kernel fault: fuel exhausted/,
  },
  {
    name: 'wild',
    source: module('wild', 'kernel.mem.write8(0x1234, 1)'),
    status: SEGV,
    says: /Unable to handle kernel fault/,
  },
  {
    name: 'deep',
    source: module('deep', 'const down = (n) => down(n + 1) + 1; down(0)'),
    status: SEGV,
    says: /stack overflow/,
  },
  {
    name: 'noname',
    source: 'export const module = { license: "GPL", *init() { } }',
    status: 1,
    says: /Invalid module format/,
  },
  { name: 'nothing', source: 'export const other = 1', status: 1, says: /Invalid module format/ },
]
