/** What the page's address asks for: `?power=off&seed=7&memory=512&lang=zh&theme=light&clock=live`. */
import type { MachineOptions } from '#protocol/messages.ts'
import type { Theme } from './store/slice.ts'

export interface Asked {
  readonly power: boolean
  readonly options: Partial<MachineOptions>
  readonly lang: string | null
  readonly theme: Theme | undefined
}

/** Smallest and largest machine, MiB (design D3). */
const memoryMiBMin = 64
const memoryMiBMax = 3072

/** A value that makes no sense is as if it were not there. */
export function readAddress(query: string): Asked {
  const parameters = new URLSearchParams(query)
  const whole = (name: string, min: number, max: number): number | undefined => {
    const text = parameters.get(name)
    if (text === null || !/^\d+$/.test(text)) return undefined
    const value = Number(text)
    return value >= min && value <= max ? value : undefined
  }
  const seed = whole('seed', 0, 2 ** 32 - 1)
  const memoryMiB = whole('memory', memoryMiBMin, memoryMiBMax)
  const clock = parameters.get('clock')
  return {
    power: parameters.get('power') !== 'off',
    options: {
      ...(seed === undefined ? {} : { seed }),
      ...(memoryMiB === undefined ? {} : { memoryMiB }),
      ...(clock === 'live' || clock === 'turbo' ? { clock } : {}),
    },
    lang: parameters.get('lang'),
    theme: asTheme(parameters.get('theme')),
  }
}

export function asTheme(text: string | null): Theme | undefined {
  return text === 'dark' || text === 'light' || text === 'system' ? text : undefined
}
