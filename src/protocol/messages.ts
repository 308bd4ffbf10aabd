/**
 * The messages between the page and the machine's worker. Bytes of serial ports, the monitor's cells, keys, machine controls, probes:
 * nothing else crosses. Console bytes are batched by the worker (at most one message a console and animation frame).
 */
import type { LinkOutput } from '#abi/pc/hostlink.ts'
import type { DomainProbe, Probe } from '#abi/probe.ts'
import type { DiskBatch, DiskChunk } from './disk.ts'
import type { ClockMode, CrashReport, Input, MachineState, SerialLine, TextScreen, WorldRecord } from './machine.ts'
import type { XrayBatch, XraySnapshot, XrayWatch } from './xray.ts'

export interface MachineOptions {
  readonly memoryMiB: number
  readonly seed: number
  readonly clock: ClockMode
  /** With the second disk, which has Debian's guests (`npm run guests:debian`). */
  readonly guests?: boolean
}

/** Page to worker. Requests carry an id; the answer is a `reply` with that id. */
export type ToWorker =
  /**
   * Make a world and press its power button, unless `press` is false. `disk`: the base disk container, gzipped or not
   * (lib/ondisk/disk-container.ts), or its first part; transferred. `secondDisk`: a whole one. `stored`: chunks that an earlier machine left on it. With `persist`, the
   * worker says in `disk-batch` what is to be stored.
   */
  | {
      readonly type: 'power-on'
      readonly options: MachineOptions
      readonly disk: ArrayBuffer
      readonly secondDisk?: ArrayBuffer | undefined
      readonly press: boolean
      readonly stored?: readonly DiskChunk[]
      readonly persist?: boolean
    }
  /** The rest of the base disk whose first part came with `power-on`; transferred. */
  | { readonly type: 'disk-part'; readonly disk: ArrayBuffer }
  /**
   * What executes machine code, as a script: worker/machine-code.ts. Once for a worker. `translations`: what has been translated already (world/translations.ts), gzipped
   * or not; transferred.
   */
  | { readonly type: 'machine-code'; readonly text: string; readonly translations?: ArrayBuffer | undefined }
  | { readonly type: 'input'; readonly input: Input }
  | { readonly type: 'clock'; readonly mode: ClockMode }
  /** Pace of screen messages: false while nobody can see the page. */
  | { readonly type: 'visible'; readonly visible: boolean }
  /** What of the trace the page wants to see from now on, of whatever machine; undefined: nothing. */
  | { readonly type: 'xray'; readonly watch: XrayWatch | undefined }
  | { readonly type: 'request'; readonly id: number; readonly request: Request }

/** Whether another machine is needed for `next`: memory, dice and disks are built in. */
export const isOtherMachine = (options: MachineOptions, next: MachineOptions): boolean =>
  options.memoryMiB !== next.memoryMiB ||
  options.seed !== next.seed ||
  (options.guests ?? false) !== (next.guests ?? false)

export type Request =
  /** Turbo for `ns` of virtual time. Answer: virtual now. */
  | { readonly kind: 'run-for'; readonly ns: number }
  /** Resolves when nothing is runnable and only input timers are left. Answer: virtual now. */
  | { readonly kind: 'settled' }
  | { readonly kind: 'digest' }
  | { readonly kind: 'record' }
  /** Played on a machine of its own, from power-on, with the same options and base disk; it takes the present one's place. */
  | { readonly kind: 'tape'; readonly text: string }
  | { readonly kind: 'read-file'; readonly path: string }
  /** Refused unless the machine is off. The edited disk is the base disk of a new world: records begin there. */
  | { readonly kind: 'write-file'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: 'export-disk' }
  /** Whether `import-disk` would take it; the machine stays as it is. Answer: the size of the disk. */
  | { readonly kind: 'check-image'; readonly bytes: Uint8Array }
  /** Refused unless the machine is off. A raw image, whole sectors; the base disk of a new world. */
  | { readonly kind: 'import-disk'; readonly bytes: Uint8Array }
  /** Replayed on a machine of its own, which takes the present one's place and goes on from there. Answer: the digest at the record's end. */
  | { readonly kind: 'replay'; readonly record: WorldRecord }

export type Reply =
  | { readonly ok: true; readonly value: number | string | Uint8Array | WorldRecord | TapeOutcome }
  | { readonly ok: false; readonly error: string }

/** How a tape ended: exit status as the headless command's, and what it printed. */
export interface TapeOutcome {
  readonly status: 0 | 1 | 2
  readonly transcript: string
  /** Why, with the tape's line, when the status is not 0. */
  readonly error: string | undefined
  readonly digest: string
}

/** Worker to page. */
export type FromWorker =
  /** The worker's code runs and the realm is locked. */
  | { readonly type: 'ready' }
  | {
      readonly type: 'serial'
      readonly line: SerialLine
      readonly bytes: Uint8Array
      /** Pairs of (from which byte on, virtual ns): when they were sent, to the millisecond. */
      readonly times: readonly number[]
    }
  | { readonly type: 'screen'; readonly screen: TextScreen }
  | { readonly type: 'state'; readonly state: MachineState }
  | { readonly type: 'clock'; readonly mode: ClockMode; readonly nowNs: number; readonly settled: boolean }
  /** All but `xenstore`, `domain` and `domain-gone`, which come by the frame in the next two. */
  | { readonly type: 'probe'; readonly probe: Probe }
  /** Lines of the access trace, and the virtual time of each. */
  | { readonly type: 'xenstore'; readonly lines: readonly string[]; readonly atNs: readonly number[] }
  /** Those that are no more; then what each domain is now that has changed since the last message. With Xen (`state`) all are gone, unsaid. */
  | { readonly type: 'domains'; readonly changed: readonly DomainProbe[]; readonly gone: readonly number[] }
  /** Whoever watches forgets what went before: the answer to `xray`, and sent whenever another life of the machine begins. */
  | { readonly type: 'xray-snapshot'; readonly snapshot: XraySnapshot }
  /** What was watched since the last of these, at most once a frame. */
  | { readonly type: 'xray'; readonly batch: XrayBatch }
  /** In spite of `persist`: the present machine plays a tape or a record, and nothing of it is to be stored. */
  | { readonly type: 'disk-temporary' }
  /** With `persist`: what the machine has made durable. */
  | { readonly type: 'disk-batch'; readonly batch: DiskBatch }
  /** What comes out of a host link; the page's end is protocol/links.ts, whose inputs go as `input`. */
  | { readonly type: 'link'; readonly link: number; readonly output: LinkOutput }
  | { readonly type: 'crash'; readonly report: CrashReport }
  | { readonly type: 'reply'; readonly id: number; readonly reply: Reply }
  /** The worker met a fault of its own (not a guest's) and stopped the machine. */
  | { readonly type: 'fault'; readonly message: string }
  /**
   * Sent at least once a second while the machine runs, and once before the worker goes to sleep, with how long it means to (Infinity: until
   * the page says something). The page takes a silence well beyond that for a hung worker.
   */
  | { readonly type: 'alive'; readonly sleepMs: number }
