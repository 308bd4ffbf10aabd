/** What a Mem access costs beside a plain DataView. */
import { createMemory } from '#machine/memory.ts'
import { type Figure, median, millis } from './reference.ts'

const ACCESSES = 4_000_000

export function benchMemory(): Figure[] {
  const figures: Figure[] = []
  const plain = new DataView(new ArrayBuffer(1 << 20))
  const { mem } = createMemory(64)
  const perAccess = (run: () => number): number => median(5, () => millis(run)) * (1e6 / ACCESSES)
  figures.push({
    name: 'DataView.getUint32',
    unit: 'ns',
    value: perAccess(() => {
      let sum = 0
      for (let i = 0; i < ACCESSES; i++) sum = (sum + plain.getUint32((i * 4) & 0xffffc, true)) | 0
      return sum
    }),
  })
  figures.push({
    name: 'Mem.read32 of RAM',
    unit: 'ns',
    value: perAccess(() => {
      let sum = 0
      for (let i = 0; i < ACCESSES; i++) sum = (sum + mem.read32(0x200000 + ((i * 4) & 0xffffc))) | 0
      return sum
    }),
  })
  figures.push({
    name: 'Mem.write32 of RAM',
    unit: 'ns',
    value: perAccess(() => {
      for (let i = 0; i < ACCESSES; i++) mem.write32(0x200000 + ((i * 4) & 0xffffc), i)
      return 0
    }),
  })
  return figures
}
