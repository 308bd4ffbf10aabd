/** What the files of /proc/PID say (Linux 2.6.18: fs/proc/array.c, task_mmu.c, base.c). procps 3.2.7 reads them. */

import { RLIM_INFINITY, RLIMIT_RSS } from '#abi/posix/resource.ts'
import { SIG_IGN, sigmask } from '#abi/posix/signal.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { TaskStruct } from '../sched/task-struct.ts'

/** A command line shows no more than a page of itself. */
const PAGE_BYTES = 4096
/** USER_HZ: ns of a clock tick. */
const TICK_NS = 10_000_000
const KIB_PER_PAGE = PAGE_SIZE / 1024

/** Of task_struct.flags, what holds here: PF_FORKNOEXEC, PF_SUPERPRIV. */
const PF_FORKNOEXEC = 0x40
const PF_SUPERPRIV = 0x100

const STATES: Readonly<Record<string, string>> = {
  R: 'R (running)',
  S: 'S (sleeping)',
  D: 'D (disk sleep)',
  T: 'T (stopped)',
  Z: 'Z (zombie)',
  X: 'X (dead)',
}

const inside = (task: Task): Partial<TaskStruct> => task as Partial<TaskStruct>
const ticks = (ns: number): number => Math.floor(ns / TICK_NS)
const gone = (task: Task): boolean => task.state === 'Z' || task.state === 'X'

export function cmdlineText(_kernel: Kernel, task: Task): string {
  if (task.kthread || gone(task)) return ''
  const text = task.argv.map((word) => `${word}\0`).join('')
  return text.slice(0, PAGE_BYTES)
}

export function environText(_kernel: Kernel, task: Task): string {
  if (task.kthread || gone(task)) return ''
  return task.envp
    .map((word) => `${word}\0`)
    .join('')
    .slice(0, PAGE_BYTES)
}

export const wchanText = (): string => '0'

/** Of all there is: text, heap and stack are all in memory. */
const pagesOf = (task: Task): number => task.textPages + task.anonPages
const ownPages = (task: Task): number => (task.kthread || gone(task) ? 0 : pagesOf(task))

/** Signals that are ignored, and that have a handler. */
function handled(task: Task): { ignored: number; caught: number } {
  let ignored = 0
  let caught = 0
  for (const [signo, { handler }] of task.actions) {
    if (handler === SIG_IGN) ignored += sigmask(signo)
    else if (typeof handler === 'function') caught += sigmask(signo)
  }
  return { ignored, caught }
}

export function statText(_kernel: Kernel, task: Task): string {
  const { tty } = task.session
  const { ignored, caught } = handled(task)
  const more = inside(task)
  const limit = task.limits[RLIMIT_RSS]?.[0] ?? RLIM_INFINITY
  const flags = (more.forked || task.kthread ? PF_FORKNOEXEC : 0) | (task.cred.euid === 0 ? PF_SUPERPRIV : 0)
  const fields: (number | string)[] = [
    task.pid,
    `(${task.comm})`,
    task.state,
    task.parent?.pid ?? 0,
    task.pgid,
    task.session.sid,
    tty?.dev ?? 0,
    tty ? tty.pgrp || -1 : -1,
    flags,
    // Page faults, its own and its children's: there are none.
    0,
    0,
    0,
    0,
    ticks(task.utimeNs),
    ticks(task.stimeNs),
    ticks(more.childUtimeNs ?? 0),
    ticks(more.childStimeNs ?? 0),
    20 + task.nice,
    task.nice,
    1,
    0,
    ticks(task.startNs),
    ownPages(task) * PAGE_SIZE,
    ownPages(task),
    limit === RLIM_INFINITY ? '18446744073709551615' : limit,
    // Addresses: of code, stack, stack pointer, program counter. There are none to tell.
    0,
    0,
    0,
    0,
    0,
    task.pending & 0x7fffffff,
    task.blocked & 0x7fffffff,
    ignored & 0x7fffffff,
    caught & 0x7fffffff,
    0,
    0,
    0,
    17,
    0,
    0,
    0,
    0,
  ]
  return `${fields.join(' ')}\n`
}

/** size, resident, shared, text, library (0), data, dirty (0), in pages. */
export function statmText(_kernel: Kernel, task: Task): string {
  const size = ownPages(task)
  const text = size === 0 ? 0 : task.textPages
  return `${size} ${size} ${text} ${text} 0 ${size - text} 0\n`
}

/** render_sigset_t: 64 signals. */
const signalSet = (set: number): string => (set >>> 0).toString(16).padStart(16, '0')

const kilobytes = (label: string, pages: number): string =>
  `${label}:\t${String(pages * KIB_PER_PAGE).padStart(8)} kB\n`

export function statusText(_kernel: Kernel, task: Task): string {
  const { cred, pid } = task
  const { ignored, caught } = handled(task)
  const more = inside(task)
  const fds = gone(task) ? [] : task.files.entries()
  // The descriptor table grows by powers of two.
  let fdSize = gone(task) ? 0 : task.kthread ? 32 : 64
  for (const [fd] of fds) while (fdSize <= fd) fdSize *= 2
  let text = `Name:\t${task.comm.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}\n`
  text += `State:\t${STATES[task.state]}\n`
  text += `Tgid:\t${pid}\nPid:\t${pid}\nPPid:\t${task.parent?.pid ?? 0}\nTracerPid:\t0\n`
  text += `Uid:\t${cred.uid}\t${cred.euid}\t${cred.suid}\t${cred.fsuid}\n`
  text += `Gid:\t${cred.gid}\t${cred.egid}\t${cred.sgid}\t${cred.fsgid}\n`
  text += `FDSize:\t${fdSize}\nGroups:\t${cred.groups.map((gid) => `${gid} `).join('')}\n`
  if (!task.kthread && !gone(task)) {
    const size = pagesOf(task)
    const peak = Math.max(size, more.maxPages ?? 0)
    const data = Math.ceil((more.brkBytes ?? 0) / PAGE_SIZE)
    text += kilobytes('VmPeak', peak) + kilobytes('VmSize', size) + kilobytes('VmLck', 0)
    text += kilobytes('VmHWM', peak) + kilobytes('VmRSS', size) + kilobytes('VmData', data)
    text += kilobytes('VmStk', task.anonPages - data) + kilobytes('VmExe', task.textPages)
    text += kilobytes('VmLib', 0)
  }
  text += 'Threads:\t1\n'
  text += `SigPnd:\t${signalSet(0)}\nShdPnd:\t${signalSet(task.pending)}\nSigBlk:\t${signalSet(task.blocked)}\n`
  text += `SigIgn:\t${signalSet(ignored)}\nSigCgt:\t${signalSet(caught)}\n`
  const root = (uid: number): string => (uid === 0 ? '00000000fffffeff' : '0000000000000000')
  text += `CapInh:\t0000000000000000\nCapPrm:\t${root(cred.uid === 0 ? 0 : cred.euid)}\nCapEff:\t${root(cred.euid)}\n`
  return text
}

/** ELF_ET_DYN's place of a program's text, the stack below the end of user space: where this kernel accounts them. */
const TEXT_BASE = 0x400000
const STACK_TOP = 0x7ffffffff000

function mapLine(from: number, pages: number, rights: string, inode: string, name: string): string {
  const range = `${from.toString(16).padStart(8, '0')}-${(from + pages * PAGE_SIZE).toString(16).padStart(8, '0')}`
  const line = `${range} ${rights} 00000000 ${inode} `
  return name === '' ? `${line}\n` : `${line.padEnd(73)}${name}\n`
}

export function mapsText(_kernel: Kernel, task: Task): string {
  if (task.kthread || gone(task)) return ''
  const more = inside(task)
  const heap = Math.ceil((more.brkBytes ?? 0) / PAGE_SIZE)
  const stack = task.anonPages - heap
  let text = mapLine(TEXT_BASE, task.textPages, 'r-xp', '00:00 0', task.exe ?? '')
  if (heap > 0) text += mapLine(TEXT_BASE + task.textPages * PAGE_SIZE, heap, 'rw-p', '00:00 0', '[heap]')
  if (stack > 0) text += mapLine(STACK_TOP - stack * PAGE_SIZE, stack, 'rw-p', '00:00 0', '[stack]')
  return text
}
