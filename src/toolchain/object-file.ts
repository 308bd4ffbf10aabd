/** What cc makes of one source file and ld takes: a `.o`. Plain data, so that it can lie on a disk as JSON. */

/** One `import` or `export ... from` of a file: what it asks of another. */
export interface ObjectImport {
  /** As written: './ring.ts', '#abi/xen/sched.ts'. */
  readonly specifier: string
  readonly line: number
  readonly column: number
  /** Undefined symbols; a namespace import asks for none by name. */
  readonly names: readonly { readonly name: string; readonly line: number }[]
}

export interface ObjectFile {
  /** Relative to src/: 'xen/setup.ts'. */
  readonly path: string
  /** CommonJS body, fuel counted, line for line the source. */
  readonly code: string
  readonly imports: readonly ObjectImport[]
  /** Defined symbols, in source order. */
  readonly exports: readonly string[]
}

const PATH = /^[A-Za-z0-9_][\w.-]*(?:\/[A-Za-z0-9_][\w.-]*)*$/

/** Paths appear in stack traces and panics, so they hold nothing that a trace's reader could mistake. */
export const isSourcePath = (path: string): boolean => path.length <= 200 && PATH.test(path)
