/**
 * Everything that can be wrong with the machine, its worker, its disk or the page's address: by which facts it is known, in which words it is told,
 * and the one thing to do about it. docs/ux-states.md is this table for people.
 */
import type { MessageKey, Words } from '../../i18n/index.ts'
import { filesMissing, memoryRefused } from '../../store/status.ts'
import type { PlaygroundState } from '../../store/store.ts'

export const troubleIds = [
  'off',
  'halted',
  'panic',
  'dom0',
  'crash',
  'hung',
  'dead',
  'memory',
  'offline',
  'storage-denied',
  'storage-full',
  'storage-failed',
  'other-tab',
  'lost-lock',
  'base-changed',
  'import',
  'link',
] as const
export type TroubleId = (typeof troubleIds)[number]

/** What a button does. */
export type Remedy =
  | { readonly kind: 'power' | 'reset' | 'new-machine' }
  | { readonly kind: 'smaller-machine'; readonly memoryMiB: number }
  | { readonly kind: 'export-disk' | 'take-over' | 'keep-disk' | 'discard-disk' | 'choose-file' | 'forget-link' }

export interface Trouble {
  readonly id: TroubleId
  /** `stop`: the machine cannot go on as it is. `note`: it can. */
  readonly tone: 'stop' | 'note'
  readonly title: Words
  readonly text: Words
  readonly safe: Words
  readonly action: Words
  readonly remedy: Remedy
  readonly others?: readonly { readonly words: Words; readonly remedy: Remedy }[]
  /** In the words of whoever failed. */
  readonly details?: string
}

type Values = Readonly<Record<string, string | number>>

export const factNames = [
  'power',
  'worker',
  'workerMessage',
  'settled',
  'options',
  'crash',
  'panic',
  'dom0Died',
  'online',
  'diskNotice',
  'linkTrouble',
] as const satisfies readonly (keyof PlaygroundState)[]

export type TroubleFacts = Pick<PlaygroundState, (typeof factNames)[number]>

/** Offered where the browser refuses the machine's memory (design D3). */
const smallMemoryMiB = 512

function trouble(id: TroubleId, tone: Trouble['tone'], remedy: Remedy, values?: Values): Trouble {
  const words = (part: 'title' | 'text' | 'safe' | 'action'): Words => {
    const key: MessageKey = `trouble.${id}.${part}`
    return values ? { key, values } : { key }
  }
  return { id, tone, remedy, title: words('title'), text: words('text'), safe: words('safe'), action: words('action') }
}

/** What holds now: at most one of the machine, one of its disk, one of the address. */
export function troublesOf(state: TroubleFacts): Trouble[] {
  return [machineTrouble(state), diskTrouble(state), linkTrouble(state)].filter((found) => found !== undefined)
}

function machineTrouble(state: TroubleFacts): Trouble | undefined {
  const { worker, workerMessage: details, power, crash, panic } = state
  if (worker === 'dead') return { ...deadWorker(state), details }
  if (worker === 'hung') return trouble('hung', 'stop', { kind: 'new-machine' })
  if (worker === 'starting') return undefined
  if (crash) return trouble('crash', 'stop', { kind: 'reset' }, { image: crash.image })
  if (power === 'panicked') return trouble('panic', 'stop', { kind: 'reset' }, { message: panic ?? '' })
  if (state.dom0Died && (power === 'xen' || power === 'halted')) return trouble('dom0', 'stop', { kind: 'reset' })
  if (power === 'halted') return trouble('halted', 'stop', { kind: 'reset' })
  // A machine that is just being made is off, too, but not for long.
  return power === 'off' && state.settled ? trouble('off', 'note', { kind: 'power' }) : undefined
}

function deadWorker(state: TroubleFacts): Trouble {
  const { memoryMiB } = state.options
  if (memoryRefused(state)) {
    const refused = trouble('memory', 'stop', { kind: 'new-machine' }, { mib: memoryMiB })
    if (memoryMiB <= smallMemoryMiB) return { ...refused, action: { key: 'trouble.dead.action' } }
    return {
      ...refused,
      action: { key: 'trouble.memory.action', values: { mib: smallMemoryMiB } },
      remedy: { kind: 'smaller-machine', memoryMiB: smallMemoryMiB },
    }
  }
  return trouble(state.online && !filesMissing(state) ? 'dead' : 'offline', 'stop', { kind: 'new-machine' })
}

function diskTrouble({ diskNotice }: TroubleFacts): Trouble | undefined {
  if (!diskNotice) return undefined
  const { kind, message } = diskNotice
  switch (kind) {
    case 'denied':
      return { ...trouble('storage-denied', 'note', { kind: 'export-disk' }), details: message }
    case 'full':
      return { ...trouble('storage-full', 'note', { kind: 'export-disk' }), details: message }
    case 'failed':
      return { ...trouble('storage-failed', 'note', { kind: 'export-disk' }), details: message }
    case 'other-tab':
    case 'lost-lock':
      return trouble(kind, 'note', { kind: 'take-over' })
    case 'base-changed':
      return {
        ...trouble('base-changed', 'note', { kind: 'keep-disk' }),
        others: [
          { words: { key: 'trouble.base-changed.export' }, remedy: { kind: 'export-disk' } },
          { words: { key: 'trouble.base-changed.discard' }, remedy: { kind: 'discard-disk' } },
        ],
      }
    case 'import-refused':
      return trouble('import', 'note', { kind: 'choose-file' }, { message })
  }
}

const linkTrouble = ({ linkTrouble: found }: TroubleFacts): Trouble | undefined =>
  found && trouble('link', 'note', { kind: 'forget-link' }, { ...found })
