/**
 * start_kernel (Linux: init/main.c, arch/x86_64/kernel/setup-xen.c): what is done before anything can sleep, and the thread that becomes init.
 * Each line of the log says what has really happened.
 */
import { PHYSDEVOP_set_iopl, physdev_set_iopl } from '#abi/xen/physdev.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_physdev_op, start_info } from '#abi/xen/xen.ts'
import { type Core, coreOf } from '../core.ts'
import type { Kernel } from '../kernel.ts'
import { KERNEL_FIRST_PFN } from '../mm/allocator.ts'
import { bootStack, START_KERNEL_MAP } from './hypervisor.ts'
import { startInit } from './init-thread.ts'
import { registerCoreProc } from './proc-data.ts'
import { COMPILED_BY } from './version.ts'

/** Jiffies in a second: loops_per_jiffy and BogoMIPS are counted in them. */
const HZ = 100

const hex16 = (value: number): string => value.toString(16).padStart(16, '0')

export function startKernel(kernel: Kernel): void {
  const core = coreOf(kernel)
  const { log, uts, cmdline, pages, time } = core
  log.printk(`<6>Bootdata ok (command line is ${cmdline})\n`)
  log.printk(`<5>Linux version ${uts.release} ${COMPILED_BY} ${uts.version}\n`)
  setupArch(core)
  log.printk(`<6>Built 1 zonelists.  Total pages: ${pages.maxPfn}\n`)
  log.printk(`<5>Kernel command line: ${cmdline}\n`)
  log.printk('<6>Initializing CPU#0\n')
  const khz = Math.floor(time.tscHz / 1000)
  log.printk(`<6>Xen reported: ${Math.floor(khz / 1000)}.${String(khz % 1000).padStart(3, '0')} MHz processor.\n`)
  for (const init of core.parts.consoleInits) init(core)
  memInit(core)
  calibrateDelay(core)
  registerCoreProc(core)
  startInit(core)
}

/** dom0 may touch I/O ports; the memory map is the domain's own. */
function setupArch(core: Core): void {
  const { mem, vcpu, log, pages, bounce, dom0 } = core
  if (dom0) {
    physdev_set_iopl.write(mem, bounce, { iopl: 1 })
    vcpu.hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, bounce)
  }
  log.printk('<6>BIOS-provided physical RAM map:\n')
  log.printk(`<6> Xen: ${hex16(0)} - ${hex16(pages.maxPfn * PAGE_SIZE)} (usable)\n`)
}

function memInit({ mem, startInfo, log, pages, vcpu }: Core): void {
  const kb = (count: number): number => (count * PAGE_SIZE) / 1024
  const { mod_start, mfn_list } = start_info.fields
  const imageEnd = mod_start.get(mem, startInfo) || mfn_list.get(mem, startInfo)
  const code = Math.max(0, (imageEnd - START_KERNEL_MAP) / PAGE_SIZE - KERNEL_FIRST_PFN)
  const data = (bootStack(vcpu) - imageEnd) / PAGE_SIZE + 1
  log.printk(
    `<6>Memory: ${kb(pages.free)}k/${kb(pages.maxPfn)}k available (${kb(code)}k kernel code, ` +
      `${kb(pages.nrPages - pages.total)}k reserved, ${kb(data)}k data, ${kb(pages.initPages)}k init)\n`,
  )
}

/** The TSC is the delay loop. */
function calibrateDelay({ log, time }: Core): void {
  const lpj = Math.floor(time.tscHz / HZ)
  const mips = Math.floor(lpj / (500_000 / HZ))
  const hundredths = String(Math.floor(lpj / (5000 / HZ)) % 100).padStart(2, '0')
  log.printk(`<6>Calibrating delay using timer specific routine.. ${mips}.${hundredths} BogoMIPS (lpj=${lpj})\n`)
}
