/**
 * kexec_op (37): another kernel in the place of this one, at once or after a crash (xen/common/kexec.c). Where what it needs lies can be asked;
 * an image of instructions cannot be taken, since nothing here could jump to it.
 */
import type { Values } from '#abi/struct.ts'
import { EINVAL, ENOENT, ENOMEM, ENOSYS, EPERM } from '#abi/xen/errno.ts'
import {
  KEXEC_CMD_kexec,
  KEXEC_CMD_kexec_get_range,
  KEXEC_CMD_kexec_load,
  KEXEC_CMD_kexec_unload,
  KEXEC_RANGE_MA_CPU,
  KEXEC_RANGE_MA_CRASH,
  KEXEC_RANGE_MA_VMCOREINFO,
  KEXEC_RANGE_MA_XEN,
  KEXEC_TYPE_CRASH,
  xen_kexec_exec,
  xen_kexec_load,
  xen_kexec_range,
} from '#abi/xen/kexec.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { bytesOfString } from '#lib/utf8.ts'
import type { Xen } from '../xen.ts'
import { type Call, type Hypercall, op, opIn, type RawOp } from './op-table.ts'

const NT_PRSTATUS = 1
const XEN_ELFNOTE_CRASH_INFO = 0x1000001
const XEN_ELFNOTE_CRASH_REGS = 0x1000002
/** sizeof(ELF_Prstatus), crash_xen_core_t, crash_xen_info_t. */
const PRSTATUS_BYTES = 336
const CORE_BYTES = 32
const INFO_BYTES = 64
const VMCOREINFO_BYTES = 4096

type Note = readonly [name: string, type: number, bytes: number]
const CPU_NOTES: readonly Note[] = [
  ['CORE', NT_PRSTATUS, PRSTATUS_BYTES],
  ['Xen', XEN_ELFNOTE_CRASH_REGS, CORE_BYTES],
]
/** What is the host's is with the first processor's. */
const BOOT_CPU_NOTES: readonly Note[] = [...CPU_NOTES, ['Xen', XEN_ELFNOTE_CRASH_INFO, INFO_BYTES]]

const rows: Readonly<Record<number, RawOp>> = {
  [KEXEC_CMD_kexec_get_range]: op(xen_kexec_range, getRange),
  [KEXEC_CMD_kexec_load]: opIn(xen_kexec_load, (_call, { type }) => (type > KEXEC_TYPE_CRASH ? -EINVAL : -ENOSYS)),
  // What is not loaded is unloaded.
  [KEXEC_CMD_kexec_unload]: opIn(xen_kexec_load, (_call, { type }) => (type > KEXEC_TYPE_CRASH ? -EINVAL : 0)),
  [KEXEC_CMD_kexec]: opIn(xen_kexec_exec, (_call, { type }) => (type > KEXEC_TYPE_CRASH ? -EINVAL : -ENOENT)),
}

export const kexecOp: Hypercall = (call, [command = 0, pointer = 0]) => {
  if (!call.caller.privileged) return -EPERM
  return rows[command]?.(call, pointer) ?? -EINVAL
}

function getRange({ xen }: Call, arg: Values<typeof xen_kexec_range>): number {
  const { crashkernel } = xen.options
  const { xenHeapStart, xenHeapEnd } = xen.heap
  const set = (start: number, size: number): number => {
    arg.start = BigInt(start)
    arg.size = BigInt(size)
    return 0
  }
  switch (arg.range) {
    case KEXEC_RANGE_MA_CRASH:
      return crashkernel.size > 0 && crashkernel.start > 0 ? set(crashkernel.start, crashkernel.size) : set(0, 0)
    case KEXEC_RANGE_MA_XEN:
      return set(xenHeapStart * PAGE_SIZE, (xenHeapEnd - xenHeapStart) * PAGE_SIZE)
    case KEXEC_RANGE_MA_CPU: {
      if (!xen.pcpus[arg.nr]) return -EINVAL
      const notes = arg.nr === 0 ? BOOT_CPU_NOTES : CPU_NOTES
      const at = pageOf(xen, arg.nr, notes)
      return at === undefined ? -ENOMEM : set(at, bytesOf(notes))
    }
    case KEXEC_RANGE_MA_VMCOREINFO: {
      // Filled in when an image is loaded.
      const at = pageOf(xen, -1, [])
      return at === undefined ? -ENOMEM : set(at, VMCOREINFO_BYTES)
    }
    default:
      return -EINVAL
  }
}

const align4 = (bytes: number): number => (bytes + 3) & ~3
const noteBytes = ([name, , bytes]: Note): number => 12 + align4(name.length + 1) + align4(bytes)
const bytesOf = (notes: readonly Note[]): number => notes.reduce((sum, note) => sum + noteBytes(note), 0)

/** Machine address of a processor's notes, made when they are first asked for. */
function pageOf(xen: Xen, key: number, notes: readonly Note[]): number | undefined {
  const { crashNotes, heap, mem } = xen
  const known = crashNotes.get(key)
  if (known !== undefined) return known
  const mfn = heap.allocXenHeapPages(0)
  if (mfn === undefined) return undefined
  let at = mfn * PAGE_SIZE
  crashNotes.set(key, at)
  mem.fill(at, PAGE_SIZE, 0)
  for (const note of notes) {
    const [name, type, bytes] = note
    mem.write32(at, name.length + 1)
    mem.write32(at + 4, bytes)
    mem.write32(at + 8, type)
    mem.copyIn(at + 12, bytesOfString(name))
    at += noteBytes(note)
  }
  return mfn * PAGE_SIZE
}
