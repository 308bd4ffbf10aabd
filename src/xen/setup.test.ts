import { describe, expect, test } from 'vitest'
import { TestHost } from './testing-host.ts'

const JUNK = { bytes: Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff), string: '/boot/vmlinuz root=/dev/sda1' }
const SERIAL = '/boot/xen-3.3.gz com1=115200,8n1 console=com1'

describe('boot', () => {
  test('a module that is no kernel: the log up to the panic', () => {
    const host = new TestHost({ cmdline: `${SERIAL} noreboot`, modules: [JUNK] })
    host.boot()
    host.expect('Manual reset required')
    host.runFor(1e9)
    expect(host.serial.replaceAll('\r\n', '\n')).toMatchSnapshot()
  })
})
