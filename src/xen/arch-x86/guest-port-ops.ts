/** xen/arch/x86/traps.c: IN, OUT and their string forms, which a guest's ring has no right to execute itself. */
import { RAX, RCX, RDI, RDX, RSI, SEG_DS, SEG_ES, SEG_FS, SEG_GS } from '#abi/pc/ring3.ts'
import { signedVaddr } from '#abi/xen/types.ts'
import type { Xen } from '../xen.ts'
import { ioBreakpoints } from './guest-context.ts'
import { guestIo, guestIoOkay } from './guest-io.ts'
import { reg, reg32, rip, segmentBase, setReg, setReg32, stepOf, type X86Vcpu } from './guest-regs.ts'
import { instructionDone, propagatePageFault } from './guest-traps.ts'
import { machineAddress, PFEC_page_present, PFEC_write_access, rootInUse } from './page-walk.ts'
import type { Fetch, Prefixes } from './privileged-op.ts'

type Width = 1 | 2 | 4

/** Elements of one string instruction at a time: then the guest comes back to it, as after an interrupt. */
const ELEMENTS_MAX = 1024

function input(xen: Xen, vcpu: X86Vcpu, port: number, bytes: Width): number {
  const io = guestIo(xen, vcpu)
  return bytes === 1 ? io.in8(port) : bytes === 2 ? io.in16(port) : io.in32(port)
}

function output(xen: Xen, vcpu: X86Vcpu, port: number, bytes: Width, value: number): void {
  const io = guestIo(xen, vcpu)
  if (bytes === 1) io.out8(port, value & 0xff)
  else if (bytes === 2) io.out16(port, value & 0xffff)
  else io.out32(port, value >>> 0)
}

/** IN and OUT: the breakpoints that were met. Undefined: it is no such instruction, or not allowed. */
export function emulateIo(xen: Xen, vcpu: X86Vcpu, fetch: Fetch, { opcode, operand }: Prefixes): number | undefined {
  if ((opcode & 0xf4) !== 0xe4) return undefined
  const bytes: Width = opcode & 1 ? operand : 1
  const port = opcode & 8 ? reg32(vcpu, RDX) & 0xffff : fetch.byte()
  if (!guestIoOkay(vcpu, port, bytes)) return undefined
  const met = ioBreakpoints(vcpu, port, bytes)
  if (opcode & 2) {
    output(xen, vcpu, port, bytes, reg32(vcpu, RAX))
    return met
  }
  const value = input(xen, vcpu, port, bytes)
  if (bytes === 4) setReg32(vcpu, RAX, value)
  else {
    const mask = bytes === 2 ? 0xffffn : 0xffn
    setReg(vcpu, RAX, (reg(vcpu, RAX) & ~mask) | BigInt(value))
  }
  return met
}

/** INS and OUTS, with REP too. */
export function emulateStringIo(xen: Xen, vcpu: X86Vcpu, fetch: Fetch, prefix: Prefixes): boolean {
  const { opcode, operand, address, rep } = prefix
  const bytes: Width = opcode & 1 ? operand : 1
  const port = reg32(vcpu, RDX) & 0xffff
  const outs = (opcode & 2) !== 0
  const index = outs ? RSI : RDI
  const start = segmentStart(vcpu, outs ? prefix.segment : SEG_ES, outs, prefix.longMode)
  let met = 0
  for (let elements = 0; ; elements++) {
    if (rep && countOf(vcpu, address) === 0n) break
    if (elements === ELEMENTS_MAX) return true
    if (!guestIoOkay(vcpu, port, bytes)) return false
    const va = signedVaddr(BigInt.asUintN(64, start + BigInt.asUintN(8 * address, reg(vcpu, index))))
    const at = bytesAt(xen, vcpu, va, bytes, !outs)
    if (!at) return true
    if (outs)
      output(
        xen,
        vcpu,
        port,
        bytes,
        at.reduce((value, where, i) => value + xen.mem.read8(where) * 256 ** i, 0),
      )
    else {
      const value = input(xen, vcpu, port, bytes)
      for (const [i, where] of at.entries()) xen.mem.write8(where, (value >>> (8 * i)) & 0xff)
    }
    write(vcpu, index, address, reg(vcpu, index) + BigInt(stepOf(vcpu, bytes)))
    met = ioBreakpoints(vcpu, port, bytes)
    if (!rep) break
    write(vcpu, RCX, address, reg(vcpu, RCX) - 1n)
    if (met === 0 || countOf(vcpu, address) === 0n) continue
    // It goes on behind #DB.
    instructionDone(xen, vcpu, rip(vcpu), met)
    return true
  }
  instructionDone(xen, vcpu, fetch.at, met)
  return true
}

const countOf = (vcpu: X86Vcpu, bytes: 2 | 4 | 8): bigint => BigInt.asUintN(8 * bytes, reg(vcpu, RCX))

function write(vcpu: X86Vcpu, n: number, bytes: 2 | 4 | 8, value: bigint): void {
  if (bytes === 2) setReg(vcpu, n, (reg(vcpu, n) & ~0xffffn) | (value & 0xffffn))
  else setReg(vcpu, n, BigInt.asUintN(8 * bytes, value))
}

/** In 64-bit mode only FS and GS have a base. */
function segmentStart(vcpu: X86Vcpu, segment: number | undefined, outs: boolean, longMode: boolean): bigint {
  const used = segment ?? (outs ? SEG_DS : SEG_ES)
  return !longMode || used === SEG_FS || used === SEG_GS ? segmentBase(vcpu, used) : 0n
}

/** Where the bytes are in the machine. Undefined: not all of them are there, and the guest has been told. */
function bytesAt(xen: Xen, vcpu: X86Vcpu, va: number, bytes: number, toWrite: boolean): number[] | undefined {
  const at: number[] = []
  for (let i = 0; i < bytes; i++) {
    const machine = machineAddress(xen, rootInUse(vcpu), va + i, toWrite)
    if (machine === undefined) {
      const present = machineAddress(xen, rootInUse(vcpu), va + i) === undefined ? 0 : PFEC_page_present
      propagatePageFault(xen, vcpu, BigInt.asUintN(64, BigInt(va + i)), present | (toWrite ? PFEC_write_access : 0))
      return undefined
    }
    at.push(machine)
  }
  return at
}
