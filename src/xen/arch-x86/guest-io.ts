/**
 * xen/arch/x86/traps.c, emulate_privileged_op: a guest's IN and OUT. It needs the privilege from its kernel (IOPL, a bitmap) and from the host (the
 * domain's I/O port rangeset); PCI configuration space goes through Xen.
 */

import type { PortIo } from '#abi/pc/metal.ts'
import { PCI_CONFIG_ADDRESS, PCI_CONFIG_DATA } from '#abi/pc/pci.ts'
import type { Vcpu } from '../common/domain.ts'
import type { Xen } from '../xen.ts'
import { GuestPageFault } from './mm.ts'

type Width = 1 | 2 | 4

const ones = (bytes: Width): number => (bytes === 4 ? 0xffffffff : bytes === 2 ? 0xffff : 0xff)

function read(io: PortIo, port: number, bytes: Width): number {
  return bytes === 1 ? io.in8(port) : bytes === 2 ? io.in16(port) : io.in32(port)
}

function write(io: PortIo, port: number, bytes: Width, value: number): void {
  if (bytes === 1) io.out8(port, value & 0xff)
  else if (bytes === 2) io.out16(port, value & 0xffff)
  else io.out32(port, value >>> 0)
}

/** guest_io_okay: by IOPL, or by the bitmap of its kernel's. What of that cannot be read forbids. */
export function guestIoOkay({ iopl, ioBitmap, kernelMode, mem }: Vcpu, port: number, bytes: Width): boolean {
  if (!(port >= 0 && port <= 0xffff) || !Number.isInteger(port)) return false
  if (iopl >= (kernelMode ? 1 : 3)) return true
  const { at, ports } = ioBitmap
  if (ports <= port + bytes) return false
  const byte = (offset: number): number => {
    try {
      return mem.read8(at + (port >> 3) + offset)
    } catch (thrown) {
      if (thrown instanceof GuestPageFault) return 0xff
      throw thrown
    }
  }
  return ((byte(0) + byte(1) * 256) & (((1 << bytes) - 1) << (port & 7))) === 0
}

/** The ports as one vCPU sees them. */
export function guestIo(xen: Xen, vcpu: Vcpu): PortIo {
  const { domain } = vcpu
  const { io } = xen.metal
  /** admin_io_okay. CONFIG_ADDRESS is only there for double words, and those go through Xen. */
  function allowed(port: number, bytes: Width): boolean {
    if (port === PCI_CONFIG_ADDRESS && bytes === 4) return false
    return domain.ioportCaps.contains(port, port + bytes - 1)
  }
  /** pci_conf_read and its like: Xen sets the address, for whoever else may have. */
  function config(port: number, bytes: Width): number | undefined {
    if (port < PCI_CONFIG_DATA || port + bytes > PCI_CONFIG_DATA + 4 || !domain.privileged) return undefined
    io.out32(PCI_CONFIG_ADDRESS, domain.pciCf8)
    return port
  }
  function input(where: number, bytes: Width): number {
    const port = Number(where)
    if (!guestIoOkay(vcpu, port, bytes)) return ones(bytes)
    if (allowed(port, bytes)) return read(io, port, bytes)
    if (port === PCI_CONFIG_ADDRESS && bytes === 4) return domain.pciCf8
    const data = config(port, bytes)
    return data === undefined ? ones(bytes) : read(io, data, bytes)
  }
  function output(where: number, bytes: Width, what: number): void {
    const port = Number(where)
    const value = Number(what)
    if (!guestIoOkay(vcpu, port, bytes)) return
    if (allowed(port, bytes)) {
      write(io, port, bytes, value)
      return
    }
    if (port === PCI_CONFIG_ADDRESS && bytes === 4) {
      domain.pciCf8 = value >>> 0
      return
    }
    const data = config(port, bytes)
    if (data !== undefined) write(io, data, bytes, value)
  }
  return Object.freeze({
    in8: (port: number) => input(port, 1),
    in16: (port: number) => input(port, 2),
    in32: (port: number) => input(port, 4),
    out8: (port: number, value: number) => output(port, 1, value),
    out16: (port: number, value: number) => output(port, 2, value),
    out32: (port: number, value: number) => output(port, 4, value),
  })
}
