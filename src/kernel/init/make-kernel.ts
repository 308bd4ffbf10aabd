/** The kernel's parts put together, in the order in which they need each other; start_kernel (start-kernel.ts) then uses them. */
import type { VcpuCode, VirtualCpu } from '#abi/xen/guest.ts'
import { SHUTDOWN_crash } from '#abi/xen/sched.ts'
import { __HYPERVISOR_update_va_mapping, SIF_INITDOMAIN, shared_info, start_info, UVMF_INVLPG } from '#abi/xen/xen.ts'
import { createRng } from '#lib/prng.ts'
import type { Core } from '../core.ts'
import { ImageCache } from '../exec/image-cache.ts'
import { EventIrqs } from '../irq/events.ts'
import type { Kernel, KernelParts } from '../kernel.ts'
import { Printk } from '../log/printk.ts'
import { UserAreas } from '../mm/address-space.ts'
import { PAGE_KERNEL, PageAllocator } from '../mm/allocator.ts'
import { ModuleTable } from '../module/modules.ts'
import { Sched } from '../sched/scheduler.ts'
import { UEVENT_HELPER } from '../sched/usermodehelper.ts'
import { SyscallDispatcher } from '../syscalls/dispatch.ts'
import { CORE_SYSCALLS } from '../syscalls/index.ts'
import { TimeKeeper } from '../time/timekeeper.ts'
import { bootStack, FIX_SHARED_INFO } from './hypervisor.ts'
import { ctrlAltDel } from './reboot.ts'
import { runLoop } from './run-loop.ts'
import { UTS } from './version.ts'

/** Thrown to get out of whatever was running when the kernel panicked; Core.ending says the rest. */
class Panicked {}

export interface MadeKernel {
  readonly kernel: Kernel
  readonly code: VcpuCode
}

/** `boot`: what the first run does once the kernel is there (start_kernel). */
export function makeKernel(vcpu: VirtualCpu, parts: KernelParts, boot: (kernel: Kernel) => void): MadeKernel {
  const { mem, startInfo } = vcpu
  const sharedMaddr = start_info.fields.shared_info.get(mem, startInfo)
  const error = vcpu.hypercall(__HYPERVISOR_update_va_mapping, FIX_SHARED_INFO, sharedMaddr + PAGE_KERNEL, UVMF_INVLPG)
  if (error !== 0) throw new Error(`shared_info: ${error}`)

  const cmdline = commandLine(vcpu)
  const bounce = bootStack(vcpu)
  const core = {
    vcpu,
    mem,
    startInfo,
    bounce,
    dom0: (start_info.fields.flags.get(mem, startInfo) & SIF_INITDOMAIN) !== 0,
    cmdline,
    params: parameters(cmdline),
    uts: { ...UTS },
    log: new Printk(cmdline),
    time: new TimeKeeper(vcpu, FIX_SHARED_INFO),
    irq: new EventIrqs(vcpu, FIX_SHARED_INFO, bounce),
    pages: new PageAllocator(vcpu),
    parts,
    ending: undefined,
    ctrlAltDelRestarts: true,
    hotplugHelper: UEVENT_HELPER,
    hotplugSeqnum: 0,
    sysrqEnabled: true,
    reclaim: undefined,
    panicTimeout: 0,
    oopsPanics: false,
    ctrlAltDel: () => ctrlAltDel(core),
    shutdown(reason: number): void {
      core.ending ??= reason
    },
    panic(why: string): never {
      core.log.printk(`<0>Kernel panic - not syncing: ${why}\n`)
      // The panic notifier of Xen's tree: the domain crashes before `panic=` is looked at.
      core.ending = SHUTDOWN_crash
      throw new Panicked()
    },
  } as unknown as Mutable<Core>
  const rng = createRng(seedOf(vcpu, core.time.bootNs)).fork('random')
  const panicTimeout = Number(core.params.get('panic') ?? 0)
  if (Number.isInteger(panicTimeout)) core.panicTimeout = panicTimeout
  core.oopsPanics = core.params.get('oops') === 'panic'
  core.random = (bytes) => rng.bytes(bytes)
  core.areas = new UserAreas(core)
  core.sched = new Sched(core)
  core.images = new ImageCache(core)
  core.modules = new ModuleTable(core)
  core.syscalls = new SyscallDispatcher(core, [CORE_SYSCALLS, parts.syscalls])
  core.proc = parts.makeProc(core)
  core.vfs = parts.makeVfs(core)
  core.blocks = parts.makeBlocks(core)
  return { kernel: core, code: runLoop(core, boot, (thrown) => thrown instanceof Panicked) }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function commandLine({ mem, startInfo }: VirtualCpu): string {
  const bytes = start_info.fields.cmd_line.get(mem, startInfo)
  const end = bytes.indexOf(0)
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end))
}

function parameters(cmdline: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const word of cmdline.split(/\s+/)) {
    if (word === '') continue
    const equals = word.indexOf('=')
    if (equals < 0) found.set(word, '')
    else found.set(word.slice(0, equals), word.slice(equals + 1))
  }
  return found
}

/** What differs from boot to boot: the clocks. */
function seedOf(vcpu: VirtualCpu, bootNs: number): number {
  const wall = shared_info.fields.wc_sec.get(vcpu.mem, FIX_SHARED_INFO)
  return (wall * 1_000_003 + Math.floor(bootNs)) % Number.MAX_SAFE_INTEGER
}
