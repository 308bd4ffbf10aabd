/** What `kernel` and its like have put into memory: stage2's kernel_type, mbi and module list. */

export interface LoadedModule {
  readonly start: number
  /** First byte behind it. */
  readonly end: number
  /** The whole argument, the file's name first. */
  readonly commandLine: string
}

/** The section table of an ELF kernel, where it was put. */
export interface SectionTable {
  readonly count: number
  readonly entryBytes: number
  readonly address: number
  readonly stringIndex: number
}

export interface MultibootKernel {
  readonly kind: 'multiboot'
  readonly entry: number
  readonly commandLine: string
  /** The mbi's boot_device: drive in the top byte, then the partition word. */
  readonly bootDevice: number
  readonly sections: SectionTable | undefined
  /** Where the next module may begin. */
  free: number
  readonly modules: LoadedModule[]
}

export interface ChainLoader {
  readonly kind: 'chainloader'
}

export type Loaded = { readonly kind: 'none' } | MultibootKernel | ChainLoader

export const NOTHING: Loaded = { kind: 'none' }
