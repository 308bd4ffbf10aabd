/**
 * Images that mean harm, and what must become of each (issue's acceptance: Node and Chromium run this same table in a locked realm).
 * Not for a realm that is not locked: then some of these succeed.
 */
import { type ImageCode, ImageKind } from '#abi/image.ts'
import { memOf } from '#abi/mem.ts'
import { cc } from '#toolchain/cc.ts'
import { CompileError } from '#toolchain/diagnostics.ts'
import { plainImage } from '#toolchain/image.ts'
import { ld } from '#toolchain/ld.ts'
import { crashReport, ImageFault, ImageLoader } from './loader.ts'

export interface HostileImage {
  readonly name: string
  /** `cc`: TypeScript of a module, through a friendly cc and ld. `code`: a module's compiled code, written by hand: only the loader looks at it. */
  readonly by: 'cc' | 'code'
  readonly text: string
  /**
   * refused: not built, or not loaded. crashed: ran until it was stopped or threw. contained: came back having reached nothing: its
   * `start` returns what it could lay hands on, and returns undefined.
   */
  readonly expect: 'refused' | 'crashed' | 'contained'
  /** In the refusal or the crash message. */
  readonly saying?: string
  /** Line of the crash. */
  readonly line?: number
}

export interface HostileOutcome {
  readonly outcome: 'refused' | 'crashed' | 'contained' | 'ESCAPED'
  readonly detail: string
  readonly line: number | undefined
}

/** Loop bodies and calls that a hostile image gets: some tens of milliseconds. */
export const HOSTILE_FUEL = 500_000

const start = (body: string): string => `export function start(): unknown {\n${body}\n}`
const start$ = (body: string): string => `exports.start=start;function start(){--$f[0]<0&&$x();\n${body}\n}`

const refusedBy = (
  by: HostileImage['by'],
  rows: readonly (readonly [name: string, text: string, saying: string])[],
): HostileImage[] => rows.map(([name, text, saying]) => ({ name, by, text, expect: 'refused', saying }))
const crashing = (
  rows: readonly (readonly [name: string, body: string, saying: string, line?: number])[],
): HostileImage[] =>
  rows.map(([name, body, saying, line]) => ({
    name,
    by: 'cc',
    text: start(body),
    expect: 'crashed',
    saying,
    ...(line === undefined ? {} : { line }),
  }))
const contained = (rows: readonly (readonly [name: string, body: string])[]): HostileImage[] =>
  rows.map(([name, body]) => ({ name, by: 'cc', text: start(body), expect: 'contained' }))

export const HOSTILE_IMAGES: readonly HostileImage[] = [
  ...refusedBy('cc', [
    ['cc: names globalThis', start('return globalThis'), "'globalThis' undeclared"],
    ['cc: names self', start('return self'), "'self' undeclared"],
    ['cc: eval', start("return eval('this')"), "'eval' undeclared"],
    ['cc: indirect eval', start("return (0, eval)('this')"), "'eval' undeclared"],
    ['cc: Function', start("return Function('return this')()"), "'Function' undeclared"],
    ['cc: escaped eval', start("return \\u0065val('this')"), "'eval' undeclared"],
    ['cc: Proxy', start('return new Proxy({}, {})'), "'Proxy' undeclared"],
    ['cc: Date', start('return new Date()'), "'Date' undeclared"],
    [
      'cc: default that skips the body',
      'export function start(a = Date) { var Date = 1; return [a, Date] }',
      "'Date' undeclared",
    ],
    ['cc: import()', start("return import('data:text/javascript,1')"), 'import()'],
    ['cc: import.meta', start('return import.meta'), 'import.meta'],
    ['cc: await', 'export async function start() { await 1 }', "'async'"],
    ['cc: fuel cell', start('$f[0] = 1'), "'$f' undeclared"],
    ['cc: own fuel cell', start('const $f = [1]; return $f'), 'reserved'],
    ['cc: arguments of the module', 'export const start = () => arguments[2]', "'arguments' undeclared"],
    ['cc: a missing module', "import { x } from './gone.ts'\nexport const start = () => x", 'No such file'],
  ]),
  ...refusedBy('code', [
    ['code: names globalThis', start$('return globalThis'), "'globalThis' undeclared"],
    ['code: function without count', 'exports.start=function(){return 1}', 'without a fuel count'],
    ['code: arrow without count', 'exports.start=()=>exports.start()', 'without a fuel count'],
    ['code: method without count', 'exports.start={a(){return 1}}.a', 'without a fuel count'],
    ['code: getter without count', 'exports.start={get a(){return 1}}', 'without a fuel count'],
    ['code: static method without count', 'class A{static a(){return 1}}', 'without a fuel count'],
    ['code: constructor without count', 'class A{constructor(){this.a=1}}', 'without a fuel count'],
    ['code: loop at module level', 'for(;;){}', 'loop without a fuel count'],
    ['code: loop with a bare body', start$('while(true);'), 'loop without a fuel count'],
    ['code: do loop', start$('do{}while(true)'), 'loop without a fuel count'],
    ['code: for-of loop', start$('for(const a of [])a'), 'loop without a fuel count'],
    ['code: count of another cell', start$('for(;;){--$f[1]<0&&$x();}'), 'loop without a fuel count'],
    ['code: count upwards', start$('for(;;){++$f[0]<0&&$x();}'), 'loop without a fuel count'],
    ['code: count against a variable', start$('const a=-9;for(;;){--$f[0]<a&&$x();}'), 'loop without a fuel count'],
    ['code: count not first', start$('for(;;){if(1)continue;--$f[0]<0&&$x();}'), 'loop without a fuel count'],
    ['code: optional trap', start$('for(;;){--$f[0]<0&&$x?.();}'), 'loop without a fuel count'],
    ['code: loop in a static block', 'class A{static{for(;;){}}}', 'loop without a fuel count'],
    ['code: field that doubles', 'class A{a=[new A,new A]}', 'field without a fuel count'],
    ['code: own trap', start$('const $x=()=>{};return $x'), "'$x' declared"],
    ['code: trap as parameter', 'exports.start=function($x){--$f[0]<0&&$x();}', "'$x' declared"],
    ['code: refuels', start$('$f[0]=2147483647'), "'$f' used"],
    ['code: hands out the cell', start$('return $f'), "'$f' used"],
    ['code: another cell', start$('$f=[1]'), "'$f' assigned"],
    ['code: calls the trap itself', start$('$x()'), "'$x' used"],
    ['code: catch without guard', start$('try{}catch(e){}'), 'without its guard'],
    ['code: catch without a name', start$('try{}catch{}'), 'without a plain name'],
    ['code: catch with a pattern', start$('try{}catch({message}){$k(message);}'), 'without a plain name'],
    ['code: guard of another value', start$('const a=1;try{}catch(e){$k(a);}'), 'without its guard'],
    ['code: guard as a value', start$('return $k'), "'$k' used"],
    ['code: labels', start$('a:for(;;){--$f[0]<0&&$x();continue a}'), 'LabeledStatement'],
    ['code: debugger', start$('debugger'), 'DebuggerStatement'],
    ['code: with', start$('with({}){}'), "'with' in strict mode"],
    ['code: async', 'exports.start=async()=>(--$f[0]<0&&$x(),1)', 'asynchronous'],
    [
      'code: for await',
      'async function a(){--$f[0]<0&&$x();for await(const b of []){--$f[0]<0&&$x();}}',
      'asynchronous',
    ],
    ['code: import()', start$("return import('x')"), 'ImportExpression'],
    ['code: import.meta', start$('return import.meta'), 'import'],
    ['code: closes the wrapper', '}); evil(); (function(){', ''],
    ['code: closes the wrapper in a comment', '*/}); evil(); (function(){/*', ''],
    ['code: HTML comment', 'exports.a=1<!--x\n;', 'HTML-like comment'],
    ['code: HTML comment end', 'exports.a=1\n-->x\n;', 'HTML-like comment'],
    ['code: sourceURL', '//# sourceURL=xen:///xen/innocent.ts', 'source annotation'],
    ['code: sourceMappingURL', '/*# sourceMappingURL=https://example.org/*/', 'source annotation'],
    ['code: a line end in a name', start$('return glob\\u{61}lThis'), "'globalThis' undeclared"],
    ['code: line separator hides code', '//\u2028globalThis', "'globalThis' undeclared"],
    ['code: assigns an intrinsic', 'Object=1', "'Object' assigned"],
    ['code: deep nesting', `exports.a=${'['.repeat(20_000)}${']'.repeat(20_000)}`, 'nested too deeply'],
    ['code: long chain', `exports.a=exports${'.a'.repeat(20_000)}`, 'nested too deeply'],
    ['code: passes require on', 'exports.start=require', "'require' used"],
  ]),
  ...crashing([
    ['loop: for', 'for (;;) {}', 'fuel exhausted', 2],
    ['loop: while', 'let n = 0\nwhile (true) n++', 'fuel exhausted', 3],
    ['loop: do', 'do {} while (true)', 'fuel exhausted', 2],
    ['loop: caught', 'for (;;) { try { for (;;) {} } catch { continue } }', 'fuel exhausted', 2],
    ['loop: finally continue', 'for (;;) { try { for (;;) {} } finally { continue } }', 'fuel exhausted', 2],
    ['loop: finally return', 'try { for (;;) {} } finally { return 1 }', 'fuel exhausted', 2],
    [
      'loop: finally throws another',
      "try { for (;;) {} } finally { throw new Error('innocent') }",
      'fuel exhausted',
      2,
    ],
    ['loop: generator', 'function* g() { for (;;) yield 1 }\nfor (const x of g()) void x', 'fuel exhausted'],
    [
      'loop: iterator',
      'return [...{ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) }]',
      'fuel exhausted',
    ],
    ['loop: callbacks', 'const a = [1]\nfor (const x of a) a.push(x)', 'fuel exhausted'],
    [
      'loop: sort',
      'const a = Array.from({ length: 1e5 }, (_, i) => i)\nfor (;;) a.sort((x, y) => y - x)',
      'fuel exhausted',
    ],
    [
      'loop: getter',
      'const o = { get a(): number { return 1 } }\nfor (let n = 0; n < 1e9; n++) void o.a',
      'fuel exhausted',
    ],
    [
      'loop: fields that double',
      'let depth = 0\nclass A { a: unknown = depth++ < 60 ? [new A(), new A()] : depth--; b = depth-- }\nreturn new A()',
      '',
    ],
    ['loop: replace callback', "for (;;) 'aaaa'.replace(/a/g, () => 'b')", 'fuel exhausted'],
    [
      'loop: doubling calls',
      'const f = (n: number): unknown => n === 0 ? 0 : [f(n - 1), f(n - 1)]\nreturn f(60)',
      'fuel exhausted',
    ],
    ['recursion: plain', 'const f = (): unknown => [f()]\nreturn f()', 'stack overflow', 2],
    ['recursion: caught', 'const f = (): unknown => { try { return [f()] } catch { return f() } }\nreturn f()', 's'],
    ['recursion: getter', 'const o: { a: unknown } = { get a() { return [o.a] } }\nreturn o.a', 'stack overflow'],
    ['recursion: toString', "const o = { toString: (): string => o + '' }\nreturn o + ''", 'stack overflow'],
    ['recursion: sort', 'const f = (): number => [2, 1].sort(f)[0]!\nreturn f()', 'stack overflow'],
    ['recursion: field', 'class A { a: unknown = new A() }\nreturn new A()', 'stack overflow'],
    ['recursion: parameter', 'const f = (a: unknown = f()): unknown => a\nreturn f()', 'stack overflow'],
    ['memory: pushes', 'const a: number[] = []\nfor (;;) a.push(1)', 'fuel exhausted'],
    ['memory: a string too long', "return 'x'.repeat(2 ** 30)", 'RangeError', 2],
    ['memory: an array too long', 'return new Array(-1)', 'RangeError', 2],
    ['memory: a buffer too long', 'return new ArrayBuffer(2 ** 53)', 'RangeError', 2],
    ['memory: a number too long', 'return 1n << (1n << 40n)', 'RangeError', 2],
    ['patch: Array.prototype.push', 'Array.prototype.push = () => 0', 'TypeError', 2],
    ['patch: Array.prototype gains a name', '(Array.prototype as never as { evil: number }).evil = 1', 'TypeError'],
    ['patch: Array.prototype gains an element', 'Array.prototype[0] = 1', 'TypeError'],
    ['patch: array iterator', 'Array.prototype[Symbol.iterator] = function* () {}', 'TypeError'],
    ['patch: iterator next', 'Object.getPrototypeOf([].values()).next = () => ({ done: true })', 'TypeError'],
    ['patch: Object.prototype', '(Object.prototype as { evil?: number }).evil = 1', 'TypeError'],
    ['patch: Object.prototype.toString', "Object.prototype.toString = () => ''", 'TypeError'],
    ['patch: by defineProperty', "Object.defineProperty(Object.prototype, 'evil', { value: 1 })", 'TypeError'],
    ['patch: by __proto__', '(({}) as { __proto__: { evil: number } }).__proto__.evil = 1', 'TypeError'],
    ['patch: prototype of a prototype', 'Object.setPrototypeOf(Array.prototype, {})', 'TypeError'],
    ['patch: Map.prototype.get', 'Map.prototype.get = () => 1', 'TypeError'],
    ['patch: typed array set', 'Uint8Array.prototype.set = () => {}', 'TypeError'],
    ['patch: typed array element', 'Uint8Array.prototype[0 as never] = 1 as never', 'TypeError'],
    ['patch: Reflect', 'Reflect.apply = (() => 1) as never', 'TypeError'],
    ['patch: Math', 'Math.floor = () => 1', 'TypeError'],
    ['patch: JSON', "JSON.parse = () => 'evil'", 'TypeError'],
    ['patch: Function.prototype.call', "Object.getPrototypeOf(start).call = () => 'evil'", 'TypeError'],
    ['patch: generators', 'function* g() {}\nObject.getPrototypeOf(g).prototype.next = () => 1', 'TypeError'],
    ['patch: RegExp exec', 'RegExp.prototype.exec = () => null', 'TypeError'],
    ['patch: species', 'Object.defineProperty(Array, Symbol.species, { value: Object })', 'TypeError'],
    [
      'patch: prepareStackTrace',
      "(Error as { prepareStackTrace?: unknown }).prepareStackTrace = () => 'evil'",
      'TypeError',
    ],
    ['patch: stackTraceLimit', '(Error as { stackTraceLimit?: unknown }).stackTraceLimit = 0', 'TypeError'],
    ['patch: Error.prototype', "Error.prototype.name = 'evil'", 'TypeError'],
    [
      'make code: constructor of constructor',
      "return (({}) as any).constructor.constructor('return this')()",
      'TypeError',
    ],
    ['make code: constructor of a function', "return ((() => 1) as any).constructor('return this')()", ''],
    [
      'make code: generator',
      "function* g() {}\nreturn (Object.getPrototypeOf(g) as any).constructor('yield this')().next()",
      '',
    ],
    ['look: callee', 'return (function () { return arguments.callee })()', 'TypeError'],
    ['look: caller', 'return (start as any).caller', 'TypeError'],
    ['look: captureStackTrace', '(Error as any).captureStackTrace({})', 'TypeError'],
    [
      'throw: hostile error',
      'throw { get message() { for (;;) {} }, get stack() { for (;;) {} }, toString() { for (;;) {} } }',
      'threw an object',
    ],
    ['throw: own stack', "const e = new Error('mine')\ne.stack = 'at evil (xen:///other/x.ts:99:1)'\nthrow e", 'mine'],
    [
      'throw: getter for a stack',
      "const e = new Error('mine')\nObject.defineProperty(e, 'stack', { get() { for (;;) {} } })\nthrow e",
      'mine',
    ],
    ['throw: undefined', 'throw undefined', 'threw undefined'],
    ['throw: null', 'throw null', 'threw null'],
    ['throw: a symbol', 'throw Symbol.iterator', 'threw a symbol'],
    ['throw: at a line', "\n\nthrow new Error('here')", 'here', 4],
  ]),
  ...contained([
    ['look: this', 'return (function (this: unknown) { return this })()'],
    ['look: this of a bare call', 'const o = { f(this: unknown) { return this } }\nconst { f } = o\nreturn f()'],
    ['look: new.target of the module', 'return new.target'],
    ['look: stacks', "const e = new Error('x')\nreturn e.stack || undefined"],
    ['look: stack of an engine error', 'try { (null as any).x } catch (e) { return (e as Error).stack || undefined }'],
    ['look: randomness', 'return (Math as any).random'],
    ['look: sine', 'return (Math as any).sin'],
    ['look: locale', "return (1 as any).toLocaleString ?? ('' as any).localeCompare"],
    ['look: fromAsync', 'return (Array as any).fromAsync'],
    ['look: RegExp statics', "/(.)/.exec('secret')\nreturn (RegExp as any).$1 ?? (RegExp as any).lastMatch"],
    ['look: __lookupGetter__', 'return ({} as any).__lookupGetter__.call(Object, "x")'],
    [
      'species',
      'class A extends Array { static get [Symbol.species](): any { return Object } }\nconst b = new A()\nb.push(1)\nb.map((x) => x)\nreturn undefined',
    ],
    [
      'own error names',
      "class E extends Error { constructor() { super('x'); this.name = 'E' } }\nreturn new E().name === 'E' ? undefined : 1",
    ],
    [
      'own toString',
      "const o: any = {}\no.toString = () => 'o'\nreturn o + '' === 'o' && Object.keys(o).length === 1 ? undefined : 1",
    ],
    ['ends', 'let n = 0\nfor (let i = 0; i < 1000; i++) n += i\nreturn n === 499500 ? undefined : n'],
  ]),
]

/** Build it, load it, run it; afterwards the realm must be what it was. Give a fresh loader per entry or one for all. */
export function runHostile(image: HostileImage, loader: ImageLoader = new ImageLoader()): HostileOutcome {
  const { fuel } = loader
  let outcome: HostileOutcome
  try {
    const loaded = loader.loadNow(memOf(plainImage(ImageKind.program, 'hostile', codeOf(image))))
    fuel.refill(HOSTILE_FUEL)
    const run = loaded.instantiate()['start']
    const reached = typeof run === 'function' ? (run as () => unknown)() : undefined
    fuel.check()
    outcome = { outcome: reached === undefined ? 'contained' : 'ESCAPED', detail: typeof reached, line: undefined }
  } catch (error) {
    if (error instanceof CompileError || error instanceof ImageFault)
      outcome = { outcome: 'refused', detail: error.message, line: undefined }
    else {
      const { message, line } = crashReport(error, 'hostile', 0, fuel)
      outcome = { outcome: 'crashed', detail: message, line }
    }
  }
  const broken = damage()
  return broken === undefined ? outcome : { outcome: 'ESCAPED', detail: broken, line: undefined }
}

/** Whether the outcome is what the table promises; otherwise why not. */
export function mismatch(image: HostileImage, { outcome, detail, line }: HostileOutcome): string | undefined {
  if (outcome !== image.expect) return `${image.name}: ${outcome} (${detail}), not ${image.expect}`
  if (image.saying && !detail.includes(image.saying)) return `${image.name}: says '${detail}', not '${image.saying}'`
  if (image.line !== undefined && line !== image.line) return `${image.name}: line ${line}, not ${image.line}`
  return undefined
}

function codeOf({ by, text }: HostileImage): ImageCode {
  if (by === 'code') return { entry: 0, modules: [{ path: 'hostile.ts', code: text, imports: {} }] }
  return ld(new Map([['hostile.ts', cc('hostile.ts', text)]]), 'hostile.ts')
}

const { floor } = Math
const { push } = Array.prototype
const { get } = Map.prototype

/** What a successful image would have left behind. */
function damage(): string | undefined {
  if ('evil' in {}) return 'Object.prototype'
  if ('evil' in [] || Array.prototype.push !== push || 0 in []) return 'Array.prototype'
  if (Math.floor !== floor || Map.prototype.get !== get) return 'a method'
  if ([...[1, 2]].length !== 2) return 'iteration'
  return undefined
}
