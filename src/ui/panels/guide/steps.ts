/** The strip's three steps, what of them has been done by the facts, and what comes next. */
import type { MessageKey } from '../../i18n/index.ts'
import type { PlaygroundState } from '../../store/store.ts'
import { type ActFacts, type Command, isDom0Up } from './acts.ts'

export const commands = {
  power: { id: 'power', act: { kind: 'power' } },
  boot: { id: 'boot', act: { kind: 'boot' } },
  login: { id: 'login', act: { kind: 'line', text: 'root' } },
  list: { id: 'list', act: { kind: 'line', text: 'xm list' } },
  create: { id: 'create', act: { kind: 'line', text: 'xm create sebastian' }, unless: 'sebastian' },
  escape: { id: 'escape', act: { kind: 'switch', to: 'xen' } },
  'xen-help': { id: 'xen-help', act: { kind: 'xen-key', key: 'h' } },
  back: { id: 'back', act: { kind: 'switch', to: 'dom0' } },
} as const satisfies Record<string, Command>

export type StepCommand = keyof typeof commands

export type StepFacts = ActFacts & Pick<PlaygroundState, 'typedThisBoot' | 'escapedToXen'>

export interface Step {
  readonly id: 'boot' | 'dom0' | 'domu'
  readonly layer: 'xen' | 'dom0' | 'domu'
  /** The buttons that it has now. */
  commands(state: StepFacts): readonly StepCommand[]
  done(state: StepFacts): boolean
}

export const steps: readonly Step[] = [
  {
    id: 'boot',
    layer: 'xen',
    commands: ({ power }) => [power === 'off' ? 'power' : 'boot'],
    done: (state) => isDone(state, 'boot'),
  },
  {
    id: 'dom0',
    layer: 'dom0',
    commands: () => ['login', 'list'],
    done: (state) => isDone(state, 'login') && isDone(state, 'list'),
  },
  {
    id: 'domu',
    layer: 'domu',
    commands: ({ serialOwner }) => (serialOwner === 'xen' ? ['xen-help', 'back'] : ['create', 'escape']),
    done: (state) => isDone(state, 'create') && isDone(state, 'back'),
  },
]

const isGuestThere = ({ domains }: ActFacts) => Object.keys(domains).some((domid) => domid !== '0')

/** By facts where there are any. That a login or a list came about no probe says: pressing the button has to do. */
export function isDone(state: StepFacts, command: StepCommand): boolean {
  const typed = state.typedThisBoot.includes(command)
  switch (command) {
    case 'power':
      return state.power !== 'off'
    case 'boot':
      return state.power === 'xen'
    case 'login':
      return typed || isDone(state, 'list') || isGuestThere(state)
    case 'list':
    case 'xen-help':
      return typed
    case 'create':
      return isGuestThere(state)
    case 'escape':
      return state.escapedToXen
    case 'back':
      return state.escapedToXen && state.serialOwner === 'dom0'
  }
}

/** In the order in which somebody who knows nothing would press them. */
export function nextCommand(state: StepFacts): StepCommand | undefined {
  if (state.serialOwner === 'xen' && state.escapedToXen) return isDone(state, 'xen-help') ? 'back' : 'xen-help'
  const order = ['power', 'boot', 'login', 'list', 'create', 'escape'] as const
  return order.find((command) => !isDone(state, command))
}

/** The step that the next command belongs to; the last one when all is done. */
export function stepNow(state: StepFacts): number {
  const next = nextCommand(state)
  const at = steps.findIndex((step) => next !== undefined && step.commands(state).includes(next))
  return at < 0 ? steps.length - 1 : at
}

/** What the machine does while a step is not there yet, or what it waits for. */
export function stageKey(state: StepFacts): Extract<MessageKey, `strip.now.${string}`> {
  if (state.worker === 'starting') return 'strip.now.loading'
  if (state.power !== 'xen') return `strip.now.${state.power}`
  if (state.serialOwner === 'xen') return state.escapedToXen ? 'strip.now.xen-listens' : 'strip.now.xen-boots'
  if (!isDom0Up(state))
    return state.settled && !state.xenstoreUp && state.serialOwner !== undefined
      ? 'strip.now.services'
      : 'strip.now.dom0-boots'
  return nextCommand(state) === undefined ? 'strip.now.done' : 'strip.now.dom0'
}
