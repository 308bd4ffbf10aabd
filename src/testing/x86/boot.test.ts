/** Debian's kernel on the bench: its first lines, and that a boot is the same however often it is made. `npm run soak` boots it to the end. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { madeGuests } from '../../../scripts/guests-debian.mjs'
import { campaign } from '../soak.ts'
import { PvGuest } from './direct-boot.ts'

const kernel = madeGuests()?.kernels[0]
if (!kernel) console.warn("SKIPPED: Debian's kernel on the bench. Run `npm run guests:debian` to run these.")

/** To the shell, or the first tenth of a second. */
const BOOT_NS = campaign(60e9, 0.1e9)
const THRESHOLDS = campaign([64, 64, 1], [64, 16])
const SECONDS = campaign(1200, 120)

function booted(threshold: number): { readonly text: string; readonly nowNs: number; readonly serial: string } {
  const [image, initrd] = [kernel!.kernel, kernel!.initrd].map((path) => new Uint8Array(readFileSync(path)))
  const guest = new PvGuest({
    kernel: image!,
    initrd,
    cmdline: 'console=hvc0 earlyprintk=xen',
    vcpus: 2,
    host: { ring3: { threshold } },
  })
  let asked = false
  guest.runUntil(() => {
    if (!asked && guest.console.text.includes('root@debian:')) {
      asked = true
      guest.console.type('poweroff -f\r')
    }
    return false
  }, BOOT_NS)
  return { text: guest.console.text, nowNs: guest.host.nowNs, serial: guest.host.serial }
}

describe.skipIf(!kernel)("Debian's kernel", () => {
  test('boots the same way, to the byte and the nanosecond, whatever is translated when', {
    timeout: SECONDS * 1000,
  }, () => {
    const boots = THRESHOLDS.map(booted)
    const [first] = boots
    expect(first!.text).toContain('Hypervisor detected: Xen PV')
    if (BOOT_NS > 1e9) expect(first!.text).toMatch(/reboot: (?:System halted|Power down)/)
    for (const other of boots) expect(other).toEqual(first)
  })
})
