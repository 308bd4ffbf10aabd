/** WebAssembly modules of regions, and what they import: one function for the TLB's misses, one for lazy flags, and the helpers. */
import { Fault } from '../fault.ts'
import type { Helper } from '../semantics/emitter.ts'
import { helperNamed, isCalculation } from '../semantics/helper.ts'
import type { Bytes } from '../wasm/bytes.ts'
import { compile, link, type WasmMemory } from '../wasm/engine.ts'
import { ModuleBuilder, type Signature } from '../wasm/module.ts'
import { I32, I64, V128 } from '../wasm/opcodes.ts'
import { ASKED_SIGNATURE, createCalculation } from './calculation.ts'
import type { ImportedHelper, KeptModule } from './library.ts'
import { createMiss, MISS_SIGNATURE } from './miss.ts'
import type { Region } from './region.ts'
import { type Written, writeRegion } from './region-writer.ts'
import { REGION_SIGNATURE } from './state-writer.ts'
import type { Translating } from './translator.ts'

const FLAGS_SIGNATURE: Signature = [[I32, I64, I64], [I32]]

const importNameOf = ({ name, signature: [parameters, results] }: ImportedHelper): string =>
  `${name} ${parameters}>${results}`
/** Of a module's region in its exports. */
const exportNameOf = (number: number): string => `r${number}`

/** `isKept`: for other processes too. */
export function makeModule(regions: readonly Region[], scratch: Bytes, isKept: boolean): KeptModule {
  const module = new ModuleBuilder()
  const miss = module.importFunction('miss', MISS_SIGNATURE)
  const flags = module.importFunction('flags', FLAGS_SIGNATURE)
  const helpers: ImportedHelper[] = []
  const imported = new Map<string, number>()
  const helper = ({ helperName: name }: Helper, signature: Signature): number => {
    const wanted = { name, signature }
    const importName = importNameOf(wanted)
    const known = imported.get(importName)
    if (known !== undefined) return known
    const index = module.importFunction(importName, signature)
    imported.set(importName, index)
    helpers.push(wanted)
    return index
  }
  // All imports come before the first function.
  const written: Written[] = regions.map((region) => writeRegion(region, { miss, flags, helper }, scratch))
  for (const [number, { locals, code }] of written.entries())
    module.exportFunction(exportNameOf(number), module.add(REGION_SIGNATURE, locals, code))
  const bytes = module.finish()
  return { compiled: compile(bytes), helpers, bytes: isKept ? bytes.slice() : undefined }
}

/** Modules as one memory has them. */
export class Modules {
  readonly #memory: WasmMemory
  readonly #flags: unknown
  readonly #current: () => Translating
  readonly #miss: unknown
  readonly #linked = new Map<KeptModule, Readonly<Record<string, unknown>>>()
  readonly #callable = new Map<string, unknown>()

  /** `flags`: the runtime's; `current`: whose code is running. */
  constructor(memory: WasmMemory, flags: unknown, current: () => Translating) {
    this.#memory = memory
    this.#flags = flags
    this.#current = current
    this.#miss = createMiss(memory, (low, high, what) => current().address(low, high, what))
  }

  /** A region's function. */
  functionOf(module: KeptModule, number: number): unknown {
    return this.#exportsOf(module)[exportNameOf(number)]
  }

  #exportsOf(module: KeptModule): Readonly<Record<string, unknown>> {
    const known = this.#linked.get(module)
    if (known) return known
    const functions: Record<string, unknown> = { miss: this.#miss, flags: this.#flags }
    for (const each of module.helpers) functions[importNameOf(each)] = this.#helper(each)
    module.compiled ??= compile(module.bytes!)
    const { exports } = link(module.compiled, this.#memory, functions)
    this.#linked.set(module, exports)
    return exports
  }

  /** What a module that imports it is given. */
  #helper(wanted: ImportedHelper): unknown {
    const key = importNameOf(wanted)
    const known = this.#callable.get(key)
    if (known) return known
    const helper = helperNamed(wanted.name)
    if (!helper) throw new Error(`there is no helper ${wanted.name}`)
    const made =
      isCalculation(helper) && wanted.signature[0].includes(V128)
        ? createCalculation(this.#memory, helper, this.#helper({ ...wanted, signature: ASKED_SIGNATURE }))
        : this.#called(helper, wanted.signature)
    this.#callable.set(key, made)
    return made
  }

  /** A helper as WebAssembly calls it: numbers without sign, faults told. */
  #called(helper: Helper, [, [result]]: Signature): unknown {
    return (...args: (number | bigint)[]): number | bigint => {
      const cpu = this.#current()
      try {
        const given = args.map((arg) => (typeof arg === 'bigint' ? BigInt.asUintN(64, arg) : arg >>> 0))
        const value = helper(cpu, ...given)
        cpu.helped()
        return value ?? (result === I64 ? 0n : 0)
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        cpu.faulted(error)
        return result === I64 ? 0n : 0
      }
    }
  }
}
