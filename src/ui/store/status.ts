/** The machine's state in words, from facts alone. */
import type { MachineState } from '#protocol/machine.ts'
import type { MessageKey, Words } from '../i18n/index.ts'
import type { PlaygroundState } from './store.ts'

type Facts = Pick<
  PlaygroundState,
  'power' | 'worker' | 'bootTerminals' | 'serialOwner' | 'crash' | 'panic' | 'dom0Died' | 'domains'
>

export function statusWords(state: Facts): Words {
  if (state.worker === 'dead') return { key: 'status.dead' }
  if (state.worker === 'hung') return { key: 'status.hung' }
  if (state.worker === 'starting') return { key: 'status.loading' }
  switch (state.power) {
    case 'off':
      return { key: 'status.off' }
    case 'firmware':
      return { key: 'status.firmware' }
    case 'bootloader':
      return { key: bootTerminal(state.bootTerminals, bootStatus) ?? 'status.bootloader' }
    case 'xen':
      return xenWords(state)
    case 'halted':
      return state.crash ? { key: 'status.crashed', values: { image: state.crash.image } } : { key: 'status.halted' }
    case 'panicked':
      return state.panic ? { key: 'status.panicked.why', values: { message: state.panic } } : { key: 'status.panicked' }
  }
}

/** Who runs on Xen, and who gets what is typed. */
function xenWords({ serialOwner, dom0Died, domains }: Facts): Words {
  if (dom0Died) return { key: 'status.xen.dom0-died' }
  if (!serialOwner) return { key: 'status.xen' }
  const guests = Object.keys(domains).filter((domid) => domid !== '0').length
  if (!domains[0]) return { key: `status.xen.owner.${serialOwner}` }
  const many = guests === 0 ? 'none' : guests === 1 ? 'one' : 'many'
  const key = `status.xen.guests.${many}.owner.${serialOwner}` as const
  return guests > 1 ? { key, values: { guests } } : { key }
}

interface ByTerminal<Key extends MessageKey> {
  readonly serial: Key
  readonly console: Key
  readonly both: Key
}

const bootStatus = {
  serial: 'status.bootloader.serial',
  console: 'status.bootloader.console',
  both: 'status.bootloader.both',
} as const

/** Undefined when GRUB has not said where it is. */
function bootTerminal<Key extends MessageKey>(
  terminals: PlaygroundState['bootTerminals'],
  keys: ByTerminal<Key>,
): Key | undefined {
  const serial = terminals?.includes('serial')
  const console = terminals?.includes('console')
  if (serial && console) return keys.both
  if (serial) return keys.serial
  return console ? keys.console : undefined
}

const monitorCaptions = { serial: 'monitor.serial', console: 'monitor.console', both: 'monitor.both' } as const

/** What is written under the monitor. */
export function monitorCaption(
  state: Pick<PlaygroundState, 'power' | 'bootTerminals'>,
  focused: boolean,
): Extract<MessageKey, `monitor.${string}`> {
  if (state.power === 'off') return 'monitor.off'
  const boot = bootTerminal(state.bootTerminals, monitorCaptions)
  if (boot === 'monitor.serial') return boot
  if (focused) return 'monitor.focus'
  return boot ?? 'monitor.idle'
}

/** What to do next, in one sentence. */
export function hintKey({
  power,
  worker,
}: Pick<PlaygroundState, 'power' | 'worker'>): 'status.loading' | `hint.${MachineState}` {
  if (power === 'off' && worker === 'starting') return 'status.loading'
  return `hint.${power}`
}

/** How a failure begins to be told that is one of the network, or of the server. */
export const NOT_LOADED = 'could not be loaded'

/** "The machine could not be loaded": its files did not come. */
export function filesMissing({ worker, workerMessage }: Pick<PlaygroundState, 'worker' | 'workerMessage'>): boolean {
  return worker === 'dead' && workerMessage.includes(NOT_LOADED)
}

/** "Your browser refused the memory": the engines' own words for it, in the worker's fault. */
export function memoryRefused({ worker, workerMessage }: Pick<PlaygroundState, 'worker' | 'workerMessage'>): boolean {
  return (
    worker === 'dead' &&
    /WebAssembly\.Memory|could not allocate memory|Out of memory: Cannot allocate/i.test(workerMessage)
  )
}
