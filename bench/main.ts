/** `npm run bench`: what users wait for, as times and as multiples of the reference run beside them. */
import { benchBoot } from './boot.ts'
import { benchCpu } from './cpu.ts'
import { benchDebian } from './debian.ts'
import { benchDomu } from './domu.ts'
import { benchIdle } from './idle.ts'
import { benchMemory } from './memory.ts'
import { benchPrograms } from './programs.ts'
import { type Figure, referenceMs } from './reference.ts'
import { bench as benchToolchain } from './toolchain.ts'
import { benchXen } from './xen.ts'
import { benchXenstore } from './xenstore.ts'

export interface BenchParts {
  /** The default disk's container, and what building it takes. */
  readonly container: Uint8Array
  /** Hashes of its images, which need not be verified again. */
  readonly known: readonly string[]
  readonly page: () => Promise<readonly Figure[]>
  readonly pageDebian: () => Promise<readonly Figure[]>
  /** Which to run, by the names below. None: all of them. */
  readonly parts: readonly string[]
}

export async function main({ container, known, page, pageDebian, parts }: BenchParts): Promise<Figure[]> {
  const groups: Readonly<Record<string, () => Promise<readonly Figure[]> | readonly Figure[]>> = {
    boot: () => benchBoot(container, known),
    domu: () => benchDomu(container, known),
    xenstore: () => benchXenstore(container, known),
    idle: benchIdle,
    xen: () => benchXen(container, known),
    memory: benchMemory,
    cpu: benchCpu,
    programs: benchPrograms,
    debian: benchDebian,
    toolchain: benchToolchain,
    page,
    'page-debian': pageDebian,
  }
  const unknown = parts.find((part) => !Object.hasOwn(groups, part))
  if (unknown !== undefined) throw new Error(`no part '${unknown}': there are ${Object.keys(groups).join(', ')}`)
  const all: Figure[] = []
  for (const name of parts.length > 0 ? parts : Object.keys(groups)) {
    const before = referenceMs()
    const figures = await groups[name]!()
    const reference = (before + referenceMs()) / 2
    all.push(...figures.map((figure) => ({ ...figure, reference })))
  }
  return all
}
