/** For tests: a small guest's kernel in the making, and what kernels do again and again. */
import { R11, RAX, RCX, RDI, RDX, RSI, RSP } from '#abi/pc/ring3.ts'
import { SCHEDOP_shutdown, SHUTDOWN_poweroff } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { FLAT_KERNEL_CS } from '#abi/xen/vcpu.ts'
import { __HYPERVISOR_iret, __HYPERVISOR_sched_op, __HYPERVISOR_set_trap_table } from '#abi/xen/xen.ts'
import { Assembler } from './assembler.ts'
import { PFN, userVa, va } from './layout.ts'

const RESULTS_MAX = 512
export const FLAT_USER_CS64 = 0xe033
export const FLAT_USER_SS = 0xe02b

export class Kernel extends Assembler {
  #saved = 0
  readonly names = new Map<string, number>()

  /** Result in RAX. Arguments that are labels or numbers. */
  hypercall(nr: number, ...args: readonly (bigint | number | string)[]): this {
    const registers = [RDI, RSI, RDX, 10, 8]
    for (const [i, arg] of args.entries()) this.set(registers[i]!, arg)
    return this.set(RAX, nr).syscall()
  }
  /** A register's value becomes the result `name`. Uses RCX. */
  save(name: string, reg: number = RAX): this {
    return this.set(RCX === reg ? RDX : RCX, va(PFN.results, this.#slot(name) * 8)).store(
      RCX === reg ? RDX : RCX,
      0,
      reg,
    )
  }
  #slot(name: string): number {
    if (this.names.has(name)) throw new Error(`two results ${name}`)
    if (this.#saved === RESULTS_MAX) throw new Error('no room for results')
    this.names.set(name, this.#saved)
    return this.#saved++
  }
  /** Words of the stack as they are become results `name.0` and so on. Uses RCX and RDX. */
  saveStack(name: string, words: number): this {
    for (let i = 0; i < words; i++) this.load(RDX, RSP, 8 * i).save(`${name}.${i}`, RDX)
    return this
  }
  /** The word at an address. */
  peek(address: bigint, reg: number = RAX): this {
    return this.set(reg, address).load(reg, reg, 0)
  }
  /** A word to an address. Uses RCX and RDX. */
  poke(address: bigint, value: bigint | number | string): this {
    return this.set(RDX, value).set(RCX, address).store(RCX, 0, RDX)
  }
  /** set_trap_table: vector, flags, handler. */
  traps(...rows: readonly (readonly [vector: number, flags: number, handler: string])[]): this {
    const table = this.name()
    const behind = this.name()
    this.jmp(behind).label(table)
    for (const [vector, flags, handler] of rows)
      this.bytes(vector, flags, FLAT_KERNEL_CS & 0xff, FLAT_KERNEL_CS >> 8, 0, 0, 0, 0).word(handler)
    return this.word(0).word(0).label(behind).hypercall(__HYPERVISOR_set_trap_table, table)
  }
  /** The end of a handler, RCX and R11 popped: RSP is where RIP is. */
  iret(): this {
    return this.bytes(0x6a, 0).push(RCX).push(R11).push(RAX).set(RAX, __HYPERVISOR_iret).syscall()
  }
  /** iret to user mode, its stack empty. */
  enterUser(flags = 0x202): this {
    const frame = [FLAT_USER_SS, userVa(PFN.userStack, PAGE_SIZE), flags, FLAT_USER_CS64, userVa(PFN.userCode)]
    for (const word of frame) this.set(RAX, word).push(RAX)
    return this.iret()
  }
  powerOff(): this {
    return this.poke(va(PFN.data, PAGE_SIZE - 8), SHUTDOWN_poweroff)
      .hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, va(PFN.data, PAGE_SIZE - 8))
      .ud2()
  }
}
