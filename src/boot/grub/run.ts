/** Straight-line code of the boot loader: a generator that yields wherever the real one polls (lib/polling.ts). */
import type { Exit } from '#abi/pc/metal.ts'

export type Run<T = void> = Generator<Exit, T>

/** What takes time perhaps, as `Run` does, or none at all. */
export type Steps = Iterable<Exit>
export const AT_ONCE: Steps = []

/** Nothing to wait for, but much to do: others get their turn, and nobody takes the loader for hung. */
export const RUN_ON: Exit = { kind: 'run' }

/** Wait for input, for ever. */
export const FOR_INPUT: Exit = { kind: 'pause', untilNs: Number.POSITIVE_INFINITY, forInput: true }

/** Wait for input until `untilNs` at the latest: a countdown. */
export const forInputUntil = (untilNs: number): Exit => ({ kind: 'pause', untilNs, forInput: true })

/** Wait for a chip. */
export const forDeviceUntil = (untilNs: number): Exit => ({ kind: 'pause', untilNs, forInput: false })

export const SECOND_NS = 1_000_000_000

/** Configuration files were changed under us: begin again with reading the menu (longjmp to restart_env in stage2.c). */
export class Restart {}

/** The terminal was changed at the command line: repaint and go on there (longjmp to restart_cmdline_env). */
export class RestartCommandLine {}
