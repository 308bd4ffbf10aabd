/** The virtual file system's insides, for file systems and drivers that put files into its cache. */
import type { Kernel } from '../kernel.ts'
import type { VfsCore } from './core.ts'

export const vfsOf = (kernel: Kernel): VfsCore => (kernel.vfs as unknown as { readonly core: VfsCore }).core
