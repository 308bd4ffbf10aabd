import { describe, expect, it } from 'vitest'
import type { PanelId } from '../panels/registry.ts'
import {
  type Arrangement,
  defaultArrangement,
  groupsOf,
  readArrangement,
  withoutDomainConsoles,
  writeArrangement,
} from './arrangement.ts'
import { fromDockview, toDockview } from './dockview-json.ts'

const known: PanelId[] = ['com1', 'monitor', 'domains']
const arrangement: Arrangement = {
  size: 1,
  parts: [
    { tabs: ['com1'], front: 'com1', size: 600 },
    {
      size: 300,
      parts: [
        { tabs: ['domains'], front: 'domains', size: 200 },
        { tabs: ['monitor', 'domain:sebastian'], front: 'domain:sebastian', size: 500 },
      ],
    },
  ],
}
const saved = (change: (value: Record<string, unknown>) => void): string => {
  const value = JSON.parse(writeArrangement(arrangement))
  change(value)
  return JSON.stringify(value)
}

describe('a saved arrangement', () => {
  it('comes back as it was, without the consoles of domains', () => {
    const read = readArrangement(writeArrangement(arrangement), known)
    expect(read).toEqual(withoutDomainConsoles(arrangement))
    expect(groupsOf(read!).map((group) => group.tabs)).toEqual([['com1'], ['domains'], ['monitor']])
    expect(groupsOf(read!).at(-1)?.front).toBe('monitor')
  })

  it('loses a group, and a column, that held nothing but domains’ consoles', () => {
    const only: Arrangement = {
      size: 1,
      parts: [
        { tabs: ['com1'], front: 'com1', size: 1 },
        { size: 1, parts: [{ tabs: ['domain:a'], front: 'domain:a', size: 1 }] },
      ],
    }
    expect(withoutDomainConsoles(only).parts).toEqual([{ tabs: ['com1'], front: 'com1', size: 1 }])
  })

  const refused: [string, string | null][] = [
    ['nothing', null],
    ['an empty text', ''],
    ['no JSON', '{"version":1'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no version', saved((value) => delete value['version'])],
    ['a later version', saved((value) => Object.assign(value, { version: 2 }))],
    ['no parts', saved((value) => Object.assign(value, { parts: [] }))],
    ['parts of another kind', saved((value) => Object.assign(value, { parts: [7, 'com1'] }))],
    ['a panel that does not exist', saved(() => {}).replaceAll('monitor', 'fridge')],
    ['a panel twice', saved(() => {}).replaceAll('monitor', 'com1')],
    ['a front that is no tab of its group', saved(() => {}).replace('"front":"com1"', '"front":"domains"')],
    ['a size of nothing', saved(() => {}).replace('"size":600', '"size":0')],
    ['a size that is no number', saved(() => {}).replace('"size":600', '"size":"wide"')],
    ['an infinite size', saved(() => {}).replace('"size":600', '"size":1e999')],
    ['a tree without end', `{"version":1,"size":1,"parts":${'[{"size":1,"parts":'.repeat(50)}[]${'}]'.repeat(50)}}`],
  ]
  it.each(refused)('is refused whole when it is %s', (_, text) => {
    expect(readArrangement(text, known)).toBeUndefined()
  })

  it('is refused when a panel of this page is missing in it', () => {
    expect(readArrangement(writeArrangement(arrangement), [...known, 'xenstore'])).toBeUndefined()
  })
})

describe('the default arrangement', () => {
  const row = (id: PanelId, place: 'left' | 'middle' | 'right') =>
    ({ id, place, title: { key: 'app.name' }, icon: () => null, component: () => null, layer: undefined }) as const

  it('has consoles in the middle and the rest at the right', () => {
    const made = defaultArrangement([
      row('guide', 'left'),
      row('com1', 'middle'),
      row('com2', 'middle'),
      row('domains', 'right'),
    ])
    expect(groupsOf(made).map((group) => group.tabs)).toEqual([['com1', 'com2'], ['domains']])
    expect(groupsOf(made)[0]!.size).toBeGreaterThan(groupsOf(made)[1]!.size)
  })

  it('is one group where only one side has panels', () => {
    expect(groupsOf(defaultArrangement([row('domains', 'right')]))).toHaveLength(1)
  })
})

describe('dockview’s own form', () => {
  const box = { width: 1000, height: 700 }
  const json = toDockview(arrangement, box, (id) => `title of ${id}`)

  it('shares the box by the sizes’ proportions', () => {
    expect(json.grid.root.size).toBe(700)
    const [left, right] = json.grid.root.data as { size: number; data: { size: number }[] }[]
    expect([left!.size, right!.size].map(Math.round)).toEqual([667, 333])
    expect(right!.data.map(({ size }) => Math.round(size))).toEqual([200, 500])
  })

  it('names every panel once, with its title', () => {
    expect(Object.keys(json.panels).sort()).toEqual(['com1', 'domain:sebastian', 'domains', 'monitor'])
    expect(json.panels['com1']?.title).toBe('title of com1')
  })

  it('and back: the same groups in the same places', () => {
    const back = fromDockview(json)!
    expect(groupsOf(back).map(({ tabs, front }) => ({ tabs, front }))).toEqual(
      groupsOf(arrangement).map(({ tabs, front }) => ({ tabs, front })),
    )
    expect(toDockview(back, box, String)).toEqual(toDockview(arrangement, box, String))
  })

  it('an outermost column becomes a row of one column', () => {
    const column = { ...json, grid: { ...json.grid, orientation: 'VERTICAL' as typeof json.grid.orientation } }
    expect(fromDockview(column)?.parts).toHaveLength(1)
  })
})
