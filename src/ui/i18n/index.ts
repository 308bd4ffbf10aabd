/** Typed texts: a missing translation or parameter is a type error. */
import { en as disk } from '../disk/words.ts'
import { en as embed } from '../embed/words.ts'
import { en as layout } from '../layout/words.ts'
import { en as bootMenu } from '../panels/boot-menu/words.ts'
import { en as consoles } from '../panels/consoles/words.ts'
import { en as crash } from '../panels/crash/words.ts'
import { en as domains } from '../panels/domains/words.ts'
import { en as guide } from '../panels/guide/words.ts'
import { en as xenstore } from '../panels/xenstore/words.ts'
import { en as record } from '../record/words.ts'
import { en as common } from './en.ts'

/** Every text, in English: a part's own are in its words.ts. */
export const en = {
  ...common,
  ...disk,
  ...embed,
  ...layout,
  ...bootMenu,
  ...consoles,
  ...crash,
  ...domains,
  ...guide,
  ...xenstore,
  ...record,
}

export type MessageKey = keyof typeof en

export const languages = { en: 'English', zh: '中文' } as const
export type Lang = keyof typeof languages

/** Names of the parameters in a text. */
export type ParametersOf<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
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

/** What has been loaded: English always, the others when somebody reads them. */
const dictionaries: Partial<Record<Lang, Readonly<Record<MessageKey, string>>>> & { readonly en: typeof en } = { en }

/** Until it has resolved, texts of `lang` are English. Rejects when they cannot be fetched. */
export async function loadLang(lang: Lang): Promise<void> {
  if (lang === 'zh') dictionaries.zh ??= (await import('./chinese.ts')).zh
}

/** A text with its parameters put in. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

export function say(lang: Lang, { key, values = {} }: Words): string {
  return fill((dictionaries[lang] ?? en)[key], values)
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
