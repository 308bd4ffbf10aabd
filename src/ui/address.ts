/** What the page's address asks for: `?power=off&seed=7&memory=512&guests=1&lang=zh&theme=light&clock=live&embed=1&panels=com1,domains&disk=temporary&tape=demo.tape`. */
import { MEMORY_MIB_MAX, MEMORY_MIB_MIN } from '#protocol/machine.ts'
import type { MachineOptions } from '#protocol/messages.ts'
import type { Theme } from './store/slice.ts'

export interface Asked {
  readonly power: boolean
  readonly options: Partial<MachineOptions>
  readonly lang: string | null
  readonly theme: Theme | undefined
  /** As a part of somebody's page: bare, without what a whole page has around its panels. */
  readonly embed: boolean
  /** The only panels to be shown, in this order; undefined: all. Names that no panel has are left in, for whoever knows the panels. */
  readonly panels: readonly string[] | undefined
  /** `temporary`: nothing outlives the page. Embedded pages and tapes begin so unless `disk=keep` is asked for (design D11). */
  readonly disk: 'temporary' | 'keep'
  /** Where a tape is that this page is to play. */
  readonly tape: string | undefined
  /** Parameters whose values make no sense: each is as if it were not there. */
  readonly refused: readonly string[]
}

export function readAddress(query: string): Asked {
  const parameters = new URLSearchParams(query)
  const refused: string[] = []
  /** The value of `name` as `read` has it; what that cannot read is refused. */
  const value = <T>(name: string, read: (text: string) => T | undefined): T | undefined => {
    const text = parameters.get(name)
    if (text === null) return undefined
    const found = read(text)
    if (found === undefined) refused.push(`${name}=${text}`)
    return found
  }
  const whole = (name: string, min: number, max: number): number | undefined =>
    value(name, (text) =>
      /^\d{1,10}$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined,
    )
  const one = <const T extends string>(name: string, ...allowed: readonly T[]): T | undefined =>
    value(name, (text) => allowed.find((word) => word === text))

  const power = one('power', 'on', 'off')
  const seed = whole('seed', 0, 2 ** 32 - 1)
  const memoryMiB = whole('memory', MEMORY_MIB_MIN, MEMORY_MIB_MAX)
  const clock = one('clock', 'live', 'turbo')
  const guests = one('guests', '1', '0')
  const theme = value('theme', asTheme)
  const embed = one('embed', '1', '0') === '1'
  const panels = value('panels', asNames)
  const disk = one('disk', 'temporary', 'keep')
  const tape = value('tape', (text) => text || undefined)
  return {
    power: power !== 'off',
    options: {
      ...(seed === undefined ? {} : { seed }),
      ...(memoryMiB === undefined ? {} : { memoryMiB }),
      ...(clock === undefined ? {} : { clock }),
      ...(guests === undefined ? {} : { guests: guests === '1' }),
    },
    lang: parameters.get('lang'),
    theme,
    embed,
    panels,
    disk: disk ?? (embed || tape !== undefined ? 'temporary' : 'keep'),
    tape,
    refused,
  }
}

export function asTheme(text: string | null): Theme | undefined {
  return text === 'dark' || text === 'light' || text === 'system' ? text : undefined
}

/** `a,b,c`: at least one, none twice. */
function asNames(text: string): string[] | undefined {
  const names = [...new Set(text.split(',').map((name) => name.trim()))].filter((name) => name !== '')
  return names.length > 0 ? names : undefined
}
