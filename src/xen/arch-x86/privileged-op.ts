/**
 * xen/arch/x86/traps.c, emulate_privileged_op and emulate_forced_invalid_op: instructions that a guest may not execute itself, and that Xen executes in its
 * place. What is not among them stays the #GP that it was.
 */
import { RAX, RBX, RCX, RDX, SEG_CS } from '#abi/pc/ring3.ts'
import { unsignedVaddr } from '#abi/xen/types.ts'
import { vcpu_guest_context } from '#abi/xen/vcpu.ts'
import { vcpu_info } from '#abi/xen/xen.ts'
import { guestLog } from '../common/guest-log.ts'
import { XENLOG_WARNING } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import { codeBytes } from './descriptors.ts'
import {
  contextOf,
  cr4Fixup,
  getDebugreg,
  REAL_CR0,
  setDebugreg,
  setTaskSwitched,
  taskSwitched,
  X86_CR0_TS,
} from './guest-context.ts'
import { emulateIo, emulateStringIo } from './guest-port-ops.ts'
import { reg, reg32, regNumber, rip, selector, setReg, setReg32, setRegNumber, type X86Vcpu } from './guest-regs.ts'
import { instructionDone, propagatePageFault } from './guest-traps.ts'
import { rdmsr, wrmsr } from './msr.ts'
import { newGuestCr3 } from './page-tables.ts'
import { machineAddress, rootInUse } from './page-walk.ts'
import { guestCpuid } from './virtual-cpu.ts'

const { fields } = vcpu_guest_context
/** ud2; .ascii "xen"; cpuid */
const FORCED = [0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2]
const SIGNATURE_BYTES = 5
/** do_get_debugreg's errors are its last 255 values. */
const ERRORS = 256
const PREFIXES_MAX = 8

/** Thrown by a fetch that has faulted: the guest has been told. */
class FetchFault extends Error {}

/** The bytes from RIP on, in whichever mode it is. */
export class Fetch {
  readonly #xen: Xen
  readonly #vcpu: X86Vcpu
  at: number

  constructor(xen: Xen, vcpu: X86Vcpu) {
    this.#xen = xen
    this.#vcpu = vcpu
    this.at = rip(vcpu)
  }

  byte(): number {
    const machine = machineAddress(this.#xen, rootInUse(this.#vcpu), this.at)
    if (machine === undefined) {
      propagatePageFault(this.#xen, this.#vcpu, unsignedVaddr(this.at), 0)
      throw new FetchFault()
    }
    this.at++
    return this.#xen.mem.read8(machine)
  }
}

/** What `body` says; true too where a byte of the instruction was not there, which the guest knows by now. */
function fetching(body: () => boolean): boolean {
  try {
    return body()
  } catch (thrown) {
    if (!(thrown instanceof FetchFault)) throw thrown
    return true
  }
}

/** An invalid opcode: CPUID, as Xen shows it, with Xen's prefix. False: it is just invalid. */
export const emulateForcedInvalidOp = (xen: Xen, vcpu: X86Vcpu): boolean =>
  fetching(() => {
    const fetch = new Fetch(xen, vcpu)
    for (let i = 0; i < SIGNATURE_BYTES; i++) if (fetch.byte() !== FORCED[i]) return false
    for (let i = SIGNATURE_BYTES; i < FORCED.length; i++) if (fetch.byte() !== FORCED[i]) return false
    const { eax, ebx, ecx, edx } = guestCpuid(xen, vcpu.domain, reg32(vcpu, RAX), reg32(vcpu, RCX))
    setReg32(vcpu, RAX, eax)
    setReg32(vcpu, RBX, ebx)
    setReg32(vcpu, RCX, ecx)
    setReg32(vcpu, RDX, edx)
    instructionDone(xen, vcpu, fetch.at)
    return true
  })

/** The prefixes that count here. */
export interface Prefixes {
  readonly opcode: number
  readonly rex: number
  readonly operand: 2 | 4
  readonly address: 2 | 4 | 8
  readonly rep: boolean
  readonly lock: boolean
  readonly segment: number | undefined
  readonly longMode: boolean
}

const SEGMENTS: Readonly<Record<number, number>> = { 38: 0, 46: 1, 54: 2, 62: 3, 100: 4, 101: 5 }

function prefixes(fetch: Fetch, bytes: 2 | 4 | 8): Prefixes {
  const longMode = bytes === 8
  const plain = bytes === 2 ? 2 : 4
  let operand: 2 | 4 = plain
  let address: 2 | 4 | 8 = bytes
  let rex = 0
  let rep = false
  let lock = false
  let segment: number | undefined
  let opcode = fetch.byte()
  for (let i = 1; i < PREFIXES_MAX; i++) {
    const before = rex
    rex = 0
    if (opcode === 0x66) operand = plain === 4 ? 2 : 4
    else if (opcode === 0x67) address = bytes === 4 ? 2 : 4
    else if (opcode === 0xf0) lock = true
    else if (opcode === 0xf2 || opcode === 0xf3) rep = true
    else if (SEGMENTS[opcode] !== undefined) segment = SEGMENTS[opcode]
    else if (longMode && (opcode & 0xf0) === 0x40) rex = opcode
    else {
      rex = before
      break
    }
    opcode = fetch.byte()
  }
  // Only what has no operands of 64 bits is emulated.
  if (rex & 8) operand = 4
  return { opcode, rex, operand, address, rep, lock, segment, longMode }
}

/** emulate_privileged_op. False: the guest is to have its #GP. */
export const emulatePrivilegedOp = (xen: Xen, vcpu: X86Vcpu): boolean =>
  fetching(() => {
    const bytes = codeBytes(xen, vcpu, selector(vcpu, SEG_CS))
    if (bytes === undefined) return false
    const fetch = new Fetch(xen, vcpu)
    const prefix = prefixes(fetch, bytes)
    const { opcode, lock } = prefix
    let met = 0
    if (opcode === 0x0f) {
      // Only of its kernel's.
      if (!vcpu.kernelMode || !twoBytes(xen, vcpu, fetch, prefix)) return false
    } else if (lock) return false
    else if (opcode >= 0x6c && opcode <= 0x6f) return emulateStringIo(xen, vcpu, fetch, prefix)
    else if (opcode === 0xfa || opcode === 0xfb) {
      // Its interrupt flag is the upcall mask: these change nothing.
      if (vcpu.iopl < (vcpu.kernelMode ? 1 : 3)) return false
    } else {
      const breakpoints = emulateIo(xen, vcpu, fetch, prefix)
      if (breakpoints === undefined) return false
      met = breakpoints
    }
    instructionDone(xen, vcpu, fetch.at, met)
    return true
  })

function twoBytes(xen: Xen, vcpu: X86Vcpu, fetch: Fetch, { rex, lock }: Prefixes): boolean {
  const opcode = fetch.byte()
  if (lock && (opcode & ~3) !== 0x20) return false
  switch (opcode) {
    case 0x06: // CLTS
      setTaskSwitched(vcpu, false)
      return true
    case 0x09: // WBINVD: there is no cache to write back.
      return true
    case 0x20:
    case 0x21:
    case 0x22:
    case 0x23: {
      const modrm = fetch.byte()
      if (modrm < 0xc0) return false
      const number = (((rex & 4) << 1) | ((modrm >> 3) & 7)) + (lock ? 8 : 0)
      const register = ((rex & 1) << 3) | (modrm & 7)
      if (opcode === 0x20) return readControl(vcpu, number, register)
      if (opcode === 0x22) return writeControl(xen, vcpu, number, register)
      if (opcode === 0x23) return setDebugreg(vcpu, number, reg(vcpu, register)) === 0
      const value = getDebugreg(vcpu, number)
      if (value < 0 && value >= -ERRORS) return false
      setRegNumber(vcpu, register, value)
      return true
    }
    case 0x30:
      return wrmsr(xen, vcpu, reg32(vcpu, RCX), reg32(vcpu, RAX), reg32(vcpu, RDX))
    case 0x31: {
      const tsc = xen.current.metal.cpu.rdtsc()
      setReg32(vcpu, RAX, tsc % 2 ** 32)
      setReg32(vcpu, RDX, Math.floor(tsc / 2 ** 32))
      return true
    }
    case 0x32: {
      const value = rdmsr(xen, vcpu, reg32(vcpu, RCX))
      if (value === undefined) return false
      setReg(vcpu, RAX, value & 0xffffffffn)
      setReg(vcpu, RDX, (value >> 32n) & 0xffffffffn)
      return true
    }
    default:
      return false
  }
}

function readControl(vcpu: X86Vcpu, number: number, register: number): boolean {
  const context = contextOf(vcpu)
  switch (number) {
    case 0:
      setReg(vcpu, register, REAL_CR0 | (taskSwitched(vcpu) ? X86_CR0_TS : 0n))
      return true
    case 2:
      setReg(vcpu, register, fields.ctrlreg2.get(context, 0))
      return true
    case 3:
      setReg(vcpu, register, BigInt(vcpu.root) << 12n)
      return true
    case 4:
      setReg(vcpu, register, fields.ctrlreg4.get(context, 0))
      return true
    default:
      return false
  }
}

function writeControl(xen: Xen, vcpu: X86Vcpu, number: number, register: number): boolean {
  const context = contextOf(vcpu)
  const value = reg(vcpu, register)
  switch (number) {
    case 0:
      if ((value ^ REAL_CR0) & ~X86_CR0_TS) {
        guestLog(xen, XENLOG_WARNING, 'traps.c:2024', 'Attempt to change unmodifiable CR0 flags.')
        return false
      }
      setTaskSwitched(vcpu, (value & X86_CR0_TS) !== 0n)
      return true
    case 2:
      fields.ctrlreg2.set(context, 0, value)
      vcpu_info.fields.arch_cr2.set(xen.mem, vcpu.infoAt, value)
      return true
    case 3:
      return newGuestCr3(xen, vcpu, Math.floor(regNumber(vcpu, register) / 4096))
    case 4:
      fields.ctrlreg4.set(context, 0, cr4Fixup(xen, value))
      return true
    default:
      return false
  }
}
