/** A slice of the page's state is a fold over events: what the worker said, and what the person chose. */
import type { DiskState } from '#protocol/disk.ts'
import type { FromWorker, MachineOptions } from '#protocol/messages.ts'
import type { StoreChange } from '#protocol/xenstore-tree.ts'
import type { WorkerStatus } from '../client.ts'
import type { KernelAdd } from '../disk/add-kernel.ts'
import type { DiskNotice } from '../disk/slice.ts'
import type { EmbedAnswer, LinkTape } from '../embed/slice.ts'
import type { Lang } from '../i18n/index.ts'
import type { PanelId } from '../panels/registry.ts'

export type Theme = 'dark' | 'light' | 'system'

export type UiEvent =
  | Exclude<FromWorker, { readonly type: 'xenstore' }>
  /** XenStore's lines, read. */
  | { readonly type: 'xenstore-changes'; readonly changes: readonly StoreChange[] }
  | { readonly type: 'worker'; readonly status: WorkerStatus; readonly message: string }
  /** A new machine is being made. */
  | { readonly type: 'powering'; readonly options: MachineOptions }
  /** For the next power-on. */
  | { readonly type: 'next-options'; readonly options: Partial<MachineOptions> }
  | { readonly type: 'lang'; readonly lang: Lang }
  | { readonly type: 'theme'; readonly theme: Theme }
  /** Show this panel, wherever it is; a domain's console is opened. */
  | { readonly type: 'panel'; readonly panel: PanelId }
  /** Show this path in the XenStore explorer (panels/xenstore/reveal.ts). */
  | { readonly type: 'reveal'; readonly path: string }
  /** A domain's console is closed. */
  | { readonly type: 'close-panel'; readonly panel: PanelId }
  | { readonly type: 'guide'; readonly open: boolean }
  /** The page sits in another's frame; and which panels alone it shows, if only some. */
  | { readonly type: 'embed'; readonly embed: boolean; readonly panels: readonly PanelId[] | undefined }
  | { readonly type: 'disk-state'; readonly state: DiskState }
  | { readonly type: 'disk-notice'; readonly notice: DiskNotice | undefined }
  | { readonly type: 'kernel-add'; readonly add: KernelAdd }
  | {
      readonly type: 'network'
      readonly online?: boolean
      readonly offlineReady?: boolean
      readonly newVersion?: boolean
    }
  /** The strip of first steps. */
  | { readonly type: 'strip'; readonly shown: boolean }
  | { readonly type: 'help'; readonly open: boolean }
  /** A command of the guide has been typed, by its id. */
  | { readonly type: 'guide-ran'; readonly command: string }
  /** What an earlier visit had run; none: start over. */
  | { readonly type: 'guide-progress'; readonly done: readonly string[] }
  | { readonly type: 'dismiss-crash' }
  /** A page of that origin asks to drive the machine. */
  | { readonly type: 'embed-ask'; readonly origin: string }
  | { readonly type: 'embed-answer'; readonly origin: string; readonly answer: EmbedAnswer }
  | { readonly type: 'embed-revoke'; readonly origin: string }
  /** Origins that an earlier visit has let in for good. */
  | { readonly type: 'embed-kept'; readonly origins: readonly string[] }
  | { readonly type: 'link-tape'; readonly tape: LinkTape | undefined }
  | { readonly type: 'link-trouble'; readonly trouble: { readonly what: string; readonly why: string } | undefined }

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
