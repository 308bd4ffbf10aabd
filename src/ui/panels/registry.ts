/** The panels, one row each: the dock of a wide screen, the bar of a phone and `playground.ui.open` all read these. */
import { type ComponentType, lazy } from 'react'
import type { DomainConsoleId } from '#protocol/machine.ts'
import type { Words } from '../i18n/index.ts'
import {
  BootMenuIcon,
  DomainsIcon,
  GuideIcon,
  MachineIcon,
  MonitorIcon,
  SerialIcon,
  XenStoreIcon,
  XrayIcon,
} from '../icons.tsx'
import { ConsolePanel } from './consoles/ConsolePanel.tsx'

export interface PanelProps {
  readonly id: PanelId
  /** False while another tab is in front of it. */
  readonly visible: boolean
}

export interface PanelRow {
  readonly id: PanelId
  readonly title: Words
  readonly icon: ComponentType
  readonly component: ComponentType<PanelProps>
  /** Where it stands on a wide screen at first. */
  readonly place: 'left' | 'middle' | 'right'
  /** Whose hue it has. */
  readonly layer: 'machine' | 'xen' | 'dom0' | 'domu' | undefined
}

/** Not needed for a first look, so they come after it. */
const GuidePanel = lazy(() => import('./guide/GuidePanel.tsx'))
const DomainsPanel = lazy(() => import('./domains/DomainsPanel.tsx'))
const XenStorePanel = lazy(() => import('./xenstore/XenStorePanel.tsx'))
const XrayPanel = lazy(() => import('./xray/XrayPanel.tsx'))
const MonitorPanel = lazy(async () => ({ default: (await import('./monitor/MonitorPanel.tsx')).MonitorPanel }))
const MachinePanel = lazy(async () => ({ default: (await import('./machine/MachinePanel.tsx')).MachinePanel }))
const BootMenuPanel = lazy(() => import('./boot-menu/BootMenuPanel.tsx'))

const STATIC_IDS = ['guide', 'com1', 'monitor', 'com2', 'xray', 'domains', 'xenstore', 'boot-menu', 'machine'] as const

/** A domain's console is a panel, too: as many as somebody opens. */
export type PanelId = (typeof STATIC_IDS)[number] | DomainConsoleId

export const panels: readonly PanelRow[] = [
  {
    id: 'guide',
    title: { key: 'guide.title' },
    icon: GuideIcon,
    component: GuidePanel,
    place: 'left',
    layer: undefined,
  },
  {
    id: 'com1',
    title: { key: 'serial.com1' },
    icon: SerialIcon,
    component: ConsolePanel,
    place: 'middle',
    layer: 'machine',
  },
  {
    id: 'monitor',
    title: { key: 'monitor.title' },
    icon: MonitorIcon,
    component: MonitorPanel,
    place: 'middle',
    layer: 'machine',
  },
  {
    id: 'com2',
    title: { key: 'serial.com2' },
    icon: SerialIcon,
    component: ConsolePanel,
    place: 'middle',
    layer: 'machine',
  },
  {
    id: 'xray',
    title: { key: 'xray.title' },
    icon: XrayIcon,
    component: XrayPanel,
    place: 'middle',
    layer: 'xen',
  },
  {
    id: 'domains',
    title: { key: 'domains.title' },
    icon: DomainsIcon,
    component: DomainsPanel,
    place: 'right',
    layer: 'domu',
  },
  {
    id: 'xenstore',
    title: { key: 'xenstore.title' },
    icon: XenStoreIcon,
    component: XenStorePanel,
    place: 'right',
    layer: 'dom0',
  },
  {
    id: 'boot-menu',
    title: { key: 'boot-menu.title' },
    icon: BootMenuIcon,
    component: BootMenuPanel,
    place: 'right',
    layer: 'machine',
  },
  {
    id: 'machine',
    title: { key: 'machine.title' },
    icon: MachineIcon,
    component: MachinePanel,
    place: 'right',
    layer: 'machine',
  },
]

export const isDomainConsole = (id: string): id is DomainConsoleId => /^domain:./.test(id)

export const isPanelId = (id: string): id is PanelId => isDomainConsole(id) || panels.some((panel) => panel.id === id)

/** The row of `id`; a domain's console has one like COM1's. */
export function panelRow(id: PanelId): PanelRow {
  const found = panels.find((panel) => panel.id === id)
  if (found) return found
  const title = { key: 'serial.domain', values: { name: id.slice('domain:'.length) } } as const
  return { id, title, icon: SerialIcon, component: ConsolePanel, place: 'middle', layer: 'domu' }
}

/** What a tab says: short, for its icon tells the rest. */
export function tabTitle(id: PanelId): Words {
  return isDomainConsole(id)
    ? { key: 'layout.tab.domain', values: { name: id.slice('domain:'.length) } }
    : panelRow(id).title
}
