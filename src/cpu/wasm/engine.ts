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
type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>

declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (module: object, imports: Imports) => WasmInstance
}

/** Compiles and instantiates at once: a worker may, whatever the size. */
export function instantiate(
  bytes: Uint8Array<ArrayBuffer>,
  memory: WasmMemory,
  functions: Readonly<Record<string, unknown>>,
): WasmInstance {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { memory }, f: functions })
}
