/** Typed texts: a missing translation or parameter is a type error. */
import { en, type MessageKey } from './en.ts'
import { zh } from './zh.ts'

export type { MessageKey } from './en.ts'

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
