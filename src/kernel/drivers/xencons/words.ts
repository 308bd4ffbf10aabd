/** `xencons=` and `console=` of the command line (linux-2.6.18-xen: drivers/xen/console/console.c, kernel/printk.c). */
import type { Kernel } from '../../kernel.ts'

export interface XenconsMode {
  /** `tty`, `ttyS` or `xvc`. */
  readonly name: 'tty' | 'ttyS' | 'xvc'
  readonly index: number
}

/** Where the console appears: XC_XVC 0 unless told otherwise. Undefined: `off`. */
export function xenconsMode(kernel: Kernel): XenconsMode | undefined {
  const word = kernel.params.get('xencons')
  const match = /^(ttyS|tty|xvc)(\d*)$/.exec(word ?? 'xvc')
  if (word === 'off') return undefined
  // xencons_setup: what is no known word changes nothing.
  const name = (match?.[1] ?? 'xvc') as XenconsMode['name']
  const index = match?.[2] ? Number(match[2]) : name === 'tty' ? 1 : 0
  return { name, index }
}

/** xencons_bufsz=, rounded up to a power of two of at least a page. */
export function bufferBytes(kernel: Kernel): number {
  let bytes = 4096
  const wanted = Math.min(Number(kernel.params.get('xencons_bufsz') ?? 0), 1 << 16)
  while (bytes < wanted) bytes *= 2
  return bytes
}
