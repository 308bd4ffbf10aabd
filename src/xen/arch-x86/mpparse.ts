/** xen/arch/x86/mpparse.c and acpi/boot.c: the processors and I/O APICs that the firmware tells of. */
import type { MadtOverride } from '../drivers/acpi.ts'
import { acpiTables, hpetAddress, type MadtCpu, pmTimerPort, readMadt } from '../drivers/acpi.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import { NR_CPUS } from '../options.ts'
import { printk, type Xen } from '../xen.ts'
import { identifyCpu } from './cpu.ts'
import { IoApic } from './io-apic.ts'

export interface MpConfig {
  /** Enabled processors in the MADT's order. */
  readonly cpus: readonly MadtCpu[]
  readonly overrides: readonly MadtOverride[]
  /** A MADT with processors and I/O APICs: smp_found_config. */
  readonly smp: boolean
}

/** acpi_boot_table_init. */
export function initAcpiTables(xen: Xen): void {
  if (xen.options.acpi === 'off') return
  xen.acpi = acpiTables(xen.mem, (text) => printk(xen, text)) ?? []
}

/** acpi_boot_init and what follows it. */
export function findProcessors(xen: Xen): MpConfig {
  const say = (text: string): void => printk(xen, text)
  const { mem, acpi } = xen
  say(`${XENLOG_INFO}Using APIC driver default\n`)
  xen.time.pmTimerPort = pmTimerPort(mem, acpi, say)
  const table = acpi.find(({ signature }) => signature === 'APIC')
  const cpus: MadtCpu[] = []
  let overrides: readonly MadtOverride[] = []
  let smp = false
  if (table) {
    const { family, model, stepping } = identifyCpu(xen.current.metal.cpu)
    const version = xen.current.apic.version
    const onCpu = (cpu: MadtCpu): void => {
      if (!cpu.enabled) return
      // The MP table's feature word has four bits for each, so a large model number spills into the family: life's own quirk.
      const feature = (family << 8) | (model << 4) | stepping
      say(`Processor #${cpu.apicId} ${(feature & 0xf00) >> 8}:${(feature & 0xf0) >> 4} APIC version ${version}\n`)
      if (cpus.length >= NR_CPUS) say(`WARNING: NR_CPUS limit of ${NR_CPUS} reached.  Processor ignored.\n`)
      else cpus.push(cpu)
    }
    const onIoApic = ({
      id,
      address,
      gsiBase,
    }: {
      readonly id: number
      readonly address: number
      readonly gsiBase: number
    }): void => {
      const ioApic = new IoApic(mem, id, address, gsiBase)
      say(
        `IOAPIC[${xen.ioApics.length}]: apic_id ${id}, version ${ioApic.version}, address 0x${address.toString(16)}, ` +
          `GSI ${gsiBase}-${gsiBase + ioApic.lastPin}\n`,
      )
      xen.ioApics.push(ioApic)
    }
    if (xen.options.noapic) say(`${XENLOG_INFO}ACPI: Skipping IOAPIC probe due to 'noapic' option.\n`)
    const { noapic, acpi: mode, acpiSkipTimerOverride } = xen.options
    const skip = noapic || mode === 'ht' || mode === 'noirq'
    overrides = readMadt(mem, table, say, onCpu, skip ? undefined : onIoApic, acpiSkipTimerOverride).overrides
    if (cpus.length > 0 && xen.ioApics.length > 0) {
      smp = true
      say(`Enabling APIC mode:  Flat.  Using ${xen.ioApics.length} I/O APICs\n`)
    }
  }
  xen.time.hpetAddress = hpetAddress(mem, acpi, say)
  if (smp) say(`${XENLOG_INFO}Using ACPI (MADT) for SMP configuration information\n`)
  return { cpus, overrides, smp }
}
