/**
 * xen/arch/x86/domain.c: the registers of a vCPU of machine code, from its context and back (load_segments, arch_get_info_guest). Each has its own in the machine: nothing
 * is saved or loaded where processors change hands.
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
import { VGCF_i387_valid, VGCF_in_kernel, vcpu_guest_context } from '#abi/xen/vcpu.ts'
import type { Vcpu } from '../common/domain.ts'
import type { Xen } from '../xen.ts'
import { initGdtTable, invalidateLdt, loadGdt, loadLdt } from './descriptors.ts'
import { failsafeCallback } from './entry.ts'
import { contextOf, loadDebugregs, setTaskSwitched, taskSwitched } from './guest-context.ts'
import {
  isX86,
  reg,
  rflags,
  ripWord,
  segmentBase,
  selector,
  setReg,
  setRflags,
  setRipWord,
  setSegmentBase,
  type X86Vcpu,
} from './guest-regs.ts'

const { fields } = vcpu_guest_context

/** Where each register is in a context. */
const REGISTERS: readonly (readonly [number, number])[] = [
  [RAX, fields.rax.offset],
  [RCX, fields.rcx.offset],
  [RDX, fields.rdx.offset],
  [RBX, fields.rbx.offset],
  [RSP, fields.rsp.offset],
  [RBP, fields.rbp.offset],
  [RSI, fields.rsi.offset],
  [RDI, fields.rdi.offset],
  [R8, fields.r8.offset],
  [R9, fields.r9.offset],
  [R10, fields.r10.offset],
  [R11, fields.r11.offset],
  [R12, fields.r12.offset],
  [R13, fields.r13.offset],
  [R14, fields.r14.offset],
  [R15, fields.r15.offset],
]
const DATA_SEGMENTS = [
  [SEG_DS, fields.ds],
  [SEG_ES, fields.es],
  [SEG_FS, fields.fs],
  [SEG_GS, fields.gs],
] as const

/** FNINIT, and MXCSR's default: FXSAVE's image of both. */
function freshFpu(): Uint8Array {
  const image = new Uint8Array(512)
  image.set([0x7f, 0x03], 0)
  image.set([0x80, 0x1f], 24)
  return image
}

/** It gets registers of its own. False: the machine or Xen has no room for them. */
export function makeMachineCode(xen: Xen, vcpu: Vcpu): boolean {
  if (!initGdtTable(xen)) return false
  vcpu.ring3 = xen.current.metal.ring3()
  if (!isX86(vcpu)) return false
  vcpu.domain.machineCode = true
  loadContext(xen, vcpu)
  return true
}

/** From its context into its registers. */
export function loadContext(xen: Xen, vcpu: X86Vcpu): void {
  const { ring3, frame } = vcpu
  const context = contextOf(vcpu)
  const flags = Number(fields.flags.get(context, 0) & 0xffffn)
  for (const [n, offset] of REGISTERS) setReg(vcpu, n, context.read64(offset))
  setRipWord(vcpu, context.read64(fields.rip.offset))
  setRflags(vcpu, Number(fields.rflags.get(context, 0) & 0xffffffffn))
  ring3.fxrstor(flags & VGCF_i387_valid ? fields.fpu_ctxt.get(context, 0) : freshFpu())
  setTaskSwitched(vcpu, taskSwitched(vcpu))
  loadDebugregs(vcpu)
  frame.cs = fields.cs.get(context, 0)
  frame.ss = fields.ss.get(context, 0)
  frame.sysret = false
  vcpu.inNmi = false
  vcpu.kernelMode = (flags & VGCF_in_kernel) !== 0
  ring3.setRoot(0, vcpu.root)
  if (vcpu.userRoot !== 0) ring3.setRoot(1, vcpu.userRoot)
  ring3.selectSpace(vcpu.kernelMode ? 0 : 1)
  loadGdt(xen, vcpu)
  invalidateLdt(xen, vcpu)
  vcpu.ldtStale = fields.ldt_ents.get(context, 0) !== 0n
  loadLdt(xen, vcpu)
  loadSegments(xen, vcpu)
}

/** load_segments. Those that cannot be are null, and the guest's failsafe callback hears of it. */
function loadSegments(xen: Xen, vcpu: X86Vcpu): void {
  const { ring3 } = vcpu
  const context = contextOf(vcpu)
  let okay = true
  for (const [segment, field] of DATA_SEGMENTS) {
    if (ring3.loadSegment(segment, field.get(context, 0))) continue
    ring3.loadSegment(segment, 0)
    okay = false
  }
  // A base can only be told apart where the selector is null.
  const fsBase = context.read64(fields.fs_base.offset)
  if (fsBase !== 0n) setSegmentBase(vcpu, SEG_FS, fsBase)
  const userBase = context.read64(fields.gs_base_user.offset) || segmentBase(vcpu, SEG_GS)
  context.write64(fields.gs_base_user.offset, userBase)
  setSegmentBase(vcpu, SEG_GS, vcpu.kernelMode ? context.read64(fields.gs_base_kernel.offset) : userBase)
  if (!okay)
    failsafeCallback(
      xen,
      vcpu,
      DATA_SEGMENTS.map(([, field]) => field.get(context, 0)),
    )
}

/** From its registers into its context: what whoever looks at that wants to see. */
export function saveContext(vcpu: X86Vcpu): void {
  const { ring3, frame, kernelMode } = vcpu
  const context = contextOf(vcpu)
  for (const [n, offset] of REGISTERS) context.write64(offset, reg(vcpu, n))
  context.write64(fields.rip.offset, ripWord(vcpu))
  const flags = fields.flags.get(context, 0) | BigInt(VGCF_i387_valid)
  const mode = BigInt(VGCF_in_kernel)
  vcpu_guest_context.write(context, 0, {
    fpu_ctxt: ring3.fxsave(),
    flags: kernelMode ? flags | mode : flags & ~mode,
    rflags: BigInt(rflags(vcpu)),
    cs: frame.cs,
    ss: frame.ss,
  })
  for (const [segment, field] of DATA_SEGMENTS) field.set(context, 0, selector(vcpu, segment))
  context.write64(fields.fs_base.offset, segmentBase(vcpu, SEG_FS))
  const gs = kernelMode ? fields.gs_base_kernel : fields.gs_base_user
  context.write64(gs.offset, segmentBase(vcpu, SEG_GS))
}
