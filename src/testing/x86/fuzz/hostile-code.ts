/**
 * A small guest that executes random code, in its kernel or in its user mode. Whatever traps goes on with the next piece of it, with other registers, until the
 * domain is dead or its time is up.
 */
import { RAX, RCX, RDX, RSP } from '#abi/pc/ring3.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_set_callbacks,
  __HYPERVISOR_stack_switch,
  DOMID_SELF,
  MMUEXT_NEW_USER_BASEPTR,
} from '#abi/xen/xen.ts'
import type { Rng } from '#lib/prng.ts'
import { R12 } from '../assembler.ts'
import type { X86Host } from '../dom0.ts'
import { FLAT_USER_CS64, FLAT_USER_SS, type Kernel } from '../kernel.ts'
import { PFN, userVa, va } from '../layout.ts'
import { SmallGuest } from '../small-guest.ts'
import { CHUNK_BYTES, chunk, chunkAt, value } from './random-code.ts'

/** Pieces, and sets of registers for them: powers of two. */
const KERNEL_CHUNKS = 4 * (PAGE_SIZE / CHUNK_BYTES)
const USER_CHUNKS = PAGE_SIZE / CHUNK_BYTES
const SETS = PAGE_SIZE / 128
const CHUNKS_AT = PFN.spare
const SETS_AT = PFN.spare + 4
/** How many pieces have been begun. */
const COUNTER = va(PFN.results, 8)

/** All but RSP, from the set that RCX points to; RCX last. */
function loadRegisters(k: Kernel): void {
  for (let n = 0; n < 16; n++) if (n !== RCX && n !== RSP) k.load(n, RCX, 8 * n)
  k.load(RCX, RCX, 8 * RCX)
}

/** RAX: the address of the next piece; RCX: of its registers. */
function next(k: Kernel, user: boolean): void {
  k.set(R12, COUNTER).load(RAX, R12, 0).aluImm('add', RAX, 1).store(R12, 0, RAX)
  k.mov(RCX, RAX)
    .aluImm('and', RCX, SETS - 1)
    .bytes(0x48, 0xc1, 0xe1, 7)
    .set(RDX, va(SETS_AT))
    .alu('add', RCX, RDX)
  k.aluImm('and', RAX, (user ? USER_CHUNKS : KERNEL_CHUNKS) - 1).bytes(0x48, 0xc1, 0xe0, 6)
  k.set(RDX, chunkAt(user, CHUNKS_AT, 0)).alu('add', RAX, RDX)
}

function kernelLoop(k: Kernel): void {
  k.label('next').set(RSP, va(PFN.stack + 1) - 256n)
  next(k, false)
  // The jump is a return, so that no register is needed for it.
  k.push(RAX)
  loadRegisters(k)
  k.ret()
}

function userLoop(k: Kernel, mfns: readonly number[]): void {
  const scratch = va(PFN.data)
  k.poke(scratch, MMUEXT_NEW_USER_BASEPTR).poke(scratch + 8n, mfns[PFN.userL4]!)
  k.hypercall(__HYPERVISOR_mmuext_op, scratch, 1, 0, DOMID_SELF)
  k.hypercall(__HYPERVISOR_stack_switch, 0, va(PFN.kernelStack + 1))
  k.label('next').set(RSP, va(PFN.kernelStack + 1))
  next(k, true)
  k.mov(R12, RAX)
  for (const word of [FLAT_USER_SS, userVa(PFN.userStack, PAGE_SIZE - 256), 0x202, FLAT_USER_CS64])
    k.set(RAX, word).push(RAX)
  k.push(R12)
  // rax, r11, rcx and flags of iret's frame.
  k.bytes(0x6a, 0)
    .load(RDX, RCX, 8 * RCX)
    .push(RDX)
    .load(RDX, RCX, 8 * 11)
    .push(RDX)
    .load(RDX, RCX, 0)
    .push(RDX)
  loadRegisters(k)
  k.set(RAX, 23).syscall()
}

export class HostileCode {
  readonly guest: SmallGuest

  constructor(host: X86Host, rng: Rng, user: boolean) {
    this.guest = new SmallGuest(host, (k, mfns) => {
      const rows = Array.from({ length: 20 }, (_, vector) => [vector, 4, 'next'] as const)
      k.traps(...rows, [0x80, 7, 'next']).hypercall(__HYPERVISOR_set_callbacks, 'next', 'next', 'next')
      if (user) userLoop(k, mfns)
      else kernelLoop(k)
    })
    const { machine } = host.host
    const { mfns } = this.guest
    const put = (pfn: number, bytes: () => Uint8Array): void => {
      const mfn = mfns[pfn]!
      for (let at = 0; at < PAGE_SIZE; ) {
        const part = bytes()
        machine.mem.copyIn(mfn * PAGE_SIZE + at, part)
        at += part.length
      }
    }
    const words = (): Uint8Array => new Uint8Array(BigUint64Array.of(BigInt.asUintN(64, value(rng, mfns))).buffer)
    if (user) put(PFN.userCode, () => chunk(rng, mfns))
    else for (let page = 0; page < 4; page++) put(CHUNKS_AT + page, () => chunk(rng, mfns))
    put(SETS_AT, words)
    put(PFN.data, words)
    put(PFN.stack, words)
    put(PFN.userStack, words)
    put(PFN.userData, words)
  }

  /** Pieces begun so far. */
  get begun(): number {
    return Number(this.guest.peek(PFN.results, 8))
  }
}
