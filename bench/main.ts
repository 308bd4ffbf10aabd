/** `npm run bench`: what users wait for, as times and as multiples of the reference run beside them. */
import { benchBoot } from './boot.ts'
import { benchDomu } from './domu.ts'
import { benchIdle } from './idle.ts'
import { benchMemory } from './memory.ts'
import { type Figure, referenceMs } from './reference.ts'
import { bench as benchToolchain } from './toolchain.ts'
import { benchXen } from './xen.ts'

export interface BenchParts {
  /** The default disk's container, and what building it takes. */
  readonly container: Uint8Array
  /** Hashes of its images, which need not be verified again. */
  readonly known: readonly string[]
  readonly page: () => Promise<readonly Figure[]>
  readonly pageOnly: boolean
}

export async function main({ container, known, page, pageOnly }: BenchParts): Promise<Figure[]> {
  const machine: (() => Promise<readonly Figure[]> | readonly Figure[])[] = [
    () => benchBoot(container, known),
    () => benchDomu(container, known),
    benchIdle,
    () => benchXen(container, known),
    benchMemory,
    benchToolchain,
  ]
  const groups = pageOnly ? [page] : [...machine, page]
  const all: Figure[] = []
  for (const group of groups) {
    const before = referenceMs()
    const figures = await group()
    const reference = (before + referenceMs()) / 2
    all.push(...figures.map((figure) => ({ ...figure, reference })))
  }
  return all
}
