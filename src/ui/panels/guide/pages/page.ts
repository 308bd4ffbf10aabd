/** What a page of the guide is made of. Pages are data: the panel draws them, and tests run every command that they name. */
import type { Lang } from '../../../i18n/index.ts'
import type { PanelId } from '../../registry.ts'
import type { Command } from '../acts.ts'
import type { LayerName } from '../glossary.ts'

/** Marks within: `code` between back-quotes, and [[id]] or [[id|shown]] for a word of the glossary. */
export type Text = Readonly<Record<Lang, string>>

export type Block =
  | { readonly kind: 'text'; readonly text: Text }
  /** Something to type, at a click. */
  | { readonly kind: 'command'; readonly command: Command }
  /** What is seen then, and why. */
  | { readonly kind: 'seen'; readonly text: Text }
  | { readonly kind: 'panel'; readonly panel: PanelId; readonly needs?: string }

export interface Section {
  readonly id: string
  readonly layer: LayerName
  readonly title: Text
  readonly blocks: readonly Block[]
}

export interface Page {
  readonly id: string
  readonly title: Text
  readonly intro: Text
  readonly sections: readonly Section[]
}

export const text = (en: string, zh: string): Block => ({ kind: 'text', text: { en, zh } })
export const seen = (en: string, zh: string): Block => ({ kind: 'seen', text: { en, zh } })
export const command = (given: Command): Block => ({ kind: 'command', command: given })
/** A line typed into COM1. */
export const line = (id: string, typed: string, when: Pick<Command, 'needs' | 'unless'> = {}): Block =>
  command({ id, act: { kind: 'line', text: typed }, ...when })

export const commandsOf = (page: Page): Command[] =>
  page.sections.flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === 'command' ? [block.command] : [])))
