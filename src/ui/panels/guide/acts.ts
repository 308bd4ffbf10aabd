/**
 * What the guide's buttons do: bytes on COM1, the power button, a panel brought to the front; and by which facts it is known that one of them
 * cannot work now. No button waits for an answer: what comes of it is on the console.
 */
import type { MessageKey } from '../../i18n/index.ts'
import type { Session } from '../../session.ts'
import type { PlaygroundState } from '../../store/store.ts'
import type { PanelId } from '../registry.ts'

export type Act =
  | { readonly kind: 'power' }
  /** Enter at the boot menu, wherever it shows. */
  | { readonly kind: 'boot' }
  /** A line for dom0's terminal. */
  | { readonly kind: 'line'; readonly text: string }
  /** One key for dom0's terminal. */
  | { readonly kind: 'byte'; readonly byte: number }
  /** CTRL-A three times: serial input goes to the other one. */
  | { readonly kind: 'switch'; readonly to: 'xen' | 'dom0' }
  /** One key for Xen. */
  | { readonly kind: 'xen-key'; readonly key: string }
  | { readonly kind: 'panel'; readonly panel: PanelId }

export interface Command {
  /** Ticks are kept by it: the same command has the same id wherever it stands. */
  readonly id: string
  readonly act: Act
  /** Only while a domain of this name is there. */
  readonly needs?: string
  /** Only while none is. */
  readonly unless?: string
}

export type ActFacts = Pick<
  PlaygroundState,
  'power' | 'worker' | 'serialOwner' | 'xenstoreUp' | 'settled' | 'domains' | 'bootTerminals'
>

/** xend is the last of dom0's services: once it has given dom0 its name, the login comes, and `xm` is answered. */
export const isDom0Up = ({ domains }: Pick<PlaygroundState, 'domains'>): boolean => domains[0]?.name !== undefined

/** Why the command cannot work now. */
export interface Obstacle {
  readonly key: Extract<MessageKey, `guide.not.${string}`>
  readonly values?: Readonly<Record<string, string>>
}

export function obstacle(state: ActFacts, { act, needs, unless }: Command): Obstacle | undefined {
  if (act.kind === 'panel') return domainObstacle(state, needs, unless)
  if (state.worker === 'starting') return { key: 'guide.not.loading' }
  if (act.kind === 'power') return state.power === 'off' ? undefined : { key: 'guide.not.on' }
  if (state.worker === 'hung' || state.worker === 'dead') return { key: 'guide.not.answering' }
  const { power } = state
  if (act.kind === 'boot' && power === 'bootloader') return undefined
  if (power !== 'xen')
    return { key: act.kind === 'boot' && power === 'firmware' ? 'guide.not.grub' : `guide.not.${power}` }
  if (act.kind === 'boot') return { key: 'guide.not.booted' }
  if (state.serialOwner === undefined) return { key: 'guide.not.xen-boots' }
  if (act.kind === 'xen-key' || (act.kind === 'switch' && act.to === 'dom0'))
    return state.serialOwner === 'xen' ? undefined : { key: 'guide.not.dom0-listens' }
  if (state.serialOwner === 'xen') return { key: 'guide.not.xen-listens' }
  if (act.kind === 'switch') return undefined
  if (!isDom0Up(state))
    return { key: state.settled && !state.xenstoreUp ? 'guide.not.services' : 'guide.not.dom0-boots' }
  return domainObstacle(state, needs, unless)
}

function domainObstacle({ domains }: ActFacts, needs?: string, unless?: string): Obstacle | undefined {
  const has = (name: string) => Object.values(domains).some((domain) => domain.name === name)
  if (needs !== undefined && !has(needs)) return { key: 'guide.not.there', values: { name: needs } }
  if (unless !== undefined && has(unless)) return { key: 'guide.not.again', values: { name: unless } }
  return undefined
}

const CTRL_A = 0x01
const CARRIAGE_RETURN = 0x0d
/** Scan codes of the keyboard's Enter, pressed and released. */
const ENTER = [0x1c, 0x9c]

/** Do it, and remember that it was done. */
export function perform(session: Session, { id, act }: Command): void {
  const com1 = (...bytes: number[]) => {
    session.store.dispatch({ type: 'panel', panel: 'com1' })
    session.serialIn('com1', bytes)
  }
  switch (act.kind) {
    case 'power':
      void session.power()
      break
    case 'boot':
      if (session.store.getState().bootTerminals?.includes('serial') ?? true) com1(CARRIAGE_RETURN)
      else {
        session.store.dispatch({ type: 'panel', panel: 'monitor' })
        session.input({ kind: 'keyboard', scancodes: ENTER })
      }
      break
    case 'line':
      session.typeLine(act.text)
      break
    case 'byte':
      com1(act.byte)
      break
    case 'switch':
      com1(CTRL_A, CTRL_A, CTRL_A)
      break
    case 'xen-key':
      com1(act.key.charCodeAt(0))
      break
    case 'panel':
      session.store.dispatch({ type: 'panel', panel: act.panel })
  }
  session.store.dispatch({ type: 'guide-ran', command: id })
}

/** As it is shown on a button, and copied. */
export function actText(act: Act): string {
  switch (act.kind) {
    case 'line':
      return act.text
    case 'boot':
      return 'Enter'
    case 'byte':
      return `Ctrl+${String.fromCharCode(act.byte + 0x40)}`
    case 'switch':
      return 'Ctrl-A ×3'
    case 'xen-key':
      return act.key
    case 'power':
    case 'panel':
      return ''
  }
}
