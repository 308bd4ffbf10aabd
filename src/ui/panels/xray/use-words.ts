/** The panel's texts in the page's language. They are no part of the page's own, so that nobody fetches them who does not look. */
import { useCallback } from 'react'
import { fill, type ParametersOf } from '../../i18n/index.ts'
import { usePlayground } from '../../session-context.tsx'
import { en } from './words.ts'
import { zh } from './words.zh.ts'

export type XrayKey = keyof typeof en

type Arguments<K extends XrayKey> = [ParametersOf<(typeof en)[K]>] extends [never]
  ? []
  : [values: Record<ParametersOf<(typeof en)[K]>, string | number>]

export type Say = <K extends XrayKey>(key: K, ...values: Arguments<K>) => string

export function useWords(): Say {
  const lang = usePlayground((state) => state.lang)
  return useCallback((key, ...[values]) => fill((lang === 'zh' ? zh : en)[key], values ?? {}), [lang])
}
