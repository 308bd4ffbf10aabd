/**
 * Switching off by ACPI (Linux: drivers/acpi/sleep/poweroff.c, under Xen): dom0 finds in the DSDT what S5 is called on this board, and asks the hypervisor to
 * enter it. The DSDT is not interpreted: `\_S5` is looked for by its name.
 */
import { PM1_SLP_EN, PM1_SLP_TYP_SHIFT } from '#abi/pc/acpi.ts'
import {
  XEN_PLATFORM_OP_U,
  XENPF_enter_acpi_sleep,
  XENPF_INTERFACE_VERSION,
  xen_platform_op,
  xenpf_enter_acpi_sleep,
} from '#abi/xen/platform.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import { __HYPERVISOR_platform_op, __HYPERVISOR_update_va_mapping, UVMF_INVLPG } from '#abi/xen/xen.ts'
import type { Core } from '../core.ts'
import { PAGE_KERNEL } from '../mm/allocator.ts'
import { VMALLOC_START } from './hypervisor.ts'

/** The BIOS's read-only area, where the root pointer is. */
const BIOS_START = 0xe0000
const BIOS_BYTES = 0x20000
const TABLE_BYTES_MAX = 65536
const HEADER_BYTES = 36
const FADT_DSDT = 40
/** ioremap's place, far behind what images are loaded through. */
const WINDOW: Vaddr = VMALLOC_START + 0x40000000
const ACPI_STATE_S5 = 5
const PACKAGE_OP = 0x12
const BYTE_PREFIX = 0x0a

/** `length` bytes of machine memory; undefined where Xen does not let this domain see it. */
function readMachine({ vcpu, mem }: Core, at: number, length: number): Uint8Array | undefined {
  const first = Math.floor(at / PAGE_SIZE)
  const pages = Math.floor((at + length - 1) / PAGE_SIZE) - first + 1
  const map = (page: number, pte: number): number =>
    vcpu.hypercall(__HYPERVISOR_update_va_mapping, WINDOW + page * PAGE_SIZE, pte, UVMF_INVLPG)
  let mapped = 0
  while (mapped < pages && map(mapped, (first + mapped) * PAGE_SIZE + PAGE_KERNEL) === 0) mapped++
  const bytes = mapped === pages ? mem.copyOut(WINDOW + (at - first * PAGE_SIZE), length) : undefined
  for (let page = 0; page < mapped; page++) map(page, 0)
  return bytes
}

const word = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true)

function indexOf(bytes: Uint8Array, text: string, step: number): number {
  for (let at = 0; at + text.length <= bytes.length; at += step) {
    let i = 0
    while (i < text.length && bytes[at + i] === text.charCodeAt(i)) i++
    if (i === text.length) return at
  }
  return -1
}

function table(core: Core, at: number): Uint8Array | undefined {
  const header = readMachine(core, at, HEADER_BYTES)
  if (!header) return undefined
  const length = word(header, 4)
  return length < HEADER_BYTES || length > TABLE_BYTES_MAX ? undefined : readMachine(core, at, length)
}

/** SLP_TYP of `\_S5`: the first number of its package. */
function sleepType(core: Core): number | undefined {
  const bios = readMachine(core, BIOS_START, BIOS_BYTES)
  const pointer = bios ? indexOf(bios, 'RSD PTR ', 16) : -1
  const rsdt = pointer < 0 ? undefined : table(core, word(bios!, pointer + 16))
  for (let at = HEADER_BYTES; rsdt && at + 4 <= rsdt.length; at += 4) {
    const fadt = table(core, word(rsdt, at))
    if (!fadt || indexOf(fadt.subarray(0, 4), 'FACP', 1) !== 0) continue
    const dsdt = table(core, word(fadt, FADT_DSDT))
    const name = dsdt ? indexOf(dsdt, '_S5_', 1) : -1
    if (name < 0 || dsdt![name + 4] !== PACKAGE_OP) return undefined
    // One byte of package length, one of how many; then a number, with its prefix or as ZeroOp and OneOp.
    const value = dsdt![name + 7]!
    return value === BYTE_PREFIX ? dsdt![name + 8] : value
  }
  return undefined
}

/** acpi_power_off. Comes back where there is no ACPI, or no right to it. */
export function acpiPowerOff(core: Core): void {
  const { mem, vcpu, bounce, log } = core
  const type = core.dom0 ? sleepType(core) : undefined
  if (type === undefined) return
  log.printk('<4>acpi_power_off called\n')
  mem.fill(bounce, xen_platform_op.size, 0)
  xen_platform_op.write(mem, bounce, { cmd: XENPF_enter_acpi_sleep, interface_version: XENPF_INTERFACE_VERSION })
  xenpf_enter_acpi_sleep.write(mem, bounce + XEN_PLATFORM_OP_U, {
    // Both at once: Xen writes the register as it is given here.
    pm1a_cnt_val: (type << PM1_SLP_TYP_SHIFT) | PM1_SLP_EN,
    pm1b_cnt_val: 0,
    sleep_state: ACPI_STATE_S5,
    flags: 0,
  })
  vcpu.hypercall(__HYPERVISOR_platform_op, bounce)
}
