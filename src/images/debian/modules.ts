/**
 * Kernel modules as a package has them: ELF objects whose section .modinfo says what each needs. depmod, which would gather that in modules.dep, runs
 * when a package is installed; these are only unpacked.
 */
import { byteString } from '#lib/utf8.ts'

export interface Module {
  /** Below /lib/modules/VERSION. */
  readonly path: string
  readonly bytes: Uint8Array
}

const ELF64_LITTLE = 0x00010102464c457fn
const SECTION_BYTES = 64

/** The module's own name: file names may have '-' where it has '_'. */
export const moduleName = (path: string): string =>
  path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.ko$/, '')
    .replaceAll('-', '_')

/** `key=value` of .modinfo, in their order. Error for what is no 64-bit ELF object with such a section. */
export function modinfo({ path, bytes }: Module): [key: string, value: string][] {
  const section = bytes.length > SECTION_BYTES ? sectionNamed(bytes, '.modinfo') : undefined
  if (!section) throw new Error(`${path} is no kernel module`)
  return byteString(section)
    .split('\0')
    .filter((text) => text.includes('='))
    .map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)])
}

function sectionNamed(bytes: Uint8Array, wanted: string): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if ((view.getBigUint64(0, true) & 0xffffffffffffffn) !== ELF64_LITTLE) return undefined
  const table = Number(view.getBigUint64(0x28, true))
  const count = view.getUint16(0x3c, true)
  const content = (number: number): Uint8Array => {
    const at = table + number * SECTION_BYTES
    const offset = Number(view.getBigUint64(at + 0x18, true))
    return bytes.subarray(offset, offset + Number(view.getBigUint64(at + 0x20, true)))
  }
  if (table + count * SECTION_BYTES > bytes.length) return undefined
  const names = byteString(content(view.getUint16(0x3e, true)))
  for (let number = 1; number < count; number++) {
    const nameAt = view.getUint32(table + number * SECTION_BYTES, true)
    if (names.slice(nameAt, names.indexOf('\0', nameAt)) === wanted) return content(number)
  }
  return undefined
}

/**
 * The paths to load, in order, for `wanted` (names): each after what it depends on. `find` gives the module of a name; undefined: it is part of
 * the kernel. What `before` says of a module is loaded ahead of it where it is there: needs that the module finds only as it runs.
 */
export function loadOrder(
  wanted: readonly string[],
  find: (name: string) => Module | undefined,
  before: Readonly<Record<string, readonly string[]>> = {},
): Module[] {
  const order: Module[] = []
  const seen = new Set<string>()
  const visit = (name: string): void => {
    if (seen.has(name)) return
    seen.add(name)
    const module = find(name)
    if (!module) return
    const depends = modinfo(module).flatMap(([key, value]) =>
      key === 'depends' && value !== '' ? value.split(',') : [],
    )
    for (const needed of [...(before[name] ?? []), ...depends]) visit(needed.replaceAll('-', '_'))
    order.push(module)
  }
  for (const name of wanted) visit(name)
  return order
}
