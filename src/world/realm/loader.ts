/**
 * The loader: bytes of an image file to running code (docs/adr/0002). Checks the container, verifies every module, makes functions of
 * them in this realm, which is locked by then (lockdown.ts), and evaluates them afresh for each boot.
 */
import { IMAGE_ABI, IMAGE_MAGIC, type ImageCode, ImageKind, type ImageModule, image_header } from '#abi/image.ts'
import { type Mem, memOf } from '#abi/mem.ts'
import { crc32 } from '#lib/crc32.ts'
import { digest } from '#lib/digest.ts'
import { utf8Decode } from '#lib/utf8.ts'
import type { CrashReport } from '#protocol/machine.ts'
import { resolveSpecifier } from '#toolchain/ld.ts'
import { SECTOR_PARAMETERS } from '#toolchain/sector.ts'
import { MODULE_PARAMETERS, STRICT, verify } from '#toolchain/verify.ts'
import { crashMessage } from './crash-message.ts'
import { createFuel, type Fuel } from './fuel.ts'
import { framesOf, SOURCE_URL, stackText } from './stack.ts'

/** Why an image is not run. */
export type ImageFaultReason =
  | 'no image header'
  | 'wrong ABI'
  | 'truncated'
  | 'bad checksum'
  | 'malformed'
  /** By the verifier: `message` says where and why. */
  | 'refused'

export class ImageFault extends Error {
  readonly reason: ImageFaultReason
  constructor(message: string, reason: ImageFaultReason = 'malformed') {
    super(message)
    this.reason = reason
  }
}

export interface ParsedImage {
  readonly kind: ImageKind
  /** As in crash reports: `stage2`. */
  readonly name: string
  /** Header to the code's last byte. */
  readonly bytes: number
  /** A sector's function body, or the module table of all other kinds. */
  readonly code: ImageCode | string
  /** The same as it lies in the image. */
  readonly codeBytes: Uint8Array
}

export interface LoadedImage {
  readonly kind: ImageKind
  readonly name: string
  /** Header to the code's last byte. */
  readonly bytes: number
  /**
   * Evaluate all modules afresh and give the entry's exports; of a sector, `{ start }`. Runs image code: fill the fuel before, catch and
   * `crashReport` what it throws, and `fuel.check()` after.
   */
  instantiate(): Readonly<Record<string, unknown>>
  /** The same in steps, imports first: each yield is the number of characters just evaluated. A kernel's worth of new code takes an engine tens of ms. */
  instantiating(): Generator<number, Readonly<Record<string, unknown>>, void>
}

const CODE_BYTES_MAX = 64 << 20
const MODULES_MAX = 4096
/** How much code text the cache of compiled functions may stand for. */
const CACHE_CHARS_MAX = 48 << 20

/** Kinds whose code is a function body that fits a sector. */
const SECTOR_CODE_BYTES_MAX = 512

/** What each evaluation of an image needs to know of it, found out once. */
interface EvaluationPlan extends ImageCode {
  /** By module: specifier to index. */
  readonly imports: readonly ReadonlyMap<string, number>[]
  /** `importsFirst`; empty until the first evaluation. */
  readonly order: number[]
}

type Factory = (...parameters: unknown[]) => unknown

// Taken before the realm is locked; images cannot name it.
const FunctionConstructor = Function as unknown as new (...text: string[]) => Factory

const malformed = (what: string): ImageFault => new ImageFault(`malformed image: ${what}`, 'malformed')

/** `length` bytes at `at`: a byte array ends somewhere, RAM answers everywhere. */
function take(mem: Mem, at: number, length: number): Uint8Array {
  try {
    return mem.copyOut(at, length)
  } catch {
    throw new ImageFault('image is cut short', 'truncated')
  }
}

/** Read the header at `at` and the code behind it. Throws ImageFault. */
export function parseImage(mem: Mem, at = 0): ParsedImage {
  const header = image_header.read(memOf(take(mem, at, image_header.size)), 0)
  if (header.magic !== IMAGE_MAGIC) throw new ImageFault('no image header here', 'no image header')
  if (header.abi !== IMAGE_ABI)
    throw new ImageFault(`image built for ABI ${header.abi}, this machine has ${IMAGE_ABI}`, 'wrong ABI')
  if (header.kind < ImageKind.bootSector || header.kind > ImageKind.program) throw malformed('kind')
  if (header.code_offset < image_header.size || header.code_bytes > CODE_BYTES_MAX) throw malformed('code')
  const end = header.code_offset + header.code_bytes
  const code = take(mem, at + header.code_offset, header.code_bytes)
  if (crc32(code) !== header.code_crc32) throw new ImageFault('image is damaged: bad checksum', 'bad checksum')
  const text = utf8Decode(code)
  const name = String.fromCharCode(...header.name).replace(/\0.*$/s, '')
  if (!/^[\w.-]+$/.test(name)) throw malformed('name')
  return {
    kind: header.kind as ImageKind,
    name,
    bytes: end,
    code: isSector(header.kind, text) ? text : moduleTable(text),
    codeBytes: code,
  }
}

/** Boot sectors always; stage2's first sector by its not being JSON: a function body that does anything never is. */
const isSector = (kind: number, text: string): boolean =>
  kind === ImageKind.bootSector ||
  (kind === ImageKind.stage2 && text.length <= SECTOR_CODE_BYTES_MAX && !text.startsWith('{"entry":'))

function moduleTable(text: string): ImageCode {
  let table: unknown
  try {
    table = JSON.parse(text)
  } catch {
    throw malformed('not JSON')
  }
  const { entry, modules } = (table ?? {}) as { entry?: unknown; modules?: unknown }
  if (!Array.isArray(modules) || modules.length > MODULES_MAX) throw malformed('modules')
  const isIndex = (value: unknown): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < modules.length
  if (!isIndex(entry)) throw malformed('entry')
  for (const module of modules as unknown[]) {
    const { path, code, imports } = (module ?? {}) as { path?: unknown; code?: unknown; imports?: unknown }
    if (typeof path !== 'string' || typeof code !== 'string' || typeof imports !== 'object' || imports === null)
      throw malformed('module')
    if (!Array.isArray(imports) && !Object.values(imports).every(isIndex)) throw malformed('imports')
  }
  const named = modules as (ImageModule | NamedImports)[]
  const byPath = new Map(named.map(({ path }, index) => [path, index]))
  return { entry, modules: named.map((module) => (isNamed(module) ? indexed(module, byPath) : module)) }
}

/** A module whose imports are specifiers alone: what they mean follows from its path. */
type NamedImports = Omit<ImageModule, 'imports'> & { readonly imports: readonly unknown[] }

const isNamed = (module: ImageModule | NamedImports): module is NamedImports => Array.isArray(module.imports)

function indexed({ path, code, imports }: NamedImports, byPath: ReadonlyMap<string, number>): ImageModule {
  const indices: Record<string, number> = {}
  for (const specifier of imports) {
    const index = typeof specifier === 'string' ? byPath.get(resolveSpecifier(path, specifier) ?? '') : undefined
    if (index === undefined) throw malformed('imports')
    indices[specifier as string] = index
  }
  return { path, code, imports: indices }
}

function loaded(
  kind: ImageKind,
  name: string,
  bytes: number,
  instantiating: () => Generator<number, Record<string, unknown>, void>,
): LoadedImage {
  return {
    kind,
    name,
    bytes,
    instantiating,
    instantiate() {
      const steps = instantiating()
      for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value
    },
  }
}

/** A sector has nothing to evaluate: its body runs when it is started. */
function* sectorExports(start: unknown, chars: number): Generator<number, Record<string, unknown>, void> {
  yield chars
  return { start }
}

/**
 * The modules that `entry` reaches, each behind what it imports, as evaluation would come to them; those in import cycles are left out, since where a cycle is entered decides
 * who sees whom unfinished. Tarjan's strongly connected components, without recursion.
 */
function importsFirst(entry: number, modules: readonly ImageModule[]): number[] {
  const order: number[] = []
  const seenAt = new Map<number, number>()
  const lowest = new Map<number, number>()
  const open: number[] = []
  const isOpen = new Set<number>()
  const path: { readonly index: number; readonly imports: number[] }[] = []
  const enter = (index: number): void => {
    seenAt.set(index, seenAt.size)
    lowest.set(index, seenAt.size - 1)
    open.push(index)
    isOpen.add(index)
    path.push({ index, imports: Object.values(modules[index]!.imports).reverse() })
  }
  const lower = (index: number, to: number): void => {
    if (to < lowest.get(index)!) lowest.set(index, to)
  }
  enter(entry)
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const next = top.imports.pop()
    if (next !== undefined) {
      if (!seenAt.has(next)) enter(next)
      else if (isOpen.has(next)) lower(top.index, seenAt.get(next)!)
      continue
    }
    path.pop()
    const { index } = top
    const importer = path.at(-1)
    if (importer) lower(importer.index, lowest.get(index)!)
    if (lowest.get(index) !== seenAt.get(index)) continue
    const cycle = open.splice(open.lastIndexOf(index))
    for (const member of cycle) isOpen.delete(member)
    if (cycle.length === 1 && !Object.values(modules[index]!.imports).includes(index)) order.push(index)
  }
  return order
}

/** Module exports: no prototype to inherit names from, and still an object with fast properties. */
function Exports() {}
Exports.prototype = Object.create(null)
const newExports = (): Record<string, unknown> => new (Exports as unknown as new () => Record<string, unknown>)()

/** What tells one image's code from all others. */
export const codeHash = (code: Uint8Array): string => digest().bytes(code).hex()

/** One per world. All images of a world share its fuel. */
export class ImageLoader {
  readonly fuel: Fuel = createFuel()
  /** Compiled functions by image, path and text; never anything evaluated. Oldest use first. */
  readonly #factories = new Map<string, Factory>()
  #cachedChars = 0
  readonly #known: ReadonlySet<string>

  /**
   * `known`: hashes (`codeHash`) of images that this very build has linked, and so verified: they are not verified again. Whoever
   * passes them vouches for them; a disk never brings its own.
   */
  constructor(known: Iterable<string> = []) {
    this.#known = new Set(known)
  }

  /** `load` without pauses: for tests and tools. */
  loadNow(mem: Mem, at = 0): LoadedImage {
    const steps = this.load(mem, at)
    for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value
  }

  /**
   * Read, verify and compile, a module at a time: each yield is the number of bytes just dealt with, the same whether they were in
   * the cache or not, so that the caller may charge virtual time for them. Throws ImageFault.
   */
  *load(mem: Mem, at = 0): Generator<number, LoadedImage, void> {
    const { kind, name, bytes, code, codeBytes } = parseImage(mem, at)
    const known = this.#known.size > 0 && this.#known.has(codeHash(codeBytes))
    yield bytes
    if (typeof code === 'string') {
      const text = code
      const factory = this.#factory(name, `${name}.ts`, text, SECTOR_PARAMETERS)
      const { cell, trap, guard } = this.fuel
      const start = (metal: unknown, regs: unknown): unknown => factory(metal, regs, cell, trap, guard)
      return loaded(kind, name, bytes, () => sectorExports(start, text.length))
    }
    const factories: Factory[] = []
    for (const { path, code: text } of code.modules) {
      factories.push(this.#factory(name, path, text, MODULE_PARAMETERS, known))
      yield text.length
    }
    const plan = { ...code, imports: code.modules.map((module) => new Map(Object.entries(module.imports))), order: [] }
    return loaded(kind, name, bytes, () => this.#evaluate(plan, factories))
  }

  #factory(image: string, path: string, text: string, parameters: readonly string[], known = false): Factory {
    const key = `${image}\n${path}\n${parameters.length}${parameters[0]}\n${text}`
    const cached = this.#factories.get(key)
    if (cached) {
      this.#factories.delete(key)
      this.#factories.set(key, cached)
      return cached
    }
    const [refusal] = known ? [] : verify(text, path, parameters)
    if (refusal) throw new ImageFault(`${refusal.path}:${refusal.line}: ${refusal.text}`, 'refused')
    let factory: Factory
    try {
      factory = compile(parameters, text, `${SOURCE_URL}${image}/${path}`)
    } catch {
      throw new ImageFault(`${path}:1: not accepted by this engine`, 'refused')
    }
    this.#factories.set(key, factory)
    this.#cachedChars += key.length
    for (const [oldest] of this.#factories) {
      if (this.#cachedChars <= CACHE_CHARS_MAX || oldest === key) break
      this.#factories.delete(oldest)
      this.#cachedChars -= oldest.length
    }
    return factory
  }

  *#evaluate(plan: EvaluationPlan, factories: readonly Factory[]): Generator<number, Record<string, unknown>> {
    const { cell, trap, guard } = this.fuel
    const { entry, modules, order } = plan
    if (order.length === 0) order.push(...importsFirst(entry, modules))
    const evaluated: (Record<string, unknown> | undefined)[] = []
    const evaluate = (index: number): Record<string, unknown> => {
      const known = evaluated[index]
      if (known) return known
      const exports = newExports()
      evaluated[index] = exports
      const imports = plan.imports[index]!
      const require = (specifier: unknown): unknown => {
        const wanted = imports.get(specifier as string)
        if (wanted === undefined) throw malformed('import of an unlisted module')
        return evaluate(wanted)
      }
      factories[index]!(require, exports, cell, trap, guard)
      return exports
    }
    for (const index of order) {
      evaluate(index)
      yield modules[index]!.code.length
    }
    return evaluate(entry)
  }
}

/**
 * What to say of `error`, thrown while image `image` ran. Runs no image code, whatever `error` is. Engines' own words are left out,
 * since no two engines use the same. `fuel`: where the fuel had run out, that is the reason, whatever was thrown after.
 */
export function crashReport(error: unknown, image: string, atNs: number, fuel?: Fuel): CrashReport {
  const thrown = fuel?.trapped() ?? error
  const above = linesAbove()
  const frames = framesOf(stackText(thrown) ?? '').map((frame) => ({ ...frame, line: frame.line - above }))
  return {
    image,
    message: crashMessage(thrown),
    file: frames[0]?.path,
    line: frames[0]?.line,
    stack: frames.map((frame) => `${frame.name} (${frame.path}:${frame.line})`),
    atNs,
  }
}

/** How many lines this engine puts above a function's body: asked of an error on the body's first line. */
function linesAbove(): number {
  const probe = compile(['a'], 'return new Error()', `${SOURCE_URL}probe/probe.ts`)
  return (framesOf(stackText(probe()) ?? '')[0]?.line ?? 1) - 1
}

function compile(parameters: readonly string[], text: string, url: string): Factory {
  return new FunctionConstructor(...parameters, `${STRICT}${text}\n//# sourceURL=${url}`)
}
