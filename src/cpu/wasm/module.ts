/** A WebAssembly module, section by section (WebAssembly Core Specification, 5.5). Imported functions come before own ones, as their indices do. */
import { Bytes } from './bytes.ts'
import { FUNCREF, type ValueType } from './opcodes.ts'

const TYPE = 1
const IMPORT = 2
const FUNCTION = 3
const TABLE = 4
const EXPORT = 7
const CODE = 10

const END = 0x0b

const KIND_FUNCTION = 0
const KIND_TABLE = 1
const KIND_MEMORY = 2

export type Signature = readonly [parameters: readonly ValueType[], results: readonly ValueType[]]

interface Own {
  readonly type: number
  readonly locals: readonly (readonly [count: number, type: ValueType])[]
  readonly code: Uint8Array
}

export class ModuleBuilder {
  readonly #types: Signature[] = []
  readonly #typeNumbers = new Map<string, number>()
  readonly #imports: { readonly name: string; readonly type: number }[] = []
  readonly #functions: Own[] = []
  readonly #exports: { readonly name: string; readonly kind: number; readonly index: number }[] = []
  #table = 0

  /** A function type's number. */
  type(signature: Signature): number {
    const key = `${signature[0]}>${signature[1]}`
    const known = this.#typeNumbers.get(key)
    if (known !== undefined) return known
    this.#typeNumbers.set(key, this.#types.length)
    return this.#types.push(signature) - 1
  }

  /** A function `name` of the module `f`; its index. All imports before the first function of its own. */
  importFunction(name: string, signature: Signature): number {
    if (this.#functions.length > 0) throw new Error('imports come first')
    return this.#imports.push({ name, type: this.type(signature) }) - 1
  }

  /** `code`: instructions without the last `end`; locals behind the parameters. The function's index. */
  add(signature: Signature, locals: readonly ValueType[], code: Uint8Array): number {
    const runs: [count: number, type: ValueType][] = []
    for (const type of locals) {
      const last = runs.at(-1)
      if (last?.[1] === type) last[0]++
      else runs.push([1, type])
    }
    this.#functions.push({ type: this.type(signature), locals: runs, code })
    return this.#imports.length + this.#functions.length - 1
  }

  exportFunction(name: string, index: number): void {
    this.#exports.push({ name, kind: KIND_FUNCTION, index })
  }

  /** Its own table of functions, exported as `table`. */
  exportTable(entries: number): void {
    this.#table = entries
    this.#exports.push({ name: 'table', kind: KIND_TABLE, index: 0 })
  }

  /** The module's bytes. It imports `m.memory` of at least one page. */
  finish(): Uint8Array<ArrayBuffer> {
    const out = new Bytes()
    out.append(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))
    section(out, TYPE, (part) => {
      part.unsigned(this.#types.length)
      for (const [parameters, results] of this.#types) {
        part.byte(0x60)
        for (const list of [parameters, results]) {
          part.unsigned(list.length)
          for (const type of list) part.byte(type)
        }
      }
    })
    section(out, IMPORT, (part) => {
      part.unsigned(this.#imports.length + 1)
      part.name('m')
      part.name('memory')
      part.append(new Uint8Array([KIND_MEMORY, 0, 1]))
      for (const { name, type } of this.#imports) {
        part.name('f')
        part.name(name)
        part.byte(KIND_FUNCTION)
        part.unsigned(type)
      }
    })
    section(out, FUNCTION, (part) => {
      part.unsigned(this.#functions.length)
      for (const { type } of this.#functions) part.unsigned(type)
    })
    if (this.#table > 0)
      section(out, TABLE, (part) => {
        part.append(new Uint8Array([1, FUNCREF, 0]))
        part.unsigned(this.#table)
      })
    section(out, EXPORT, (part) => {
      part.unsigned(this.#exports.length)
      for (const { name, kind, index } of this.#exports) {
        part.name(name)
        part.byte(kind)
        part.unsigned(index)
      }
    })
    section(out, CODE, (part) => {
      part.unsigned(this.#functions.length)
      const head = new Bytes()
      for (const { locals, code } of this.#functions) {
        head.clear()
        head.unsigned(locals.length)
        for (const [count, type] of locals) {
          head.unsigned(count)
          head.byte(type)
        }
        part.unsigned(head.length + code.length + 1)
        part.append(head.view)
        part.append(code)
        part.byte(END)
      }
    })
    return out.view
  }
}

function section(out: Bytes, id: number, write: (part: Bytes) => void): void {
  const part = new Bytes()
  write(part)
  out.byte(id)
  out.unsigned(part.length)
  out.append(part.view)
}
