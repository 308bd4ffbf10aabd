/** Everything the command line sets, and the table that says how. An option that is not here does nothing, as in life. */
import { parseAmount } from './arch-x86/dom0-mem.ts'
import type { Param } from './common/kernel.ts'
import { parseSize, strtoul } from './common/lib.ts'
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
  /** Frames; 0: not given; negative: all but so many. */
  dom0Pages: number
  dom0MinPages: number
  dom0MaxPages: number
  dom0MaxVcpus: number
  /** Frames that a domain's grant table may grow to. */
  gnttabMaxNrFrames: number
  clocksource: string
  nmi: string
  acpi: string
  noapic: boolean
}

/** NR_CPUS of an x86_64 build. */
export const NR_CPUS = 32
export const XENHEAP_DEFAULT_MB = 16
const DEFAULT_MAX_NR_GRANT_FRAMES = 32

export const defaultOptions = (): Options => ({
  console: 'vga',
  com1: '',
  com2: '',
  conswitch: 'a',
  syncConsole: false,
  consoleToRing: false,
  consoleTimestamps: false,
  // A release build: errors and warnings; of guests, those at a limited rate.
  loglvl: { lower: 2, upper: 2 },
  guestLoglvl: { lower: 0, upper: 2 },
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
  dom0Pages: 0,
  dom0MinPages: 0,
  dom0MaxPages: Number.POSITIVE_INFINITY,
  dom0MaxVcpus: 0,
  gnttabMaxNrFrames: DEFAULT_MAX_NR_GRANT_FRAMES,
  clocksource: '',
  nmi: 'dom0',
  acpi: '',
  noapic: false,
})

export function params(options: Options): readonly Param[] {
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
    custom('dom0_mem', (value) => parseDom0Mem(options, value)),
    integer('dom0_max_vcpus', 'dom0MaxVcpus'),
    integer('gnttab_max_nr_frames', 'gnttabMaxNrFrames'),
    string('clocksource', 'clocksource', 10),
    string('nmi', 'nmi', 10),
    custom('acpi', (value) => {
      options.acpi = value.slice(0, 9)
    }),
    boolean('noapic', 'noapic'),
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
