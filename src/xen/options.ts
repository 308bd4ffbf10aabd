/** Everything the command line sets, and the table that says how. An option that is not here does nothing, as in life. */

import { parseAmount } from './arch-x86/dom0-mem.ts'
import type { Param } from './common/kernel.ts'
import { parseSize, strtoul } from './common/lib.ts'
import { BUILD, type Build, is34 } from './config.ts'
import { parseLoglvl, type Thresholds } from './drivers/console.ts'
import { SERIAL_TX_BYTES_DEFAULT, SERIAL_TX_BYTES_MIN } from './drivers/serial.ts'

export interface Options {
  console: string
  com1: string
  com2: string
  conswitch: string
  syncConsole: boolean
  consoleToRing: boolean
  consoleTimestamps: boolean
  loglvl: Thresholds
  guestLoglvl: Thresholds
  serialTxBytes: number
  vga: string
  noreboot: boolean
  /** Which way to reset first: `a`CPI, `k`eyboard controller, `t`riple fault, `b`IOS. */
  reboot: string
  warmReboot: boolean
  nosmp: boolean
  maxcpus: number
  /** Bytes; 0: all. */
  mem: number
  xenheapMegabytes: number
  badpage: string
  bootscrub: boolean
  /** Memory below so many bits of address is counted apart. It goes last with and without: there is one node. */
  dmaBits: number
  /** Frames; 0: not given; negative: all but so many. */
  dom0Pages: number
  dom0MinPages: number
  dom0MaxPages: number
  dom0MaxVcpus: number
  /** Frames that a domain's grant table may grow to. */
  gnttabMaxNrFrames: number
  /** Frames of each processor's trace buffer. */
  tbufSize: number
  clocksource: string
  nmi: string
  acpi: string
  noapic: boolean
  acpiSkipTimerOverride: boolean
  ioapicAckOld: boolean
  /** APIC_QUIET, _VERBOSE, _DEBUG. */
  apicVerbosity: number
  sched: string
  watchdog: boolean
  dom0VcpusPin: boolean
  dom0IoportsDisable: string
  /** Bytes, and where; 0: not said. */
  crashkernel: { size: number; start: number }
  /** XEN_PROCESSOR_PM_CX and _PX: what Xen, not dom0, is to control. */
  processorPm: number
  maxCstate: number
  numaOff: boolean
  forceIommu: boolean
  /** Bytes of the console ring, if more than it has. */
  conringSize: number
}

/** setup_cpufreq_option and xen_cpuidle: bits of start_info.flags, shifted by 8. */
export const XEN_PROCESSOR_PM_CX = 1
const XEN_PROCESSOR_PM_PX = 2

/** NR_CPUS of an x86_64 build. */
export const NR_CPUS = 32
export const XENHEAP_DEFAULT_MB = 16
const DEFAULT_MAX_NR_GRANT_FRAMES = 32

export const defaultOptions = (build: Build = BUILD): Options => ({
  console: 'vga',
  com1: '',
  com2: '',
  conswitch: 'a',
  syncConsole: false,
  consoleToRing: false,
  consoleTimestamps: false,
  // A release build: errors and warnings; of guests, those at a limited rate.
  loglvl: build.debug ? { lower: 4, upper: 4 } : { lower: 2, upper: 2 },
  guestLoglvl: build.debug ? { lower: 4, upper: 4 } : { lower: 0, upper: 2 },
  serialTxBytes: SERIAL_TX_BYTES_DEFAULT,
  vga: '',
  noreboot: false,
  reboot: 'a',
  warmReboot: false,
  nosmp: false,
  maxcpus: NR_CPUS,
  mem: 0,
  xenheapMegabytes: XENHEAP_DEFAULT_MB,
  badpage: '',
  bootscrub: true,
  dmaBits: 0,
  dom0Pages: 0,
  dom0MinPages: 0,
  dom0MaxPages: Number.POSITIVE_INFINITY,
  dom0MaxVcpus: 0,
  gnttabMaxNrFrames: DEFAULT_MAX_NR_GRANT_FRAMES,
  tbufSize: 0,
  clocksource: '',
  nmi: build.debug ? 'fatal' : 'dom0',
  acpi: '',
  noapic: false,
  acpiSkipTimerOverride: false,
  ioapicAckOld: false,
  apicVerbosity: 0,
  sched: 'credit',
  watchdog: false,
  dom0VcpusPin: false,
  dom0IoportsDisable: '',
  crashkernel: { size: 0, start: 0 },
  processorPm: is34({ build }) ? XEN_PROCESSOR_PM_CX : 0,
  maxCstate: is34({ build }) ? 7 : 2,
  numaOff: true,
  forceIommu: false,
  conringSize: 0,
})

/** `say` is for what a parser itself complains of. */
export function params(
  options: Options,
  build: Build = BUILD,
  say: (text: string) => void = () => {},
): readonly Param[] {
  const boolean = (name: string, key: BooleanKey): Param => ({
    name,
    type: 'boolean',
    set: (value) => {
      options[key] = value
    },
  })
  const integer = (name: string, key: IntegerKey): Param => ({
    name,
    type: 'integer',
    set: (value) => {
      options[key] = value
    },
  })
  const string = (name: string, key: StringKey, length: number): Param => ({
    name,
    type: 'string',
    length,
    set: (value) => {
      options[key] = value
    },
  })
  const custom = (name: string, set: (value: string) => void): Param => ({ name, type: 'custom', set })
  return [
    string('console', 'console', 30),
    string('com1', 'com1', 30),
    string('com2', 'com2', 30),
    string('conswitch', 'conswitch', 3),
    boolean('sync_console', 'syncConsole'),
    boolean('console_to_ring', 'consoleToRing'),
    boolean('console_timestamps', 'consoleTimestamps'),
    custom('loglvl', (value) => {
      options.loglvl = parseLoglvl(value)
    }),
    custom('guest_loglvl', (value) => {
      options.guestLoglvl = parseLoglvl(value)
    }),
    custom('serial_tx_buffer', (value) => {
      options.serialTxBytes = Math.max(parseSize(value).value, SERIAL_TX_BYTES_MIN)
    }),
    string('vga', 'vga', 30),
    boolean('noreboot', 'noreboot'),
    custom('reboot', (value) => {
      for (const word of value.split(',')) {
        const letter = word[0] ?? ''
        if (letter === 'w') options.warmReboot = true
        else if (letter === 'c') options.warmReboot = false
        else if ('bakt'.includes(letter) && letter !== '') options.reboot = letter
      }
    }),
    boolean('nosmp', 'nosmp'),
    integer('maxcpus', 'maxcpus'),
    custom('mem', (value) => {
      options.mem = parseSize(value).value
    }),
    integer('xenheap_megabytes', 'xenheapMegabytes'),
    string('badpage', 'badpage', 100),
    boolean('bootscrub', 'bootscrub'),
    integer('dma_bits', 'dmaBits'),
    custom('dom0_mem', (value) => parseDom0Mem(options, value)),
    integer('dom0_max_vcpus', 'dom0MaxVcpus'),
    integer('gnttab_max_nr_frames', 'gnttabMaxNrFrames'),
    integer('tbuf_size', 'tbufSize'),
    string('clocksource', 'clocksource', 10),
    string('nmi', 'nmi', 10),
    custom('acpi', (value) => {
      options.acpi = value.slice(0, 9)
    }),
    boolean('noapic', 'noapic'),
    boolean('acpi_skip_timer_override', 'acpiSkipTimerOverride'),
    custom('ioapic_ack', (value) => {
      if (value === 'old' || value === 'new') options.ioapicAckOld = value === 'old'
      else say(`Unknown ioapic_ack value specified: '${value}'\n`)
    }),
    custom('apic_verbosity', (value) => {
      const level = ['', 'verbose', 'debug'].indexOf(value)
      if (level > 0) options.apicVerbosity = level
      else say(`<1>APIC Verbosity level ${value} not recognised use apic_verbosity=verbose or apic_verbosity=debug`)
    }),
    string('sched', 'sched', 10),
    boolean('watchdog', 'watchdog'),
    boolean('dom0_vcpus_pin', 'dom0VcpusPin'),
    string('dom0_ioports_disable', 'dom0IoportsDisable', 200),
    custom('crashkernel', (value) => {
      const size = parseSize(value)
      const start = size.rest[0] === '@' ? parseSize(size.rest.slice(1)).value : options.crashkernel.start
      options.crashkernel = { size: size.value, start }
    }),
    custom('cpufreq', (value) => {
      if (value === 'xen') options.processorPm |= XEN_PROCESSOR_PM_PX
      if (value !== 'dom0-kernel') return
      options.processorPm &= ~XEN_PROCESSOR_PM_PX
      options.dom0VcpusPin = true
    }),
    {
      name: 'cpuidle',
      type: 'boolean',
      set: (on) => {
        options.processorPm = (options.processorPm & ~XEN_PROCESSOR_PM_CX) | (on ? XEN_PROCESSOR_PM_CX : 0)
      },
    },
    integer('max_cstate', 'maxCstate'),
    custom('numa', (value) => {
      if (value.startsWith('off')) options.numaOff = true
      else if (/^on|^noacpi|^fake=/.test(value)) options.numaOff = false
    }),
    custom('iommu', (value) => {
      if (value.split(',').some((word) => word === 'force' || word === 'required')) options.forceIommu = true
    }),
    ...(is34({ build })
      ? [
          custom('conring_size', (value) => {
            options.conringSize = parseSize(value).value
          }),
        ]
      : []),
  ]
}

type KeyOf<T> = {
  [K in keyof Options]: Options[K] extends T ? (T extends Options[K] ? K : never) : never
}[keyof Options]
type BooleanKey = KeyOf<boolean>
type IntegerKey = KeyOf<number>
type StringKey = KeyOf<string>

/** dom0_mem=[min:<amount>,][max:<amount>,][<amount>] */
function parseDom0Mem(options: Options, value: string): void {
  let rest = value
  for (;;) {
    const limit = /^(min|max):/.exec(rest)?.[1]
    const amount = parseAmount(limit ? rest.slice(4) : rest)
    if (limit === 'min') options.dom0MinPages = amount.pages
    else if (limit === 'max') options.dom0MaxPages = amount.pages
    else options.dom0Pages = amount.pages
    if (amount.rest[0] !== ',') return
    rest = amount.rest.slice(1)
  }
}

/** badpage=: ranges of frame numbers, both ends included. */
export function badPages(text: string): readonly (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = []
  let rest = text
  while (rest !== '') {
    const from = strtoul(rest, 0)
    let to = from.value
    rest = from.rest
    if (rest[0] === '-') {
      const end = strtoul(rest.slice(1), 0)
      to = Math.max(end.value, from.value)
      rest = end.rest
    }
    ranges.push([from.value, to])
    if (rest[0] !== ',') break
    rest = rest.slice(1)
  }
  return ranges
}
