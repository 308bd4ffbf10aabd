/** Texts that come with a panel, not with the page, so that nobody fetches them who does not look: in the page's language. */
import { useCallback } from 'react'
import { usePlayground } from '../session-context.tsx'
import { fill, type ParametersOf } from './index.ts'

type Arguments<Text extends string> = [ParametersOf<Text>] extends [never]
  ? []
  : [values: Record<ParametersOf<Text>, string | number>]

export type SayOf<En extends Readonly<Record<string, string>>> = <K extends keyof En & string>(
  key: K,
  ...values: Arguments<En[K]>
) => string

/** The hook of one panel. */
export const panelWords =
  <En extends Readonly<Record<string, string>>>(en: En, zh: Readonly<Record<keyof En, string>>) =>
  (): SayOf<En> => {
    const lang = usePlayground((state) => state.lang)
    return useCallback((key, ...[values]) => fill((lang === 'zh' ? zh : en)[key], values ?? {}), [lang])
  }
