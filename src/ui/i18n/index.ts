/** Typed texts: a missing translation or parameter is a type error. */
import { words as disk } from '../disk/words.ts'
import { words as embed } from '../embed/words.ts'
import { words as layout } from '../layout/words.ts'
import { words as bootMenu } from '../panels/boot-menu/words.ts'
import { words as domains } from '../panels/domains/words.ts'
import { words as guide } from '../panels/guide/words.ts'
import { words as xenstore } from '../panels/xenstore/words.ts'
import { en as common } from './en.ts'
import { zh as commonZh } from './zh.ts'

/** Every text, in English: a part's own are in its words.ts. */
export const en = {
  ...common,
  ...layout.en,
  ...disk.en,
  ...embed.en,
  ...guide.en,
  ...domains.en,
  ...xenstore.en,
  ...bootMenu.en,
}

export const zh: Record<MessageKey, string> = {
  ...commonZh,
  ...layout.zh,
  ...disk.zh,
  ...embed.zh,
  ...guide.zh,
  ...domains.zh,
  ...xenstore.zh,
  ...bootMenu.zh,
}

export type MessageKey = keyof typeof en

export const languages = { en: 'English', zh: '中文' } as const
export type Lang = keyof typeof languages

type ParametersOf<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParametersOf<Rest>
  : never

type Arguments<K extends MessageKey> = [ParametersOf<(typeof en)[K]>] extends [never]
  ? []
  : [values: Record<ParametersOf<(typeof en)[K]>, string | number>]

export type Translate = <K extends MessageKey>(key: K, ...values: Arguments<K>) => string

/** A text with its values already known: what a pure function hands to whoever shows it. */
export interface Words {
  readonly key: MessageKey
  readonly values?: Readonly<Record<string, string | number>>
}

const dictionaries: Record<Lang, Record<MessageKey, string>> = { en, zh }

export function say(lang: Lang, { key, values = {} }: Words): string {
  return dictionaries[lang][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

export function translator(lang: Lang): Translate {
  return (key, ...[values]) => say(lang, values ? { key, values } : { key })
}

/** The page's language: asked for in the address, chosen before, or the browser's first that we speak. */
export function chooseLang(asked: string | null, saved: string | null, browser: readonly string[]): Lang {
  for (const wish of [asked, saved, ...browser]) {
    const short = wish?.toLowerCase().split('-')[0]
    if (short !== undefined && Object.hasOwn(languages, short)) return short as Lang
  }
  return 'en'
}
