import { describe, expect, test } from 'vitest'
import { defaultOptions, type Options, params } from '../options.ts'
import {
  cmdlineCook,
  cmdlineParse,
  splitCmdline,
  TAINT_MACHINE_CHECK,
  TAINT_SYNC_CONSOLE,
  taintedText,
} from './kernel.ts'
import { parseSize, strtol, strtoul } from './lib.ts'

function parsed(cmdline: string): Options {
  const options = defaultOptions()
  cmdlineParse(params(options), cmdline)
  return options
}

/** What differs from the defaults. */
function changes(cmdline: string): Partial<Options> {
  const defaults = defaultOptions()
  return Object.fromEntries(
    Object.entries(parsed(cmdline)).filter(
      ([key, value]) => JSON.stringify(value) !== JSON.stringify(defaults[key as keyof Options]),
    ),
  )
}

describe('command line', () => {
  test.each<[string, Partial<Options>]>([
    ['', {}],
    ['console=com1', { console: 'com1' }],
    ['console=com1,vga com1=115200,8n1', { console: 'com1,vga', com1: '115200,8n1' }],
    ['noreboot', { noreboot: true }],
    ['noreboot=yes', { noreboot: true }],
    ['noreboot=0', {}],
    ['no-noreboot', {}],
    ['no-noreboot=no', { noreboot: true }],
    ['no-bootscrub', { bootscrub: false }],
    ['bootscrub=off', { bootscrub: false }],
    ['bootscrub=false', { bootscrub: false }],
    ['bootscrub=no', { bootscrub: false }],
    ['bootscrub=maybe', {}],
    ['   nosmp   sync_console ', { nosmp: true, syncConsole: true }],
    ['maxcpus=1', { maxcpus: 1 }],
    ['maxcpus=0x10', { maxcpus: 16 }],
    ['maxcpus=', { maxcpus: 0 }],
    ['unknown watchdogs=7 =', {}],
    ['Console=com1 CONSOLE=com1', {}],
    ['console=com1 console=com2', { console: 'com2' }],
    [`console=${'a'.repeat(50)}`, { console: 'a'.repeat(29) }],
    ['conswitch=bxyz', { conswitch: 'bx' }],
    ['no-console=com1', { console: 'com1' }],
    ['mem=64M', { mem: 64 * 2 ** 20 }],
    ['mem=65536', { mem: 64 * 2 ** 20 }],
    ['reboot=k', { reboot: 'k' }],
    ['reboot=warm,keyboard', { reboot: 'k', warmReboot: true }],
    ['reboot=x', {}],
    ['loglvl=all', { loglvl: { lower: 4, upper: 4 } }],
    ['serial_tx_buffer=1', { serialTxBytes: 1024 }],
    ['serial_tx_buffer=1B', { serialTxBytes: 512 }],
    ['dom0_mem=131072', { dom0Pages: 32768 }],
    ['dom0_mem=128M', { dom0Pages: 32768 }],
    ['dom0_mem=-64M', { dom0Pages: -16384 }],
    ['dom0_mem=min:64M,max:1G,512M', { dom0MinPages: 16384, dom0MaxPages: 262144, dom0Pages: 131072 }],
    ['dom0_mem=max:-128M', { dom0MaxPages: -32768 }],
  ])('%s', (cmdline, expected) => {
    expect(changes(cmdline)).toEqual(expected)
  })

  test('an option is cut at 99 characters', () => {
    expect(parsed(`badpage=${'1,'.repeat(80)}`).badpage.length).toBe(91)
  })

  test.each([
    ['/boot/xen.gz console=com1', 'console=com1'],
    ['  /boot/xen.gz   a b ', 'a b '],
    ['/boot/xen.gz', ''],
    ['', ''],
  ])('cooks %j', (text, cooked) => {
    expect(cmdlineCook(text)).toBe(cooked)
  })

  test.each([
    ['console=com1 -- root=/dev/hda1', 'console=com1', ' root=/dev/hda1'],
    ['a --   b -- c', 'a', ' b -- c'],
    ['a --b', 'a --b', undefined],
    ['a -- ', 'a', ' '],
  ])('splits %j', (cooked, xen, dom0) => {
    expect(splitCmdline(cooked)).toEqual({ xen, dom0 })
  })

  test('taint', () => {
    expect(taintedText(0)).toBe('Not tainted')
    expect(taintedText(TAINT_SYNC_CONSOLE)).toBe('Tainted:    C')
    expect(taintedText(TAINT_MACHINE_CHECK)).toBe('Tainted:  M  ')
  })
})

describe('numbers', () => {
  test.each([
    ['123abc', 0, 123, 'abc'],
    ['0x1f,', 0, 31, ','],
    ['0X1F', 0, 31, ''],
    ['017', 0, 15, ''],
    ['089', 0, 0, '89'],
    ['0xg', 0, 0, 'xg'],
    ['', 0, 0, ''],
    ['ff', 16, 255, ''],
    ['0xff', 16, 255, ''],
    ['-5', 10, 0, '-5'],
  ] as const)('strtoul(%j, %i)', (text, base, value, rest) => {
    expect(strtoul(text, base)).toEqual({ value, rest })
  })

  test.each([
    ['1', 1024, ''],
    ['1B', 1, ''],
    ['1k', 1024, ''],
    ['1M,rest', 2 ** 20, ',rest'],
    ['2g', 2 ** 31, ''],
    ['0x10', 16384, ''],
    ['x', 0, 'x'],
  ])('parseSize(%j)', (text, value, rest) => {
    expect(parseSize(text)).toEqual({ value, rest })
  })

  test('strtol', () => {
    expect(strtol('-12', 0)).toBe(-12)
  })
})
