import { test } from 'vitest'
import { TestHost } from '/work/main/src/xen/testing-host.ts'
import { kernelFile, loaded } from '/work/main/src/xen/testing-guest.ts'
import { start } from '/work/main/src/testing/guests/idle-dom0.ts'
test('x', () => {
  for (let i = 0; i < 4; i++) {
    const a = performance.now()
    const host = new TestHost({ memoryMiB: 256, cmdline: '/x com1=115200 console=com1 dom0_mem=65536', modules: [{ bytes: kernelFile() }], load: () => loaded(start) })
    const b = performance.now()
    host.boot()
    host.expect('MEMORY ARR')
    const c = performance.now()
    host.expect('for ever')
    const d = performance.now()
    console.log((b - a) | 0, (c - b) | 0, (d - c) | 0)
  }
})
