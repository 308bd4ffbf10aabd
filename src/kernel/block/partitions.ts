/** Partition tables (Linux: fs/partitions/msdos.c): the four of the MBR, and the logical ones chained through an extended one, from 5 on. */
import type { Sleeping } from '../sched/wait.ts'

export interface Found {
  readonly number: number
  readonly start: number
  readonly sectors: number
  /** Contains logical ones: shown as `hda2 < hda5 >`; two sectors long, for LILO. */
  readonly logical: readonly Found[]
}

const TABLE = 446
const ENTRY_BYTES = 16
const SIGNATURE_AT = 510
const EXTENDED = [0x05, 0x0f, 0x85]
/** As many links of the chain are followed. */
const LOGICAL_MAX = 60

interface Entry {
  readonly type: number
  readonly start: number
  readonly sectors: number
}

/** `read` gives one sector. Undefined: no table there. */
export function* readTable(
  read: (sector: number) => Sleeping<Uint8Array>,
  diskSectors: number,
): Sleeping<Found[] | undefined> {
  const entries = entriesOf(yield* read(0))
  if (!entries) return undefined
  const found: Found[] = []
  let next = 5
  for (let i = 0; i < 4; i++) {
    const { type, start, sectors } = entries[i]!
    if (type === 0 || sectors === 0 || start >= diskSectors) continue
    if (!EXTENDED.includes(type)) {
      found.push({ number: i + 1, start, sectors: Math.min(sectors, diskSectors - start), logical: [] })
      continue
    }
    const logical = yield* readChain(read, start, diskSectors, next)
    next += logical.length
    found.push({ number: i + 1, start, sectors: Math.min(2, sectors), logical })
  }
  return found
}

function entriesOf(sector: Uint8Array): Entry[] | undefined {
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength)
  if (view.getUint16(SIGNATURE_AT, true) !== 0xaa55) return undefined
  // A boot sector of a file system has the signature too: its flags are no flags.
  for (let i = 0; i < 4; i++) if ((sector[TABLE + i * ENTRY_BYTES]! & 0x7f) !== 0) return undefined
  return [0, 1, 2, 3].map((i) => {
    const at = TABLE + i * ENTRY_BYTES
    return { type: sector[at + 4]!, start: view.getUint32(at + 8, true), sectors: view.getUint32(at + 12, true) }
  })
}

function* readChain(
  read: (sector: number) => Sleeping<Uint8Array>,
  first: number,
  diskSectors: number,
  number: number,
): Sleeping<Found[]> {
  const logical: Found[] = []
  let at = first
  while (logical.length < LOGICAL_MAX && at < diskSectors) {
    const entries = entriesOf(yield* read(at))
    if (!entries) break
    let link = 0
    for (const { type, start, sectors } of entries) {
      if (sectors === 0 || type === 0) continue
      if (EXTENDED.includes(type)) link = first + start
      else if (at + start + sectors <= diskSectors)
        logical.push({ number: number + logical.length, start: at + start, sectors, logical: [] })
    }
    if (link === 0 || link <= at) break
    at = link
  }
  return logical
}
