import { describe, expect, test } from 'vitest'
import { BAUD_AUTO, parseUart } from './ns16550.ts'
import { NO_HANDLE, parseSerialHandle, SERHND_COOKED, SERHND_HI, SERHND_LO } from './serial.ts'

const COM1 = { baud: 115200, dataBits: 8, parity: 0, stopBits: 1, ioBase: 0x3f8, irq: 4 }

describe('com1=', () => {
  test.each([
    ['115200', COM1],
    ['115200,8n1', COM1],
    ['9600,7e2', { ...COM1, baud: 9600, dataBits: 7, parity: 3 << 3, stopBits: 2 }],
    ['38400,8o1,0x2f8,3', { ...COM1, baud: 38400, parity: 1 << 3, ioBase: 0x2f8, irq: 3 }],
    ['115200,8n1,0x3f8,0', { ...COM1, irq: 0 }],
    ['auto', { ...COM1, baud: BAUD_AUTO }],
    ['auto,8n1', { ...COM1, baud: BAUD_AUTO }],
    ['115200,8x1', COM1],
    ['300', 'Baud rate 300 outside supported range.'],
    ['230400,8n1', 'Baud rate 230400 outside supported range.'],
    ['nonsense', 'Baud rate 0 outside supported range.'],
    ['115200,9n1', '9 data bits are unsupported.'],
    ['115200,4n1', '4 data bits are unsupported.'],
    ['115200,8n3', '3 stop bits are unsupported.'],
    ['115200,8n1,0', 'I/O base address must be specified.'],
  ])('%s', (option, expected) => {
    expect(parseUart(0, option, false)).toEqual(expected)
  })

  test('absent: used only as the console, at the rate it has', () => {
    expect(parseUart(0, '', false)).toBeUndefined()
    expect(parseUart(1, '', true)).toEqual({ ...COM1, baud: BAUD_AUTO, ioBase: 0x2f8, irq: 3 })
  })
})

describe('console=com...', () => {
  test.each([
    ['com1', SERHND_COOKED],
    ['com2', SERHND_COOKED | 1],
    ['com1H', SERHND_COOKED | SERHND_HI],
    ['com2L', SERHND_COOKED | SERHND_LO | 1],
    ['none', NO_HANDLE],
    ['com3', undefined],
    ['com', undefined],
  ])('%s', (conf, handle) => {
    expect(parseSerialHandle(conf)).toBe(handle)
  })
})
