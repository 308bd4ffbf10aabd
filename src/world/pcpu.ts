/** One processor as the world runs it: its own time, what its code waits for. */
import type { Exit, Metal, PcpuCode } from '#abi/pc/metal.ts'

export type PcpuStatus =
  /** Waits for a STARTUP IPI, or is dead after a crash. */
  | 'stopped'
  | 'runnable'
  /** HLT with interrupts on. */
  | 'halted'
  /** CLI; HLT. */
  | 'dead-halted'
  /** A folded polling loop. */
  | 'paused'

export interface Pcpu {
  readonly index: number
  status: PcpuStatus
  /** This processor's local time; never behind its last run's end. */
  timeNs: number
  code: PcpuCode | undefined
  /** For crash reports: which image runs here. */
  image: string
  /** Real mode: the BIOS's handlers serve interrupts, the image's code never sees one. */
  realMode: boolean
  untilNs: number
  forInput: boolean
  /** Virtual time that no fuel count covers, in the run under way. */
  chargedNs: number
  readonly metal: Metal
}

/** When this processor would run next if nothing wakes it before. */
export function startNs(cpu: Pcpu): number {
  if (cpu.status === 'runnable') return cpu.timeNs
  if (cpu.status === 'paused') return cpu.untilNs > cpu.timeNs ? cpu.untilNs : cpu.timeNs
  return Number.POSITIVE_INFINITY
}

/** Take note of why code came back. A jump is the caller's business. */
export function park(cpu: Pcpu, exit: Exit): void {
  switch (exit.kind) {
    case 'run':
    case 'jump':
      cpu.status = 'runnable'
      return
    case 'hlt':
      cpu.status = exit.interrupts ? 'halted' : 'dead-halted'
      return
    case 'pause':
      cpu.status = 'paused'
      cpu.untilNs = exit.untilNs
      cpu.forInput = exit.forInput
      return
  }
}

/** Something that a polling loop may look at has changed at `atNs`. */
export function wake(cpu: Pcpu, atNs: number): void {
  cpu.status = 'runnable'
  if (atNs > cpu.timeNs) cpu.timeNs = atNs
}

/** Power-on state: processors other than the first wait for a STARTUP IPI. */
export function resetPcpu(cpu: Pcpu, atNs: number): void {
  cpu.status = 'stopped'
  cpu.code = undefined
  cpu.image = ''
  cpu.realMode = true
  cpu.untilNs = 0
  cpu.forInput = false
  cpu.chargedNs = 0
  if (atNs > cpu.timeNs) cpu.timeNs = atNs
}
