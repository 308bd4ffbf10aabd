/**
 * xen/arch/x86/setup.c: __start_xen, from the multiboot loader's jump to the idle loop. The image's entry module.
 */

import { E820_RAM } from '#abi/pc/e820.ts'
import type { Metal, MetalEntry, PcpuCode, Regs } from '#abi/pc/metal.ts'
import { MBI_MEMORY, MULTIBOOT_LOADER_MAGIC } from '#abi/pc/multiboot.ts'
import { COM1_BASE, UART_LSR, UART_LSR_THRE, UART_THR } from '#abi/pc/uart16550.ts'
import { VGA_ATTRIBUTE_DEFAULT, VGA_TEXT_BASE } from '#abi/pc/vga.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { FIRST_HIPRIORITY_VECTOR, FIRST_LEGACY_VECTOR } from './arch-x86/apic.ts'
import { sayApicClock, setupLocalApic, verifyLocalApic } from './arch-x86/apic-verbosity.ts'
import { cpuText, identifyCpu, identityLines } from './arch-x86/cpu.ts'
import { constructDom0 } from './arch-x86/domain-build.ts'
import { acknowledge8259, init8259, unmask8259 } from './arch-x86/io-apic.ts'
import { keyIoapic } from './arch-x86/key-7a-ioapic.ts'
import {
  allocM2p,
  freeInit,
  freeUnusedPercpu,
  initE820,
  type Range,
  scrubHeapPages,
  setupMemory,
  setupXenHeap,
} from './arch-x86/memory-setup.ts'
import { findProcessors, initAcpiTables, type MpConfig } from './arch-x86/mpparse.ts'
import { type Module, type MultibootInfo, readMultiboot } from './arch-x86/multiboot.ts'
import { checkNmiWatchdog, watchdogEnable } from './arch-x86/nmi.ts'
import { Pcpu } from './arch-x86/pcpu.ts'
import { earlyFail, panic } from './arch-x86/shutdown.ts'
import { type Booted, bootCpu, bringUp, checkTscSync } from './arch-x86/smpboot.ts'
import { askBios, type BootFacts } from './arch-x86/trampoline.ts'
import { allocVcpu, domainCreate } from './common/domain-create.ts'
import { domainUnpauseByController } from './common/domain-shutdown.ts'
import { cmdlineCook, cmdlineParse, splitCmdline } from './common/kernel.ts'
import { hex } from './common/lib.ts'
import { SCHEDULER } from './common/schedule.ts'
import { initTraceBufs } from './common/trace.ts'
import { BUILD, type Build } from './config.ts'
import { XENLOG_INFO } from './drivers/console.ts'
import { endBoot, growConsoleRing, initConsole } from './drivers/console-setup.ts'
import { keyhandlers } from './keyhandlers.ts'
import { params } from './options.ts'
import { DEAD, RUN_AGAIN, type Steps } from './steps.ts'
import { makeXen, now, printk, type Xen } from './xen.ts'

export const start: MetalEntry = startBuild(BUILD)

/** The entry of another build than the image's own. */
export function startBuild(build: Build): MetalEntry {
  return (metal: Metal, regs: Regs): PcpuCode => {
    if (regs.eax !== MULTIBOOT_LOADER_MAGIC) return notMultiboot(metal)
    const xen = makeXen(metal, keyhandlers, build)
    const pcpu = new Pcpu(xen, 0, metal)
    pcpu.online = true
    xen.pcpus.push(pcpu)
    xen.current = pcpu
    pcpu.push(startXen(xen, pcpu, regs.ebx ?? 0, askBios(metal)))
    return pcpu
  }
}

/** head.S: no console yet, so straight to the screen and the first UART, and the end. */
function notMultiboot({ mem, io }: Metal): PcpuCode {
  const message = 'ERR: Not a Multiboot bootloader!'
  for (let i = 0; i < message.length; i++) {
    const letter = message.charCodeAt(i)
    mem.write8(VGA_TEXT_BASE + 2 * i, letter)
    mem.write8(VGA_TEXT_BASE + 2 * i + 1, VGA_ATTRIBUTE_DEFAULT)
  }
  let sent = 0
  return {
    run(deadlineNs) {
      if (sent === message.length) return DEAD
      if (io.in8(COM1_BASE + UART_LSR) & UART_LSR_THRE) io.out8(COM1_BASE + UART_THR, message.charCodeAt(sent++))
      return { kind: 'pause', untilNs: deadlineNs, forInput: false }
    },
    interrupt() {},
    nmi() {},
  }
}

/** __start_xen. It comes up for air between its parts: run for the first time, all this code takes an engine tens of ms. */
function* startXen(xen: Xen, pcpu: Pcpu, mbiAddress: number, facts: BootFacts): Steps {
  const { options } = xen
  const mbi = readMultiboot(xen.metal, mbiAddress)
  const { xen: cmdline, dom0: dom0Extra } = splitCmdline(cmdlineCook(mbi.cmdline))
  cmdlineParse(
    params(options, xen.build, (text) => printk(xen, text)),
    cmdline,
  )
  xen.vga.mode = facts.video
  xen.discs = facts
  initConsole(xen)
  printk(xen, `Command line: ${cmdline}\n`)
  printVideoAndDiscs(xen, facts)
  if (mbi.modules.length === 0) earlyFail(xen, 'dom0 kernel not specified. Check bootloader configuration.\n')
  initMemoryMap(xen, mbi, facts)
  const first = mbi.modules[0]!
  const last = mbi.modules.at(-1)!
  yield RUN_AGAIN
  const layout = setupMemory(xen, { start: first.start, end: last.end })
  yield RUN_AGAIN
  initAcpiTables(xen)
  printk(xen, `${XENLOG_INFO}${options.numaOff ? 'NUMA turned off' : 'No NUMA configuration found'}\n`)
  printk(xen, `${XENLOG_INFO}Faking a node at ${hex(0, 16)}-${hex(xen.maxPage * PAGE_SIZE, 16)}\n`)
  yield RUN_AGAIN
  setupXenHeap(xen, layout)
  yield RUN_AGAIN
  xen.heap.endBootAllocator()
  printk(xen, `Domain heap initialised${options.dmaBits > 0 ? ` DMA width ${options.dmaBits} bits` : ''}\n`)
  yield RUN_AGAIN
  allocM2p(xen)
  yield RUN_AGAIN
  const mp = findProcessors(xen)
  init8259(xen.metal.io)
  freeUnusedPercpu(xen, layout, Math.max(1, mp.cpus.length))
  if (options.sched !== SCHEDULER.optName) printk(xen, `Could not find scheduler: ${options.sched}\n`)
  printk(xen, `Using scheduler: ${SCHEDULER.name} (${SCHEDULER.optName})\n`)
  printk(xen, `${XENLOG_INFO}Initializing CPU#0\n`)
  yield* pcpu.drain()
  yield* xen.time.calibrateTsc()
  pcpu.setStime(0)
  const khz = Math.floor(xen.time.tscHz / 1000)
  printk(xen, `Detected ${Math.floor(khz / 1000)}.${String(khz % 1000).padStart(3, '0')} MHz processor.\n`)
  const info = identifyCpu(xen.metal.cpu)
  printk(xen, identityLines(info))
  printk(xen, `CPU0: ${cpuText(info)}\n`)
  const booted: Booted[] = []
  yield* smpPrepareCpus(xen, mp, booted)
  // init_xen_time
  pcpu.setStime(0)
  printk(xen, xen.time.initPlatformTimer(options.clocksource))
  xen.time.readWallclock(now(xen))
  pcpu.enableInterrupts()
  initSerialInterrupts(xen, mp)
  for (const one of booted) {
    xen.pcpus.push(one.pcpu)
    yield* bringUp(xen, one)
  }
  growConsoleRing(xen)
  printk(xen, `Brought up ${xen.pcpus.length} CPUs\n`)
  // initcalls
  if (options.forceIommu) panic(xen, 'IOMMU setup failed, crash Xen for security purpose!\n')
  printk(xen, 'I/O virtualisation disabled\n')
  if (options.watchdog) watchdogEnable(xen)
  yield RUN_AGAIN
  yield* startDom0(xen, mbi, dom0Extra, layout.images)
  yield RUN_AGAIN
  scrubHeapPages(xen)
  initTraceBufs(xen)
  yield* endBoot(xen, pcpu)
  domainUnpauseByController(xen, xen.domains.get(0)!)
  freeInit(xen, layout)
  yield* pcpu.idleLoop()
}

function printVideoAndDiscs(xen: Xen, { video }: BootFacts): void {
  printk(xen, 'Video information:\n')
  printk(
    xen,
    video ? ` VGA is text mode ${video.columns}x${video.rows}, font 8x${video.fontHeight}\n` : ' No VGA detected\n',
  )
  printk(xen, 'Disc information:\n')
  printk(xen, ` Found ${xen.discs.mbrSignatures.length} MBR signatures\n`)
  printk(xen, ` Found ${xen.discs.eddInfos.length} EDD information structures\n`)
}

/** The BIOS's map, or else what the loader says. */
function initMemoryMap(xen: Xen, mbi: MultibootInfo, { e820 }: BootFacts): void {
  if (e820.length > 0) initE820(xen, 'Xen-e820', e820)
  else if (mbi.memmap.length > 0) initE820(xen, 'Multiboot-e820', mbi.memmap)
  else if (mbi.flags & MBI_MEMORY) {
    initE820(xen, 'Multiboot-e801', [
      { base: 0, length: mbi.lowerKib * 1024, type: E820_RAM },
      { base: 0x100000, length: mbi.upperKib * 1024, type: E820_RAM },
    ])
  } else earlyFail(xen, 'Bootloader provided no memory information.\n')
}

/** smp_prepare_cpus: start all others, route the interrupts, calibrate the local APIC's timer. */
function* smpPrepareCpus(xen: Xen, mp: MpConfig, booted: Booted[]): Steps {
  const { options } = xen
  const self = xen.current
  const maxCpus = options.nosmp ? 0 : options.maxcpus
  verifyLocalApic(xen, self)
  setupLocalApic(xen, self)
  if (!mp.smp) printk(xen, `${XENLOG_INFO}SMP motherboard not detected.\n`)
  if (mp.smp && maxCpus > 0) {
    let id = 1
    for (const { apicId } of mp.cpus) {
      if (apicId === self.metal.cpu.apicId || booted.length + 1 >= maxCpus) continue
      yield* bootCpu(xen, id, apicId, booted)
      id = booted.length + 1
    }
    printk(xen, `Total of ${booted.length + 1} processors activated.\n`)
  }
  if (xen.ioApics.length > 0) {
    printk(xen, 'ENABLING IO-APIC IRQs\n')
    printk(xen, ` -> Using ${options.ioapicAckOld ? 'old' : 'new'} ACK method\n`)
    for (const ioApic of xen.ioApics) ioApic.maskAll()
    self.maskExtInt()
    if (options.apicVerbosity > 0) keyIoapic.run(xen, 'z')
  }
  if (options.watchdog) yield* checkNmiWatchdog(xen, [self, ...booted.map(({ pcpu }) => pcpu)])
  yield* self.drain()
  yield* xen.time.calibrateApic(
    (ticks) => self.apic.setTimer(ticks),
    () => self.apic.timerCount(),
  )
  sayApicClock(xen)
  if (booted.length > 0) yield* checkTscSync(xen, booted)
}

/** serial_init_postirq: transmit by interrupts from here on. */
function initSerialInterrupts(xen: Xen, mp: MpConfig): void {
  const { serial } = xen
  for (const index of [0, 1] as const) {
    const port = serial.ports[index]
    const { uart } = port
    if (!uart) continue
    port.asynchronous = true
    const irq = serial.irq(index)
    if (irq === undefined) {
      const pcpu = xen.current
      const timer = {
        name: 'serial poll',
        expiresNs: 0,
        run: (): void => {
          serial.poll(index)
          pcpu.setTimer(timer, pcpu.now() + uart.pollPeriodNs())
        },
      }
      pcpu.setTimer(timer, pcpu.now() + uart.pollPeriodNs())
    } else {
      // High-priority vectors: no guest's unacknowledged interrupt may block the console.
      setupIrq(xen, mp, irq, FIRST_HIPRIORITY_VECTOR + index + 1, () => serial.interrupt(index))
      uart.enableInterrupts()
    }
  }
}

/** setup_irq: an ISA interrupt to the boot processor, by the I/O APIC or, where there is none, by the 8259s. */
function setupIrq(xen: Xen, mp: MpConfig, irq: number, vector: number, handler: () => void): void {
  if (xen.irqs.has(irq)) {
    printk(xen, `ERROR: Failed to allocate ns16550 IRQ ${irq}\n`)
    return
  }
  const override = mp.overrides.find((entry) => entry.irq === irq)
  const gsi = override?.gsi ?? irq
  for (const ioApic of xen.ioApics) {
    const pin = gsi - ioApic.gsiBase
    if (pin < 0 || pin > ioApic.lastPin) continue
    xen.irqs.set(irq, { vector, acknowledge: () => xen.current.apic.eoi(), handler })
    ioApic.route(pin, vector, 1, { level: override?.level ?? false, activeLow: override?.activeLow ?? false })
    return
  }
  const { io } = xen.metal
  xen.irqs.set(irq, { vector: FIRST_LEGACY_VECTOR + irq, acknowledge: () => acknowledge8259(io, irq), handler })
  unmask8259(io, irq)
}

/** Create domain 0 and build it from the modules. */
function* startDom0(xen: Xen, mbi: MultibootInfo, extra: string | undefined, images: Range): Steps {
  const domain = domainCreate(xen, 0)
  if (!domain || !allocVcpu(xen, domain, 0, 0)) return panic(xen, 'Error creating domain 0\n')
  domain.privileged = true
  const base = mbi.modules[0]!.start
  const span = ({ start: from, end }: Module): { readonly start: number; readonly length: number } => ({
    start: images.start + (from - base),
    length: end - from,
  })
  const [kernel, ramdisk] = mbi.modules
  const cmdline =
    kernel!.string === undefined && extra === undefined
      ? undefined
      : withLinuxOptions(xen, cmdlineCook(kernel!.string ?? '') + (extra ?? ''))
  const modules = {
    images: { start: images.start, end: images.end },
    kernel: span(kernel!),
    ramdisk: ramdisk && ramdisk.end > ramdisk.start ? span(ramdisk) : undefined,
    cmdline,
  }
  if (!(yield* constructDom0(xen, domain, modules))) panic(xen, 'Could not set up DOM0 guest OS\n')
}

/** Options of Xen's that Linux knows by the same name are handed on. */
function withLinuxOptions(xen: Xen, cmdline: string): string {
  let text = cmdline
  if (xen.options.noapic && !text.includes('noapic')) text += ' noapic'
  if (xen.options.acpiSkipTimerOverride && !text.includes('acpi_skip_timer_override'))
    text += ' acpi_skip_timer_override'
  if (xen.options.acpi !== '' && !text.includes('acpi=')) text += ` acpi=${xen.options.acpi}`
  return text
}
