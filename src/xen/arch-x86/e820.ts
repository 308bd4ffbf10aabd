/** xen/arch/x86/e820.c: the map of RAM, made sane. Addresses are bytes; an end is exclusive. */
import type { E820Entry } from '#abi/pc/bios.ts'
import { E820_ACPI, E820_NVS, E820_RAM, E820_RESERVED, E820_UNUSABLE } from '#abi/pc/e820.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { hex } from '../common/lib.ts'

/** More entries than this are refused or leaked. */
export const E820MAX = 128

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [E820_RAM]: '(usable)',
  [E820_RESERVED]: '(reserved)',
  [E820_ACPI]: '(ACPI data)',
  [E820_NVS]: '(ACPI NVS)',
  [E820_UNUSABLE]: '(unusable)',
}

export const e820Line = ({ base, length, type }: E820Entry): string =>
  ` ${hex(base, 16)} - ${hex(base + length, 16)} ${TYPE_NAMES[type] ?? `type ${type}`}`

/**
 * sanitize_e820_map: no overlaps, in order of address. Where entries overlap the higher type wins; neighbours of one type become one.
 * A map of fewer than two entries, or with one that wraps, is left as it is.
 */
export function sanitizeE820(map: readonly E820Entry[]): readonly E820Entry[] {
  if (map.length < 2) return map
  const edges = new Set<number>()
  for (const { base, length } of map) {
    if (length === 0) continue
    edges.add(base)
    edges.add(base + length)
  }
  const points = [...edges].sort((a, b) => a - b)
  const clean: E820Entry[] = []
  for (let i = 0; i + 1 < points.length; i++) {
    const from = points[i]!
    const to = points[i + 1]!
    let type = 0
    for (const entry of map) {
      if (entry.base <= from && to <= entry.base + entry.length) type = Math.max(type, entry.type)
    }
    if (type === 0) continue
    const last = clean.at(-1)
    if (last && last.type === type && last.base + last.length === from)
      clean[clean.length - 1] = { base: last.base, length: to - last.base, type }
    else clean.push({ base: from, length: to - from, type })
  }
  return clean
}

/** copy_e820_map: RAM that the BIOS claims between 640K and 1M is a mistake. A single entry is not believed at all. */
export function copyE820(map: readonly E820Entry[]): E820Entry[] {
  if (map.length < 2) return []
  const copy: E820Entry[] = []
  for (const { base, length, type } of map) {
    const end = base + length
    let from = base
    if (type === E820_RAM && base < 0x100000 && end > 0xa0000) {
      if (base < 0xa0000) copy.push({ base, length: 0xa0000 - base, type })
      if (end <= 0x100000) continue
      from = 0x100000
    }
    copy.push({ base: from, length: end - from, type })
  }
  return copy.slice(0, E820MAX)
}

/** mem=: forget RAM from `limit` on. Says what it cut: `words` gets the kB that there were and that are left. */
export function clipE820(map: E820Entry[], limit: number, words: (from: number, to: number) => void): E820Entry[] {
  for (let i = 0; i < map.length; i++) {
    const { base, length, type } = map[i]!
    if (base + length <= limit) continue
    const { base: last, length: bytes } = map.findLast((entry) => entry.type === E820_RAM) ?? map[i]!
    words(Math.floor((last + bytes) / 1024), Math.floor(limit / 1024))
    return base >= limit ? map.slice(0, i) : [...map.slice(0, i), { base, length: limit - base, type }]
  }
  return map
}

/** reserve_e820_ram: take [start, end) out of the RAM entry that holds it; false when none does. */
export function reserveE820(map: E820Entry[], start: number, end: number): boolean {
  const at = map.findIndex(({ base, length }) => start >= base && end <= base + length)
  const entry = map[at]
  if (!entry || entry.type !== E820_RAM) return false
  const pieces = [
    { base: entry.base, length: start - entry.base, type: E820_RAM },
    { base: end, length: entry.base + entry.length - end, type: E820_RAM },
  ]
  map.splice(at, 1, ...pieces.filter((piece) => piece.length > 0))
  return true
}

/** One frame behind the last RAM. */
export function findMaxPage(map: readonly E820Entry[]): number {
  let max = 0
  for (const { base, length, type } of map) {
    if (type !== E820_RAM) continue
    const from = Math.ceil(base / PAGE_SIZE)
    const to = Math.floor((base + length) / PAGE_SIZE)
    if (from < to) max = Math.max(max, to)
  }
  return max
}

/** Whole frames of RAM entries: what Xen calls System RAM. */
export function ramPages(map: readonly E820Entry[]): number {
  let pages = 0
  for (const { length, type } of map) if (type === E820_RAM) pages += Math.floor(length / PAGE_SIZE)
  return pages
}
