/** The kernel's state: what the real one keeps in static variables hangs off one object. Each part is made by the folder that owns it. */
import type { Mem } from '#abi/mem.ts'
import type { Utsname } from '#abi/posix/syscalls.ts'
import type { VirtualCpu } from '#abi/xen/guest.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import type { Blocks } from './block/block.ts'
import type { Misc } from './drivers/misc/misc.ts'
import type { Pages } from './mm/pages.ts'
import type { Net } from './net/net.ts'
import type { Task } from './sched/task.ts'
import type { Sleeping, SleepOptions, WaitQueue, Woken } from './sched/wait.ts'
import type { SyscallTable } from './syscalls/row.ts'
import type { Ttys } from './tty/core.ts'
import type { FileOps } from './vfs/file.ts'
import type { Vfs } from './vfs/vfs.ts'
import type { Grants } from './xen/grants.ts'
import type { Xenbus } from './xenbus/xenbus.ts'

/** A console_initcall: a driver registers its console, long before anything can sleep. */
export type ConsoleInit = (kernel: Kernel) => void
/** An initcall: run by the init thread, in the order of init/initcalls.ts, before the root is mounted. Drivers look for their devices here. */
export type Initcall = (kernel: Kernel) => Sleeping<void>

/** What other folders put into the kernel. Each `make` gets a kernel that already has log, time, irq, pages and sched, and calls no other part yet. */
export interface KernelParts {
  readonly makeProc: (kernel: Kernel) => ProcRegistry
  readonly makeVfs: (kernel: Kernel) => Vfs
  readonly makeBlocks: (kernel: Kernel) => Blocks
  readonly consoleInits: readonly ConsoleInit[]
  readonly initcalls: readonly Initcall[]
  readonly syscalls: SyscallTable
}

/** printk: the log, and the consoles it goes to. */
export interface Log {
  /** `<6>` and its like in front set the level; a text without newline is continued by the next. */
  printk(text: string): void
  /** The console named by the last `console=` is /dev/console too. What was logged before is printed there now. */
  registerConsole(console: Console): void
  readonly consoles: readonly Console[]
  /** Since boot, as dmesg shows it. */
  text(): string
  readonly bufferBytes: number
  clear(): void
  /** console_loglevel. */
  consoleLevel: number
  /** Device number of /dev/console. */
  readonly consoleDevice: number
}

export interface Console {
  /** `xvc`, `tty`, `ttyS`. */
  readonly name: string
  readonly index: number
  /** What an open of /dev/console opens. */
  readonly device: number
  /** CON_ENABLED from the start: it prints whatever console= says. */
  readonly enabled?: boolean
  write(text: string): void
}

export interface Timer {
  cancel(): void
}

export interface Time {
  /** System time (Xen's) in ns: since the hypervisor's boot. */
  nowNs(): number
  /** System time at this kernel's start. */
  readonly bootNs: number
  /** Wall clock: seconds since 1970 and ns. */
  wall(): readonly [number, number]
  setWall(seconds: number, ns: number): void
  /** Seconds since 1970: for time stamps of inodes. */
  seconds(): number
  /** Call `expired` once, from interrupt context: it must not sleep. */
  after(ns: number, expired: () => void): Timer
}

export interface Interrupts {
  /** A physical interrupt line, through Xen. `name` as in /proc/interrupts. The handler must not sleep. */
  requestPirq(irq: number, name: string, handler: () => void): void
  freePirq(irq: number): void
  bindVirq(virq: number, name: string, handler: () => void): void
  /** bind_caller_port_to_irqhandler: a port that is there already (start_info's, the evtchn device's). */
  bindPort(port: number, name: string, handler: () => void): void
  /** bind_listening_port_to_irqhandler: a new port that `domid` may bind to. Which it is. */
  bindListening(domid: number, name: string, handler: () => void): number
  /** bind_interdomain_evtchn_to_irqhandler: a new port at the other end of the domain's. Which it is. */
  bindInterdomain(domid: number, remotePort: number, name: string, handler: () => void): number
  /** unbind_from_irqhandler: the port is closed. */
  unbind(port: number): void
  /** notify_remote_via_evtchn */
  notify(port: number): void
  mask(port: number): void
  /** What came meanwhile is delivered. */
  unmask(port: number): void
  /** For /proc/interrupts: number, count, controller (`Phys-irq`, `Dynamic-irq`), name. */
  readonly rows: readonly {
    readonly irq: number
    readonly count: number
    readonly chip: string
    readonly name: string
  }[]
}

export interface Scheduler {
  /** Whose system call or thread is running. */
  readonly current: Task
  /** In order of their pids. */
  readonly tasks: readonly Task[]
  task(pid: number): Task | undefined
  /** Sleep until one of the queues is woken. At once with 'signal' where one is pending. Look again in a loop. */
  sleepOn(queues: WaitQueue | readonly WaitQueue[], options?: SleepOptions): Sleeping<Woken>
  sleepFor(ns: number, options?: SleepOptions): Sleeping<Woken>
  /** Let others run. */
  yieldNow(): Sleeping<void>
  /** A kernel thread: kblockd, pdflush. */
  kthread(name: string, body: () => Sleeping<void>): Task
  /** A signal that is not blocked or ignored waits for `task`. */
  signalPending(task: Task): boolean
  /** From the kernel (a tty, SIGPIPE): no permission is asked. */
  sendSignal(task: Task, signo: number): void
  killPgrp(pgid: number, signo: number): boolean
  /** Nobody outside the group, and in the same session, is a parent of one of it. */
  orphanedPgrp(pgid: number): boolean
  /** 1, 5, 15 minutes, times 65536; runnable; forks so far; context switches; idle ns; boot's pid of last fork. */
  readonly loads: readonly [number, number, number]
  readonly runnable: number
  readonly forks: number
  readonly switches: number
  readonly idleNs: number
  readonly lastPid: number
}

export interface LoadedModule {
  readonly name: string
  readonly bytes: number
  readonly users: number
  /** Who uses it. */
  readonly usedBy: readonly string[]
  readonly state: 'Live' | 'Loading' | 'Unloading'
  readonly address: Vaddr
}

/** The contract of a .ko image: its entry module exports `module: KernelModule`. It imports types of the kernel, and code of lib and abi. */
export interface KernelModule {
  readonly name: string
  readonly license: string
  readonly description?: string
  /** Modules to be loaded before: modprobe's business, by depmod. */
  readonly depends?: readonly string[]
  /** Fails by `throw new Errno`-like objects with `errno`. `parameters` from insmod's command line. */
  init(kernel: Kernel, parameters: ReadonlyMap<string, string>): Sleeping<void>
  /** Absent: it cannot be removed. */
  exit?(kernel: Kernel): Sleeping<void>
}

export interface Kernel {
  readonly vcpu: VirtualCpu
  readonly mem: Mem
  readonly startInfo: Vaddr
  /** A page for a hypercall's arguments and text: whoever makes one fills it first, and keeps nothing there. */
  readonly bounce: Vaddr
  /** SIF_INITDOMAIN. */
  readonly dom0: boolean
  readonly cmdline: string
  /** Words of the command line by name: the last `name=value`, or '' for a bare word. */
  readonly params: ReadonlyMap<string, string>
  readonly uts: { -readonly [K in keyof Utsname]: Utsname[K] } & { domainname: string }
  readonly log: Log
  readonly time: Time
  readonly irq: Interrupts
  readonly pages: Pages
  readonly sched: Scheduler
  readonly vfs: Vfs
  readonly blocks: Blocks
  readonly modules: ReadonlyMap<string, LoadedModule>
  /** Contents of /proc files by path ('meminfo', 'sys/kernel/hostname', 'xen/balloon'): whoever knows the facts registers. */
  readonly proc: ProcRegistry
  /** Grant references: made by an initcall of kernel/xen, before any driver's. */
  grants?: Grants
  /** Split devices: made by an initcall of kernel/xenbus, before any driver's. */
  xenbus?: Xenbus
  /** Devices of major number 10: made by an initcall of drivers/misc, before any driver's. */
  misc?: Misc
  /** Sockets: made by an initcall of net. */
  net?: Net
  /** Terminals: the first of ttyInitcalls makes them. */
  ttys?: Ttys
  /** Deterministic dice of this boot, for /dev/urandom, uuids. */
  random(bytes: number): Uint8Array
  /** machine_restart and its like: how this domain ends (SHUTDOWN_*). Takes effect when the code that calls it comes back to the run loop. */
  shutdown(reason: number): void
  /** Somebody has pressed Ctrl-Alt-Del: init gets SIGINT, or the machine restarts. From interrupt context too. */
  ctrlAltDel(): void
  /** `Kernel panic - not syncing: why`; SCHEDOP_shutdown(crash). */
  panic(why: string): never
}

export interface ProcFile {
  /** Permission bits. */
  readonly mode: number
  read?(): string
  /** `text` is one write's bytes. Fails by fail(). */
  write?(text: string): void
  /** Instead of both: what an open file does. */
  ops?(): FileOps
}

export interface ProcRegistry {
  add(path: string, file: ProcFile): void
  remove(path: string): void
}
