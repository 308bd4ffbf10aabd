/** The machine as its front panel shows it: power, clock, whether anybody is there. */
import type { ClockMode, MachineState } from '#protocol/machine.ts'
import type { MachineOptions } from '#protocol/messages.ts'
import type { WorkerStatus } from '../../client.ts'
import { defineSlice } from '../../store/slice.ts'

export interface MachineSlice {
  readonly power: MachineState
  readonly worker: WorkerStatus
  /** What killed the worker, when it is dead. */
  readonly workerMessage: string
  readonly mode: ClockMode
  readonly settled: boolean
  /** Virtual time as last heard. */
  readonly nowNs: number
  /** Of the present machine. */
  readonly options: MachineOptions
  /** Of the machine that the next power-on makes. */
  readonly nextOptions: MachineOptions
}

export const defaultOptions: MachineOptions = { memoryMiB: 1024, seed: 1, clock: 'turbo' }

export const machineSlice = defineSlice<MachineSlice>(
  {
    power: 'off',
    worker: 'none',
    workerMessage: '',
    mode: 'turbo',
    settled: true,
    nowNs: 0,
    options: defaultOptions,
    nextOptions: defaultOptions,
  },
  {
    state: (_, { state }) => ({ power: state }),
    clock: (_, { mode, settled, nowNs }) => ({ mode, settled, nowNs }),
    powering: (_, { options }) => ({ power: 'off', options, mode: options.clock, nowNs: 0, settled: false }),
    worker: ({ power }, { status, message }) => ({
      worker: status,
      workerMessage: message,
      power: status === 'dead' ? 'off' : power,
    }),
    'next-options': ({ nextOptions }, { options }) => ({ nextOptions: { ...nextOptions, ...options } }),
  },
)
