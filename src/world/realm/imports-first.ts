/** In which order an image's modules are evaluated. */
import type { ImageModule } from '#abi/image.ts'

/**
 * The modules that `entry` reaches, each behind what it imports, as evaluation would come to them; those in import cycles are left out, since where a cycle is entered decides
 * who sees whom unfinished. Tarjan's strongly connected components, without recursion.
 */
export function importsFirst(entry: number, modules: readonly ImageModule[]): number[] {
  const order: number[] = []
  const seenAt = new Map<number, number>()
  const lowest = new Map<number, number>()
  const open: number[] = []
  const isOpen = new Set<number>()
  const path: { readonly index: number; readonly imports: number[] }[] = []
  const enter = (index: number): void => {
    seenAt.set(index, seenAt.size)
    lowest.set(index, seenAt.size - 1)
    open.push(index)
    isOpen.add(index)
    path.push({ index, imports: Object.values(modules[index]!.imports).reverse() })
  }
  const lower = (index: number, to: number): void => {
    if (to < lowest.get(index)!) lowest.set(index, to)
  }
  enter(entry)
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const next = top.imports.pop()
    if (next !== undefined) {
      if (!seenAt.has(next)) enter(next)
      else if (isOpen.has(next)) lower(top.index, seenAt.get(next)!)
      continue
    }
    path.pop()
    const { index } = top
    const importer = path.at(-1)
    if (importer) lower(importer.index, lowest.get(index)!)
    if (lowest.get(index) !== seenAt.get(index)) continue
    const cycle = open.splice(open.lastIndexOf(index))
    for (const member of cycle) isOpen.delete(member)
    if (cycle.length === 1 && !Object.values(modules[index]!.imports).includes(index)) order.push(index)
  }
  return order
}
