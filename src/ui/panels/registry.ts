/** The panels, one row each. On a wide screen all show; a phone shows one at a time and draws its bar from these rows. */
import type { ComponentType } from 'react'
import type { MessageKey } from '../i18n/index.ts'
import { MachineIcon, MonitorIcon, SerialIcon } from '../icons.tsx'
import { MachinePanel } from './machine/MachinePanel.tsx'
import { MonitorPanel } from './monitor/MonitorPanel.tsx'
import { SerialPanel } from './serial/SerialPanel.tsx'

interface PanelRow {
  readonly id: string
  readonly title: MessageKey
  readonly icon: ComponentType
  readonly component: ComponentType
  /** Where it stands on a wide screen. */
  readonly place: 'middle' | 'side'
}

export const panels = [
  { id: 'serial', title: 'serial.title', icon: SerialIcon, component: SerialPanel, place: 'middle' },
  { id: 'monitor', title: 'monitor.title', icon: MonitorIcon, component: MonitorPanel, place: 'side' },
  { id: 'machine', title: 'machine.title', icon: MachineIcon, component: MachinePanel, place: 'side' },
] as const satisfies readonly PanelRow[]

export type PanelId = (typeof panels)[number]['id']

export const isPanelId = (id: string): id is PanelId => panels.some((panel) => panel.id === id)
