/** A guest's turn on a processor, and what it came back for (xen/arch/x86/domain.c, context_switch). That of machine code: run-ring3.ts. */
import type { Exit } from '#abi/pc/metal.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import { vcpu_info } from '#abi/xen/xen.ts'
import { hasNmiCallback } from '../arch-x86/guest-context.ts'
import { isX86 } from '../arch-x86/guest-regs.ts'
import { GuestPageFault } from '../arch-x86/mm.ts'
import { convertToPageMap } from '../arch-x86/page-tables.ts'
import type { Pcpu } from '../arch-x86/pcpu.ts'
import { makeMachineCode } from '../arch-x86/ring3-context.ts'
import { type Entered, enterImage, virtualCpu } from '../arch-x86/virtual-cpu.ts'
import { XENLOG_WARNING } from '../drivers/console.ts'
import { HYPERCALL_ARGS_MAX, hypercall } from '../hypercalls/index.ts'
import { RUN_AGAIN } from '../steps.ts'
import type { Xen } from '../xen.ts'
import { runnable, type Vcpu } from './domain.ts'
import { domainCrash } from './domain-shutdown.ts'
import { guestLog } from './guest-log.ts'
import { runRing3 } from './run-ring3.ts'

/** Run what was picked for `pcpu`. Undefined: nothing was. */
export function runCurrentVcpu(xen: Xen, pcpu: Pcpu): Exit | undefined {
  const vcpu = pcpu.curr
  if (!vcpu) return undefined
  // What stopped it has also asked for another.
  if (runnable(vcpu)) runVcpu(xen, pcpu, vcpu)
  return RUN_AGAIN
}

function runVcpu(xen: Xen, pcpu: Pcpu, vcpu: Vcpu): void {
  const code = vcpu.code ?? (vcpu.ring3 ? undefined : firstEntry(xen, vcpu))
  if (isX86(vcpu)) runRing3(xen, pcpu, vcpu)
  else if (code) runModules(xen, pcpu, vcpu, code)
}

function runModules(xen: Xen, pcpu: Pcpu, vcpu: Vcpu, code: NonNullable<Vcpu['code']>): void {
  const { loaded } = code
  // A timer that was set since the machine said how long has not reached the chip yet.
  const nowNs = pcpu.now()
  const nextTimer = pcpu.timers.nextNs() ?? Number.POSITIVE_INFINITY
  const deadline = Math.max(nowNs, Math.min(nowNs + pcpu.deadlineNs - pcpu.metal.now(), nextTimer))
  const upcall = takeUpcall(xen, vcpu)
  const nmi = vcpu.nmiPending && hasNmiCallback(vcpu)
  vcpu.nmiPending = false
  const { result } = vcpu
  vcpu.result = 0
  const outcome = loaded.call(() => {
    if (typeof code.run === 'function') code.run = code.run()
    const { run } = code
    if (nmi) masked(xen, vcpu, () => run.nmi?.())
    if (upcall) run.upcall()
    // Copied where the guest's own getters can still do no harm.
    const exit = run.run(deadline, result)
    return exit.kind === 'hypercall'
      ? { nr: Number(exit.nr), args: Array.from(exit.args, Number).slice(0, HYPERCALL_ARGS_MAX) }
      : undefined
  })
  if (vcpu.thrown !== undefined) {
    const { thrown } = vcpu
    vcpu.thrown = undefined
    throw thrown
  }
  if (!outcome.ok) {
    const { message, file, line } = outcome.fault
    const where = file === undefined ? '' : ` (${file}${line === undefined ? '' : `:${line}`})`
    domainCrash(xen, vcpu, `${loaded.name}: ${message}${where}`)
  } else if (outcome.value) vcpu.result = hypercall(xen, vcpu, outcome.value.nr, outcome.value.args)
}

/**
 * What its builder has left at its entry: an image becomes code, and its page tables a page map. Anything else is machine code, and the page tables are what they are.
 */
function firstEntry(xen: Xen, vcpu: Vcpu): Vcpu['code'] {
  const { domain, start } = vcpu
  if (!start) return undefined
  if (domain.machineCode) {
    startMachineCode(xen, vcpu)
    return undefined
  }
  let entered: ReturnType<typeof enterImage>
  let trap = 'invalid opcode fault/trap [#6]'
  try {
    entered = domain.entered ?? enterImage(xen, vcpu, start.entry)
  } catch (thrown) {
    if (!(thrown instanceof GuestPageFault)) throw thrown
    entered = { isImage: false, why: thrown.message }
    trap = 'page fault fault/trap [#14]'
  }
  if ('loaded' in entered) {
    if (convertToPageMap(xen, domain)) return enterModules(xen, vcpu, entered, start.startInfo)
    entered = { isImage: true, why: 'its page tables do not make a page map' }
  }
  if (!entered.isImage && !domain.pageMapped) startMachineCode(xen, vcpu)
  else {
    guestLog(xen, XENLOG_WARNING, 'traps.c:435', `Unhandled ${trap} on VCPU ${vcpu.id} [ec=0000]`)
    domainCrash(xen, vcpu, entered.why)
  }
  return undefined
}

function startMachineCode(xen: Xen, vcpu: Vcpu): void {
  if (!makeMachineCode(xen, vcpu)) domainCrash(xen, vcpu, 'no room for the registers of one more virtual processor')
}

function enterModules(xen: Xen, vcpu: Vcpu, entered: Entered, startInfo: Vaddr): NonNullable<Vcpu['code']> {
  const { loaded, start: begin } = entered
  vcpu.domain.entered = entered
  vcpu.code = { loaded, run: () => begin(virtualCpu(xen, vcpu, startInfo)) }
  return vcpu.code
}

/** Whether the event callback is due; masks events, as its entry does. */
function takeUpcall(xen: Xen, vcpu: Vcpu): boolean {
  const { evtchn_upcall_pending: pending, evtchn_upcall_mask: mask } = vcpu_info.fields
  if (pending.get(xen.mem, vcpu.infoAt) === 0 || mask.get(xen.mem, vcpu.infoAt) !== 0) return false
  mask.set(xen.mem, vcpu.infoAt, 1)
  return true
}

/** With events masked, as an NMI's entry does, until the return from it. */
function masked(xen: Xen, { infoAt }: Vcpu, body: () => void): void {
  const { evtchn_upcall_mask: mask } = vcpu_info.fields
  const before = mask.get(xen.mem, infoAt)
  mask.set(xen.mem, infoAt, 1)
  body()
  mask.set(xen.mem, infoAt, before)
}
