/** What top shows, computed from two looks at /proc (procps 3.2.7: top.c). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { commandLine } from './columns.ts'
import { allProcs, cpuTicks, HERTZ, meminfo, type Proc, UserNames, uptimeSeconds } from './proc.ts'
import { uptimeLine } from './uptime-line.ts'

export interface Look {
  readonly procs: readonly Proc[]
  readonly cpu: readonly number[]
  readonly up: number
}

export type Order = 'cpu' | 'memory' | 'pid' | 'time'

export function* look(): Sys<Look> {
  return { procs: yield* allProcs(), cpu: yield* cpuTicks(), up: (yield* uptimeSeconds())[0] }
}

/** As it was at boot: the first picture shows averages since then. */
export const BOOT: Look = { procs: [], cpu: [0, 0, 0, 0, 0, 0, 0, 0], up: 0 }

export const HEADER = '  PID USER      PR  NI  VIRT  RES  SHR S %CPU %MEM    TIME+  COMMAND'

/** The five lines above the table. */
export function* summary(before: Look, now: Look): Sys<string[]> {
  const memory = yield* meminfo()
  const kb = (name: string, width = 8): string => `${memory.get(name) ?? 0}`.padStart(width)
  const count = (states: string): string =>
    String(now.procs.filter(({ state }) => states.includes(state)).length).padStart(3)
  const ticks = now.cpu.map((value, i) => Math.max(0, value - (before.cpu[i] ?? 0)))
  const total = Math.max(
    1,
    ticks.reduce((a, b) => a + b, 0),
  )
  const share = (i: number): string => ((ticks[i]! * 100) / total).toFixed(1).padStart(5)
  const used = (memory.get('MemTotal') ?? 0) - (memory.get('MemFree') ?? 0)
  const swapUsed = (memory.get('SwapTotal') ?? 0) - (memory.get('SwapFree') ?? 0)
  const k = (value: number): string => String(value).padStart(8)
  return [
    `top -${yield* uptimeLine()}`,
    `Tasks: ${String(now.procs.length).padStart(3)} total, ${count('R')} running, ${count('SD')} sleeping, ${count('T')} stopped, ${count('Z')} zombie`,
    `Cpu(s):${share(0)}%us,${share(2)}%sy,${share(1)}%ni,${share(3)}%id,${share(4)}%wa,${share(5)}%hi,${share(6)}%si,${share(7)}%st`,
    `Mem:  ${kb('MemTotal')}k total, ${k(used)}k used, ${kb('MemFree')}k free, ${kb('Buffers')}k buffers`,
    `Swap: ${kb('SwapTotal')}k total, ${k(swapUsed)}k used, ${kb('SwapFree')}k free, ${kb('Cached')}k cached`,
  ]
}

/** A number of KB in so many columns: with a unit if it does not fit. */
function scaled(kb: number, width: number): string {
  const plain = String(kb)
  if (plain.length <= width) return plain
  for (const [unit, size] of [
    ['m', 1024],
    ['g', 1024 * 1024],
  ] as const) {
    const text = `${(kb / size).toFixed(0)}${unit}`
    if (text.length <= width) return text
  }
  return `${(kb / 1024 / 1024 / 1024).toFixed(0)}t`
}

export function* table(before: Look, now: Look, order: Order, args: boolean): Sys<string[]> {
  const users = new UserNames()
  const memoryKb = (yield* meminfo()).get('MemTotal') ?? 1
  const old = new Map(before.procs.map((proc) => [proc.pid, proc]))
  const seconds = Math.max(0.01, now.up - before.up)
  const rows: { proc: Proc; cpu: number; ticks: number }[] = []
  for (const proc of now.procs) {
    const was = old.get(proc.pid)
    const ticks = proc.utime + proc.stime
    const spent = ticks - (was && was.start === proc.start ? was.utime + was.stime : 0)
    rows.push({ proc, ticks, cpu: Math.min(99.9, (spent * 100) / HERTZ / seconds) })
  }
  rows.sort((a, b) => {
    const by =
      order === 'cpu'
        ? b.cpu - a.cpu
        : order === 'memory'
          ? b.proc.rss - a.proc.rss
          : order === 'time'
            ? b.ticks - a.ticks
            : 0
    return by || a.proc.pid - b.proc.pid
  })
  const lines: string[] = []
  for (const { proc, cpu, ticks } of rows) {
    const user = (yield* users.name(proc.euid)).slice(0, 8).padEnd(8)
    const minutes = Math.floor(ticks / HERTZ / 60)
    const rest = ((ticks / HERTZ) % 60).toFixed(2).padStart(5, '0')
    const time = `${minutes}:${rest}`.padStart(9)
    const memory = ((proc.rss * 4 * 100) / memoryKb).toFixed(1).padStart(4)
    const priority = proc.priority < -99 ? ' RT' : String(proc.priority).padStart(3)
    const command = args ? commandLine(proc) : proc.comm
    lines.push(
      `${String(proc.pid).padStart(5)} ${user} ${priority} ${String(proc.nice).padStart(3)} ${scaled(Math.floor(proc.vsize / 1024), 5).padStart(5)} ${scaled(proc.rss * 4, 4).padStart(4)} ${scaled(proc.shared * 4, 4).padStart(4)} ${proc.state} ${cpu.toFixed(1).padStart(4)} ${memory} ${time}  ${command}`,
    )
  }
  return lines
}
