/** Key z: the I/O APIC's registers as they are (io_apic.c, __print_IO_APIC). */
import { IOAPIC_REG_ID, IOAPIC_REG_REDTBL, IOAPIC_REG_VERSION } from '#abi/pc/apic.ts'
import type { Keyhandler } from '../common/keyhandler.ts'
import { HEX, hex } from '../common/lib.ts'
import { XENLOG_DEBUG, XENLOG_INFO } from '../drivers/console.ts'
import { printk, type Xen } from '../xen.ts'
import type { IoApic } from './io-apic.ts'
import { ioapicPins } from './irq.ts'

export const keyIoapic: Keyhandler = {
  key: 'z',
  help: 'print ioapic info',
  present: (xen) => xen.ioApics.length > 0,
  run(xen) {
    const say = (text: string): void => printk(xen, `${XENLOG_DEBUG}${text}\n`)
    // Its interrupt sources come from the MADT, none from an MP table.
    say('number of MP IRQ sources: 0.')
    for (const ioApic of xen.ioApics) say(`number of IO-APIC #${ioApic.id} registers: ${ioApic.lastPin + 1}.`)
    printk(xen, `${XENLOG_INFO}testing the IO APIC.......................\n`)
    for (const ioApic of xen.ioApics) registers(xen, ioApic)
    printk(xen, `${XENLOG_INFO}Using vector-based indexing\n`)
    say('IRQ to pin mappings:')
    for (const { vector, ioApic, pin } of ioapicPins(xen)) say(`IRQ${vector} -> ${xen.ioApics.indexOf(ioApic)}:${pin}`)
    printk(xen, `${XENLOG_INFO}.................................... done.\n`)
    return undefined
  },
}

function registers(xen: Xen, ioApic: IoApic): void {
  const say = (text: string): void => printk(xen, `${XENLOG_DEBUG}${text}\n`)
  const id = ioApic.read(IOAPIC_REG_ID)
  const version = ioApic.read(IOAPIC_REG_VERSION)
  const arbitration = ioApic.read(2)
  const boot = ioApic.read(3)
  say(`IO APIC #${ioApic.id}......`)
  say(`.... register #00: ${HEX(id, 8)}`)
  say(`.......    : physical APIC id: ${HEX((id >>> 24) & 0x0f, 2)}`)
  say(`.......    : Delivery Type: ${(id >>> 15) & 1}`)
  say(`.......    : LTS          : ${(id >>> 14) & 1}`)
  say(`.... register #01: ${HEX(version, 8)}`)
  say(`.......     : max redirection entries: ${HEX((version >>> 16) & 0xff, 4)}`)
  say(`.......     : PRQ implemented: ${(version >>> 15) & 1}`)
  say(`.......     : IO APIC version: ${HEX(version & 0xff, 4)}`)
  if ((version & 0xff) >= 0x10 && arbitration !== version) {
    say(`.... register #02: ${HEX(arbitration, 8)}`)
    say(`.......     : arbitration: ${HEX((arbitration >>> 24) & 0x0f, 2)}`)
  }
  if ((version & 0xff) >= 0x20 && boot !== arbitration && boot !== version) {
    say(`.... register #03: ${HEX(boot, 8)}`)
    say(`.......     : Boot DT    : ${boot & 1}`)
  }
  say('.... IRQ redirection table:')
  say(' NR Log Phy Mask Trig IRR Pol Stat Dest Deli Vect:   ')
  for (let pin = 0; pin <= ioApic.lastPin; pin++) {
    const low = ioApic.read(IOAPIC_REG_REDTBL + 2 * pin)
    const high = ioApic.read(IOAPIC_REG_REDTBL + 2 * pin + 1)
    const bit = (n: number): number => (low >>> n) & 1
    say(
      ` ${hex(pin, 2)} ${HEX(high >>> 24, 3)} ${HEX((high >>> 24) & 0x0f, 2)}  ` +
        `${bit(16)}    ${bit(15)}    ${bit(14)}   ${bit(13)}   ${bit(12)}    ${bit(11)}    ${(low >> 8) & 7}    ${HEX(low & 0xff, 2)}`,
    )
  }
}
