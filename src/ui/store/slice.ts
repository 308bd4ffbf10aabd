/** A slice of the page's state is a fold over events: what the worker said, and what the person chose. */
import type { DiskState } from '#protocol/disk.ts'
import type { FromWorker, MachineOptions } from '#protocol/messages.ts'
import type { WorkerStatus } from '../client.ts'
import type { Lang } from '../i18n/index.ts'
import type { PanelId } from '../panels/registry.ts'

export type Theme = 'dark' | 'light' | 'system'

export type UiEvent =
  | FromWorker
  | { readonly type: 'worker'; readonly status: WorkerStatus; readonly message: string }
  /** A new machine is being made. */
  | { readonly type: 'powering'; readonly options: MachineOptions }
  /** For the next power-on. */
  | { readonly type: 'next-options'; readonly options: Partial<MachineOptions> }
  | { readonly type: 'lang'; readonly lang: Lang }
  | { readonly type: 'theme'; readonly theme: Theme }
  /** Show this panel, wherever it is; a domain's console is opened. */
  | { readonly type: 'panel'; readonly panel: PanelId }
  /** A domain's console is closed. */
  | { readonly type: 'close-panel'; readonly panel: PanelId }
  | { readonly type: 'guide'; readonly open: boolean }
  | { readonly type: 'disk-state'; readonly state: DiskState }
  | { readonly type: 'dismiss-crash' }

type Handlers<S> = {
  readonly [T in UiEvent['type']]?: (state: S, event: Extract<UiEvent, { type: T }>) => Partial<S>
}

export interface Slice<S> {
  readonly initial: S
  fold(state: S, event: UiEvent): Partial<S>
}

export function defineSlice<S>(initial: S, handlers: Handlers<S>): Slice<S> {
  return {
    initial,
    fold(state, event) {
      const handler = handlers[event.type] as ((state: S, event: UiEvent) => Partial<S>) | undefined
      return handler?.(state, event) ?? {}
    },
  }
}
