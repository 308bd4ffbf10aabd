/** The part of the WebAssembly API that is used here; the world's type project has no DOM library. */

export interface WasmMemory {
  readonly buffer: ArrayBuffer
}
export interface WasmTable {
  readonly length: number
  grow(by: number): number
  set(index: number, value: unknown): void
}
export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>
}
/** Compiled, for any memory. */
export type WasmModule = object
type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>

declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => WasmModule
  readonly Instance: new (module: WasmModule, imports: Imports) => WasmInstance
}

/** At once: a worker may, whatever the size. */
export const compile = (bytes: Uint8Array<ArrayBuffer>): WasmModule => new WebAssembly.Module(bytes)

export const link = (
  module: WasmModule,
  memory: WasmMemory,
  functions: Readonly<Record<string, unknown>>,
): WasmInstance => new WebAssembly.Instance(module, { m: { memory }, f: functions })

export const instantiate = (
  bytes: Uint8Array<ArrayBuffer>,
  memory: WasmMemory,
  functions: Readonly<Record<string, unknown>>,
): WasmInstance => link(compile(bytes), memory, functions)
