/**
 * Where panels stand on a wide screen, in our own words: a tree of rows and columns whose leaves are groups of tabs. This is what is saved, under
 * a version, and judged strictly when it is read back: half an arrangement would be worse than the default.
 */
import { isDomainConsole, type PanelId, type PanelRow } from '../panels/registry.ts'

export interface TabGroup {
  readonly tabs: readonly PanelId[]
  /** The tab in front. */
  readonly front: PanelId
  /** Share of the row or column that it stands in; what counts is its proportion to its neighbours'. */
  readonly size: number
}

export interface Split {
  /** In the other direction than the split around it; the outermost is a row. */
  readonly parts: readonly Part[]
  readonly size: number
}

export type Part = TabGroup | Split

export const isSplit = (part: Part): part is Split => 'parts' in part

/** The outermost row. */
export type Arrangement = Split

const version = 1
const depthMax = 8

/** Consoles get this much of the dock's width, the rest the panels at the right. */
const middleShare = 0.71

export function defaultArrangement(rows: readonly PanelRow[]): Arrangement {
  const group = (place: PanelRow['place'], size: number): TabGroup[] => {
    const tabs: PanelId[] = rows.filter((row) => row.place === place).map((row) => row.id)
    const [front] = tabs
    return front === undefined ? [] : [{ tabs, front, size }]
  }
  return { parts: [...group('middle', middleShare), ...group('right', 1 - middleShare)], size: 1 }
}

export function groupsOf(part: Part): readonly TabGroup[] {
  return isSplit(part) ? part.parts.flatMap(groupsOf) : [part]
}

/** What is worth keeping: domains come and go, their consoles are not restored. */
export function withoutDomainConsoles(arrangement: Arrangement): Arrangement {
  const prune = (part: Part): Part[] => {
    if (isSplit(part)) {
      const parts = part.parts.flatMap(prune)
      return parts.length === 0 ? [] : [{ ...part, parts }]
    }
    const tabs: PanelId[] = part.tabs.filter((id) => !isDomainConsole(id))
    const front = tabs.includes(part.front) ? part.front : tabs[0]
    return front === undefined ? [] : [{ ...part, tabs, front }]
  }
  return { ...arrangement, parts: arrangement.parts.flatMap(prune) }
}

export function writeArrangement(arrangement: Arrangement): string {
  return JSON.stringify({ version, ...withoutDomainConsoles(arrangement) })
}

/** The arrangement that `text` holds, if it is one of exactly the panels `known`, each once. */
export function readArrangement(text: string | null, known: readonly PanelId[]): Arrangement | undefined {
  if (text === null) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(value) || value['version'] !== version) return undefined
  const outermost = readPart(value, known, 0)
  if (!outermost || !isSplit(outermost)) return undefined
  const found = groupsOf(outermost).flatMap((group) => group.tabs)
  const complete = found.length === known.length && new Set(found).size === known.length
  return complete ? outermost : undefined
}

function readPart(value: unknown, known: readonly PanelId[], depth: number): Part | undefined {
  if (!isRecord(value) || depth > depthMax) return undefined
  const { parts, tabs, front, size } = value
  if (typeof size !== 'number' || !Number.isFinite(size) || size <= 0) return undefined
  if (Array.isArray(parts)) {
    const read = parts.map((part) => readPart(part, known, depth + 1))
    if (read.length === 0 || !read.every((part) => part !== undefined)) return undefined
    return { parts: read, size }
  }
  if (!Array.isArray(tabs)) return undefined
  const ids = tabs.map((tab) => known.find((id) => id === tab))
  if (!ids.every((id) => id !== undefined)) return undefined
  const inFront = ids.find((id) => id === front)
  return inFront === undefined ? undefined : { tabs: ids, front: inFront, size }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
