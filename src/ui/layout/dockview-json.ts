/** Between our arrangement and dockview's own serialised form, which knows sizes in pixels of one window and ids of groups. */
import type { SerializedDockview } from 'dockview-react'
import { isPanelId, type PanelId } from '../panels/registry.ts'
import { type Arrangement, isSplit, type Part } from './arrangement.ts'

type GridNode = SerializedDockview['grid']['root']

const horizontal = 'HORIZONTAL' as SerializedDockview['grid']['orientation']

export function toDockview(
  arrangement: Arrangement,
  box: { readonly width: number; readonly height: number },
  title: (id: PanelId) => string,
): SerializedDockview {
  const panels: SerializedDockview['panels'] = {}
  let groups = 0
  /** `along`: the length of the row or column that the parts share; `across`: the other measure of it. */
  const node = (part: Part, size: number, across: number): GridNode => {
    if (isSplit(part)) {
      const total = part.parts.reduce((sum, { size }) => sum + size, 0)
      const data = part.parts.map((inner) => node(inner, (inner.size / total) * across, size))
      return { type: 'branch', size, data }
    }
    for (const id of part.tabs) panels[id] = { id, contentComponent: 'panel', tabComponent: 'tab', title: title(id) }
    groups++
    return { type: 'leaf', size, data: { id: `group-${groups}`, views: [...part.tabs], activeView: part.front } }
  }
  const root = node(arrangement, box.height, box.width)
  return { grid: { root, ...box, orientation: horizontal }, panels, activeGroup: 'group-1' }
}

/** Undefined for what is no arrangement of ours: an outermost column becomes a row of that one column. */
export function fromDockview({ grid }: SerializedDockview): Arrangement | undefined {
  const part = fromNode(grid.root)
  if (!part || !isSplit(part)) return undefined
  return grid.orientation === horizontal ? part : { parts: [part], size: 1 }
}

function fromNode({ data, size = 1 }: GridNode): Part | undefined {
  if (Array.isArray(data)) {
    const parts = data.map(fromNode).filter((part) => part !== undefined)
    return parts.length === 0 ? undefined : { parts, size }
  }
  if (!('views' in data)) return undefined
  const tabs = data.views.filter(isPanelId)
  const front = tabs.find((id) => id === data.activeView) ?? tabs[0]
  return front === undefined ? undefined : { tabs, front, size }
}
