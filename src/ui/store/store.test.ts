import { describe, expect, it } from 'vitest'
import type { DomainProbe } from '#abi/probe.ts'
import { XEN_DOMINF_blocked } from '#abi/xen/domctl.ts'
import { SHUTDOWN_crash } from '#abi/xen/sched.ts'
import type { CrashReport, MachineState } from '#protocol/machine.ts'
import { say } from '../i18n/index.ts'
import { defaultOptions } from '../panels/machine/slice.ts'
import type { UiEvent } from './slice.ts'
import { hintKey, memoryRefused, monitorCaption, statusWords } from './status.ts'
import { fold, initialState } from './store.ts'

const stateAfter = (...events: UiEvent[]) => events.reduce(fold, initialState)
const state = (to: MachineState): UiEvent => ({ type: 'state', state: to })
const grubOn = (...terminals: ('serial' | 'console')[]): UiEvent => ({
  type: 'probe',
  probe: { kind: 'boot-terminal', terminals },
})
const serialTo = (owner: 'xen' | 'dom0'): UiEvent => ({ type: 'probe', probe: { kind: 'serial-input', owner } })
const domain = (domid: number, flags: number): DomainProbe => ({
  domid,
  handle: '0'.repeat(32),
  flags,
  onlineVcpus: 1,
  totPages: 100,
  maxPages: 100,
  cpuNs: 0,
  atNs: 0,
})
const domains = (...domids: number[]): UiEvent => ({
  type: 'domains',
  changed: domids.map((domid) => domain(domid, XEN_DOMINF_blocked)),
  gone: [],
})
const dom0Crashed: UiEvent = { type: 'probe', probe: { kind: 'dom0-shutdown', reason: SHUTDOWN_crash } }
const ready: UiEvent = { type: 'worker', status: 'ready', message: '' }
const report: CrashReport = {
  image: 'stage2',
  message: 'fuel exhausted',
  file: 'boot/grub/run.ts',
  line: 42,
  stack: ['loop (boot/grub/run.ts:42)'],
  atNs: 5,
}
const panic: UiEvent = { type: 'probe', probe: { kind: 'panic', message: 'Could not set up DOM0 guest OS' } }

describe('the status in words', () => {
  const cases: [string, UiEvent[], string][] = [
    ['before anything', [], 'The machine is off.'],
    ['while it loads', [{ type: 'worker', status: 'starting', message: '' }], 'Getting the machine ready …'],
    ['in firmware', [ready, state('firmware')], 'Firmware tests the hardware and looks for a disk to boot.'],
    ['in a boot loader that has said nothing', [state('bootloader')], 'A boot loader runs.'],
    ['GRUB on serial', [state('bootloader'), grubOn('serial')], 'GRUB is on the serial line.'],
    ['GRUB on the monitor', [state('bootloader'), grubOn('console')], 'GRUB is on the monitor.'],
    [
      'GRUB on both',
      [state('bootloader'), grubOn('console', 'serial')],
      'GRUB is on the serial line and on the monitor.',
    ],
    ['Xen after GRUB', [state('bootloader'), grubOn('serial'), state('xen')], 'Xen runs.'],
    [
      'Xen has the serial line',
      [state('xen'), { type: 'probe', probe: { kind: 'serial-input', owner: 'xen' } }],
      'Xen runs. What you type on the serial line goes to Xen.',
    ],
    ['dom0 and nobody else', [state('xen'), serialTo('dom0'), domains(0)], 'Xen runs dom0. Serial input goes to dom0.'],
    [
      'a guest',
      [state('xen'), serialTo('xen'), domains(0, 1)],
      'Xen runs dom0 and one domU. Serial input goes to Xen.',
    ],
    [
      'guests',
      [state('xen'), serialTo('dom0'), domains(0, 1, 4)],
      'Xen runs dom0 and 2 domUs. Serial input goes to dom0.',
    ],
    ['dom0 gone', [state('xen'), serialTo('dom0'), domains(0), dom0Crashed], 'dom0 is dead; Xen still runs.'],
    ['dom0 anew', [state('xen'), dom0Crashed, state('firmware'), state('xen')], 'Xen runs.'],
    ['a panic', [state('xen'), panic, state('panicked')], 'Xen has panicked: Could not set up DOM0 guest OS'],
    ['halted', [state('halted')], 'The machine has halted. Reset gets it going again.'],
    [
      'a crash',
      [state('halted'), { type: 'crash', report }],
      'The code that ran has crashed: stage2. Reset gets the machine going again.',
    ],
    [
      'reset after a crash',
      [state('halted'), { type: 'crash', report }, state('firmware'), state('bootloader')],
      'A boot loader runs.',
    ],
    [
      'a hung worker',
      [state('xen'), { type: 'worker', status: 'hung', message: '' }],
      'The machine has not answered for ten seconds.',
    ],
    [
      'a dead worker',
      [state('xen'), { type: 'worker', status: 'dead', message: 'x' }],
      'The machine is gone: its worker died. Nothing outside it was harmed.',
    ],
  ]
  it.each(cases)('%s', (_, events, expected) => {
    expect(say('en', statusWords(stateAfter(...events)))).toBe(expected)
  })
})

describe('folding', () => {
  it('keeps the very same state where nothing changed', () => {
    const on = stateAfter(state('xen'))
    expect(fold(on, state('xen'))).toBe(on)
    expect(fold(on, { type: 'alive', sleepMs: 0 })).toBe(on)
  })

  it('a new machine forgets crash, panic and where GRUB was', () => {
    const troubled = stateAfter(state('bootloader'), grubOn('serial'), panic, { type: 'crash', report })
    expect(troubled).toMatchObject({ crash: report, bootTerminals: ['serial'] })
    expect(fold(troubled, { type: 'powering', options: defaultOptions })).toMatchObject({
      crash: undefined,
      panic: undefined,
      bootTerminals: undefined,
      power: 'off',
    })
  })

  it('a dead worker has no machine that is on', () => {
    expect(stateAfter(state('xen'), { type: 'worker', status: 'dead', message: '' }).power).toBe('off')
    expect(stateAfter(state('xen'), { type: 'worker', status: 'hung', message: '' }).power).toBe('xen')
  })

  it('options of the next power-on are not those of the present machine', () => {
    const next = stateAfter({ type: 'next-options', options: { seed: 7 } })
    expect(next.options.seed).toBe(1)
    expect(next.nextOptions).toEqual({ ...defaultOptions, seed: 7 })
  })

  it('a crash report goes away when it is dismissed', () => {
    expect(stateAfter({ type: 'crash', report }, { type: 'dismiss-crash' }).crash).toBeUndefined()
  })
})

describe('under the monitor', () => {
  const cases: [string, UiEvent[], boolean, string][] = [
    ['off', [], false, 'monitor.off'],
    ['GRUB elsewhere', [state('bootloader'), grubOn('serial')], false, 'monitor.serial'],
    ['GRUB elsewhere, focused', [state('bootloader'), grubOn('serial')], true, 'monitor.serial'],
    ['GRUB here', [state('bootloader'), grubOn('console')], false, 'monitor.console'],
    ['GRUB here, focused', [state('bootloader'), grubOn('console')], true, 'monitor.focus'],
    ['Xen', [state('xen')], false, 'monitor.idle'],
  ]
  it.each(cases)('%s', (_, events, focused, expected) => {
    expect(monitorCaption(stateAfter(...events), focused)).toBe(expected)
  })
})

it('the hint fits the state', () => {
  expect(hintKey(stateAfter(state('bootloader')))).toBe('hint.bootloader')
  expect(hintKey(stateAfter({ type: 'worker', status: 'starting', message: '' }))).toBe('status.loading')
})

describe('memory that the browser refuses', () => {
  it.each([
    ['RangeError: WebAssembly.Memory(): could not allocate memory', true],
    ['RangeError: WebAssembly.Memory(): Property "initial": value 69632 is above the upper bound 65536', true],
    ['Error: broken invariant', false],
    ['', false],
  ])('%s: %s', (message, expected) => {
    expect(memoryRefused(stateAfter({ type: 'worker', status: 'dead', message }))).toBe(expected)
  })
})
