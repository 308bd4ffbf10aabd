/**
 * xen/arch/x86/x86_64/traps.c, show_registers; traps.c, show_guest_stack. Neither this hypervisor nor a kernel made of modules has registers: in the frame that
 * life fills with them stands what is true of the processor instead. A guest of machine code has them all.
 */
import {
  R8,
  R9,
  R10,
  R11,
  R12,
  R13,
  R14,
  R15,
  RAX,
  RBP,
  RBX,
  RCX,
  RDI,
  RDX,
  RSI,
  RSP,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
} from '#abi/pc/ring3.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { vcpu_guest_context } from '#abi/xen/vcpu.ts'
import { vcpu_info } from '#abi/xen/xen.ts'
import type { Vcpu } from '../common/domain.ts'
import { taintedText } from '../common/kernel.ts'
import { hex } from '../common/lib.ts'
import { fullVersion } from '../compile.ts'
import { printk, type Xen } from '../xen.ts'
import { contextOf } from './guest-context.ts'
import { isX86, reg, regNumber, rflags, ripWord, selector, type X86Vcpu } from './guest-regs.ts'
import { machineAddress, rootInUse } from './page-walk.ts'
import type { Pcpu } from './pcpu.ts'

const { fields } = vcpu_guest_context

/** `----[ Xen-3.3.0  x86_64  debug=n  Not tainted ]----` and the processor. */
export function showHeader(xen: Xen, cpu: number): void {
  printk(
    xen,
    `----[ Xen-${fullVersion(xen.build)}  x86_64  debug=${xen.build.debug ? 'y' : 'n'}  ${taintedText(xen.tainted)} ]----\n`,
  )
  printk(xen, `CPU:    ${cpu}\n`)
}

/** Xen itself on `pcpu`. `where`: the place in its source that is to blame, where life has an address and its call trace. */
export function showHypervisor(xen: Xen, pcpu: Pcpu, where?: string): void {
  showHeader(xen, pcpu.id)
  const { curr, interruptsOn } = pcpu
  printk(
    xen,
    `CONTEXT: hypervisor   ${curr ? `d${curr.domain.id}:v${curr.id}` : 'idle'}, interrupts ${interruptsOn ? 'on' : 'off'}\n`,
  )
  if (where !== undefined) printk(xen, `Xen call trace:\n   [<xen/${where.split(':')[0]}>]\n`)
}

/** Whose turn it is: its registers, or the image that it runs. */
export function showGuest(xen: Xen, vcpu: Vcpu): void {
  if (isX86(vcpu)) {
    showRegisters(xen, vcpu)
    return
  }
  const code = vcpu.code ? `${vcpu.code.loaded.name}, made of modules: no registers` : 'not initialised'
  printk(xen, `CONTEXT: pv guest   d${vcpu.domain.id}:v${vcpu.id}   ${code}\n`)
}

/** show_execution_state, without its header. */
export function showGuestState(xen: Xen, vcpu: X86Vcpu): void {
  showRegisters(xen, vcpu)
  showGuestStack(xen, vcpu)
}

const LINES: readonly (readonly (readonly [string, number])[])[] = [
  [
    ['rax: ', RAX],
    ['rbx: ', RBX],
    ['rcx: ', RCX],
  ],
  [
    ['rdx: ', RDX],
    ['rsi: ', RSI],
    ['rdi: ', RDI],
  ],
  [
    ['rbp: ', RBP],
    ['rsp: ', RSP],
    ['r8:  ', R8],
  ],
  [
    ['r9:  ', R9],
    ['r10: ', R10],
    ['r11: ', R11],
  ],
  [
    ['r12: ', R12],
    ['r13: ', R13],
    ['r14: ', R14],
  ],
]
const word = (value: bigint): string => hex(value, 16)

/** _show_registers of a guest's. */
function showRegisters(xen: Xen, vcpu: X86Vcpu): void {
  const context = contextOf(vcpu)
  const { frame } = vcpu
  const masked = vcpu_info.fields.evtchn_upcall_mask.get(xen.mem, vcpu.infoAt) !== 0
  printk(xen, `RIP:    ${hex(frame.cs, 4)}:[<${word(ripWord(vcpu))}>]\n`)
  printk(xen, `RFLAGS: ${hex(rflags(vcpu), 16)}   EM: ${masked ? 1 : 0}   CONTEXT: pv guest\n`)
  for (const line of LINES) printk(xen, `${line.map(([name, n]) => name + word(reg(vcpu, n))).join('   ')}\n`)
  const cr0 = fields.ctrlreg0.get(context, 0)
  const cr4 = fields.ctrlreg4.get(context, 0)
  printk(xen, `r15: ${word(reg(vcpu, R15))}   cr0: ${word(cr0)}   cr4: ${word(cr4)}\n`)
  const cr2 = vcpu_info.fields.arch_cr2.get(xen.mem, vcpu.infoAt)
  printk(xen, `cr3: ${word(BigInt(rootInUse(vcpu)) << 12n)}   cr2: ${word(cr2)}\n`)
  const [ds, es, fs, gs] = [SEG_DS, SEG_ES, SEG_FS, SEG_GS].map((segment) => hex(selector(vcpu, segment), 4))
  printk(xen, `ds: ${ds}   es: ${es}   fs: ${fs}   gs: ${gs}   ss: ${hex(frame.ss, 4)}   cs: ${hex(frame.cs, 4)}\n`)
}

/** debug_stack_lines */
const STACK_LINES = 20
const WORDS_PER_LINE = 4
/** Where a stack of Xen's own would end. */
const STACK_SIZE = 8 * PAGE_SIZE

/** show_guest_stack */
function showGuestStack(xen: Xen, vcpu: X86Vcpu): void {
  const stack = regNumber(vcpu, RSP)
  let text = `Guest stack trace from rsp=${word(reg(vcpu, RSP))}:\n  `
  let shown = 0
  for (; shown < STACK_LINES * WORDS_PER_LINE; shown++) {
    const at = stack + 8 * shown
    if ((((at % STACK_SIZE) + STACK_SIZE) % STACK_SIZE) - (at & 7) === 0) break
    const bytes = Array.from({ length: 8 }, (_, i) => machineAddress(xen, rootInUse(vcpu), at + i))
    if (bytes.includes(undefined)) {
      text += `${shown === 0 ? '' : '\n    '}Fault while accessing guest memory.`
      shown = 1
      break
    }
    if (shown !== 0 && shown % WORDS_PER_LINE === 0) text += '\n  '
    const value = bytes.reduceRight((above, where) => (above << 8n) | BigInt(xen.mem.read8(where!)), 0n)
    text += ` ${word(value)}`
  }
  if (shown === 0) text += 'Stack empty.'
  printk(xen, `${text}\n`)
}
