/**
 * Translated code as a file: what one process has recorded (`Library.isRecording`), for others to begin with. Little-endian: MAGIC, the length of a description in JSON, that,
 * and for each module its bytes and those of its regions' pieces, one after the other.
 *
 * It is only for processes with the same src/cpu: where state lies, what helpers mean and what the code assumes has no version of its own. Whoever hands it out compares
 * (scripts/translations.mjs).
 */

import { utf8Decode, utf8Encode } from '#lib/utf8.ts'
import type { Mode } from '../isa/insn.ts'
import { helperNamed } from '../semantics/helper.ts'
import type { ImportedHelper, KeptModule, KeptRegion, Library, Piece } from './library.ts'

const MAGIC = 0x54504c58

interface Description {
  readonly modules: readonly {
    readonly bytes: number
    readonly helpers: readonly ImportedHelper[]
    readonly regions: readonly RegionDescription[]
  }[]
}
/** Its number, address (hexadecimal), mode, whether it is whole, pieces: page, offset, length. */
type RegionDescription = readonly [
  number: number,
  rip: string,
  mode: Mode,
  isWhole: boolean,
  pieces: readonly (readonly [number, number, number])[],
]

export function writeTranslations(library: Library): Uint8Array<ArrayBuffer> {
  const modules = new Map<KeptModule, KeptRegion[]>()
  for (const region of library.all) {
    const others = modules.get(region.module)
    if (others) others.push(region)
    else modules.set(region.module, [region])
  }
  const parts: Uint8Array[] = []
  const described = [...modules].map(([{ bytes, helpers }, regions]) => {
    if (!bytes) throw new Error('its modules have not kept their bytes')
    parts.push(bytes)
    return { bytes: bytes.length, helpers, regions: regions.map((region) => describe(region, parts)) }
  })
  const json = utf8Encode(JSON.stringify({ modules: described } satisfies Description))
  const length = parts.reduce((sum, { length }) => sum + length, 8 + json.length)
  const file = new Uint8Array(length)
  const view = new DataView(file.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, json.length, true)
  file.set(json, 8)
  let at = 8 + json.length
  for (const part of parts) {
    file.set(part, at)
    at += part.length
  }
  return file
}

function describe({ number, rip, mode, isWhole, pieces }: KeptRegion, parts: Uint8Array[]): RegionDescription {
  for (const { bytes } of pieces) parts.push(bytes)
  return [
    number,
    rip.toString(16),
    mode,
    isWhole,
    pieces.map(({ page, offset, bytes }) => [page, offset, bytes.length]),
  ]
}

/** Throws where the file is none, or is not whole. */
export function readTranslations(file: Uint8Array<ArrayBuffer>): KeptRegion[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < 8 || view.getUint32(0, true) !== MAGIC) throw new Error('this is not translated code')
  let at = 8 + view.getUint32(4, true)
  const take = (length: number): Uint8Array<ArrayBuffer> => {
    if (at + length > file.length) throw new Error('translated code ends early')
    at += length
    return file.subarray(at - length, at)
  }
  const { modules } = JSON.parse(utf8Decode(file.subarray(8, at))) as Description
  const regions: KeptRegion[] = []
  for (const { bytes, helpers, regions: described } of modules) {
    for (const { name } of helpers) if (!helperNamed(name)) throw new Error(`there is no helper ${name}`)
    const module: KeptModule = { compiled: undefined, helpers, bytes: take(bytes) }
    for (const [number, rip, mode, isWhole, places] of described) {
      const pieces = places.map(([page, offset, length]): Piece => ({ page, offset, bytes: take(length) }))
      regions.push({ rip: BigInt(`0x${rip}`), mode, pieces, module, number, isWhole })
    }
  }
  return regions
}
