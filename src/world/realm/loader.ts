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
import { importsFirst } from './imports-first.ts'
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
  /** The header. */
  readonly key: string
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

/** How many bytes of images are remembered whole. */
const IMAGES_BYTES_MAX = 24 << 20

/** Kinds whose code is a function body that fits a sector. */
const SECTOR_CODE_BYTES_MAX = 512

/** What each evaluation of an image needs to know of it, found out once. */
interface EvaluationPlan extends ImageCode {
  readonly kind: ImageKind
  /** By module: what `require` takes to index. */
  readonly imports: readonly ReadonlyMap<unknown, number>[]
  /** `importsFirst`; empty until the first evaluation. */
  readonly order: number[]
}

type Factory = (...parameters: unknown[]) => unknown

/** An image that has been compiled: whoever loads the same bytes again gets this. */
interface CompiledImage extends ParsedImage {
  readonly kept: { readonly plan: EvaluationPlan; readonly factories: readonly Factory[] }
}

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

/** Whether an image begins at `at`, right or wrong. */
export function hasHeader(mem: Mem, at: number): boolean {
  try {
    return image_header.fields.magic.get(memOf(mem.copyOut(at, image_header.size)), 0) === IMAGE_MAGIC
  } catch {
    return false
  }
}

/** Read the header at `at` and the code behind it. `before`: an image of the same header, if there is one. Throws ImageFault. */
export function parseImage<T extends ParsedImage>(
  mem: Mem,
  at = 0,
  before?: (key: string) => T | undefined,
): ParsedImage | T {
  const headerBytes = take(mem, at, image_header.size)
  const header = image_header.read(memOf(headerBytes), 0)
  if (header.magic !== IMAGE_MAGIC) throw new ImageFault('no image header here', 'no image header')
  if (header.abi !== IMAGE_ABI)
    throw new ImageFault(`image built for ABI ${header.abi}, this machine has ${IMAGE_ABI}`, 'wrong ABI')
  if (header.kind < ImageKind.bootSector || header.kind > ImageKind.program) throw malformed('kind')
  if (header.code_offset < image_header.size || header.code_bytes > CODE_BYTES_MAX) throw malformed('code')
  const end = header.code_offset + header.code_bytes
  const key = String.fromCharCode(...headerBytes)
  const code = take(mem, at + header.code_offset, header.code_bytes)
  const same = before?.(key)
  if (same && sameBytes(same.codeBytes, code)) return same
  if (crc32(code) !== header.code_crc32) throw new ImageFault('image is damaged: bad checksum', 'bad checksum')
  const text = utf8Decode(code)
  const name = String.fromCharCode(...header.name).replace(/\0.*$/s, '')
  if (!/^[\w.-]+$/.test(name)) throw malformed('name')
  return {
    kind: header.kind as ImageKind,
    name,
    key,
    bytes: end,
    code: isSector(header.kind, text) ? text : moduleTable(text),
    codeBytes: code,
  }
}

/** Word by word: images are hundreds of KiB, and every guest loads the same ones. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  const words = a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0 ? a.length >>> 2 : 0
  const left = new Int32Array(a.buffer, words ? a.byteOffset : 0, words)
  const right = new Int32Array(b.buffer, words ? b.byteOffset : 0, words)
  for (let i = 0; i < words; i++) if (left[i] !== right[i]) return false
  for (let i = words * 4; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
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
    if (!Object.values(imports).every((one) => isIndex(one) || (Array.isArray(imports) && typeof one === 'string')))
      throw malformed('imports')
  }
  const named = modules as (ImageModule | ListedImports)[]
  const byPath = new Map(named.map(({ path }, index) => [path, index]))
  return { entry, modules: named.map((module) => (isListed(module) ? indexed(module, byPath) : module)) }
}

/** A module whose imports are a list: of indices, or of specifiers, whose meaning follows from its path. */
type ListedImports = Omit<ImageModule, 'imports'> & { readonly imports: readonly unknown[] }

const isListed = (module: ImageModule | ListedImports): module is ListedImports => Array.isArray(module.imports)

function indexed({ path, code, imports }: ListedImports, byPath: ReadonlyMap<string, number>): ImageModule {
  const indices: Record<string, number> = {}
  for (const [at, one] of imports.entries()) {
    const index = typeof one === 'string' ? byPath.get(resolveSpecifier(path, one) ?? '') : one
    if (index === undefined) throw malformed('imports')
    indices[typeof one === 'string' ? one : at] = index as number
  }
  return { path, code, imports: indices }
}

/** What a module may `require`: its imports by their place among them, as cc writes it, and by name. */
const callable = (imports: ImageModule['imports']): ReadonlyMap<unknown, number> =>
  new Map<unknown, number>([...Object.entries(imports), ...Object.values(imports).entries()])

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
  /** By header. Oldest use first. */
  readonly #images = new Map<string, CompiledImage>()
  #imageBytes = 0
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
    const parsed = parseImage(mem, at, (key) => this.#images.get(key))
    const { kind, name, bytes, code, codeBytes } = parsed
    if ('kept' in parsed) {
      const { plan, factories } = parsed.kept
      yield bytes
      for (const { code: text } of plan.modules) yield text.length
      this.#keep(parsed)
      return loaded(kind, name, bytes, () => this.#evaluate(plan, factories))
    }
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
    const imports = code.modules.map((module) => callable(module.imports))
    const plan = { ...code, kind, imports, order: [] }
    this.#keep({ ...parsed, kept: { plan, factories } })
    return loaded(kind, name, bytes, () => this.#evaluate(plan, factories))
  }

  /** As the last one used. */
  #keep(image: CompiledImage): void {
    const { key } = image
    const old = this.#images.get(key)
    if (old) this.#imageBytes -= old.codeBytes.length
    this.#images.delete(key)
    this.#images.set(key, image)
    this.#imageBytes += image.codeBytes.length
    for (const [oldest, { codeBytes }] of this.#images) {
      if (this.#imageBytes <= IMAGES_BYTES_MAX || oldest === key) break
      this.#images.delete(oldest)
      this.#imageBytes -= codeBytes.length
    }
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
    // A program's modules come when they are asked for: some wait for their first use (cc's lazyImports).
    if (plan.kind !== ImageKind.program && order.length === 0) order.push(...importsFirst(entry, modules))
    const evaluated: (Record<string, unknown> | undefined)[] = []
    const evaluate = (index: number): Record<string, unknown> => {
      const known = evaluated[index]
      if (known) return known
      const exports = newExports()
      evaluated[index] = exports
      const imports = plan.imports[index]!
      const require = (which: unknown): unknown => {
        const wanted = imports.get(which)
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
