/** vmstat(8): procps 3.2.7. The first row is since boot, each later one since the row before. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { nanosleep } from '../libc/syscall.ts'
import { Exit, utility } from '../libc/utility.ts'
import { allProcs, HERTZ, meminfo, numbers } from './procps/proc.ts'

interface Sample {
  readonly cpu: readonly number[]
  readonly values: readonly number[]
}

function* sample(): Sys<Sample> {
  const stat = yield* numbers('/proc/stat')
  const vm = yield* numbers('/proc/vmstat')
  const cpu = Array.from({ length: 8 }, (_, i) => stat.get('cpu')?.[i] ?? 0)
  const first = (table: ReadonlyMap<string, readonly number[]>, name: string) => table.get(name)?.[0] ?? 0
  // si so bi bo in cs
  const values = [first(vm, 'pswpin') * 4, first(vm, 'pswpout') * 4, first(vm, 'pgpgin'), first(vm, 'pgpgout')]
  return { cpu, values: [...values, first(stat, 'intr'), first(stat, 'ctxt')] }
}

const HEADER = `procs -----------memory---------- ---swap-- -----io---- --system-- -----cpu------
 r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st
`
/** Rows between headers. */
const PAGE_ROWS = 22

export const vmstat = utility({
  name: 'vmstat',
  usage: 'vmstat [-n] [-V] [delay [count]]',
  help: `       -V prints version.
       -n causes the headers not to be reprinted regularly.
       delay is the delay between updates in seconds.
       count is the number of updates.
`,
  version: 'procps version 3.2.7',
  short: 'nV',
  *main(run) {
    if (run.has('V')) {
      yield* run.out.line('procps version 3.2.7')
      return 0
    }
    const [delayText, countText] = run.operands
    for (const text of run.operands)
      if (!/^[0-9]+$/.test(text)) throw new Exit(1, `usage: ${run.name} [-V] [-n] [delay [count]]`)
    const delay = Number(delayText ?? 0)
    const count = countText !== undefined ? Number(countText) : delayText !== undefined ? Number.POSITIVE_INFINITY : 1
    let before: Sample = { cpu: new Array<number>(8).fill(0), values: new Array<number>(6).fill(0) }
    for (let i = 0; i < count; i++) {
      if (i === 0 || (!run.has('n') && i % PAGE_ROWS === 0)) yield* run.out.print(HEADER)
      const now = yield* sample()
      const memory = yield* meminfo()
      let running = 0
      let blocked = 0
      for (const { state } of yield* allProcs()) {
        if (state === 'R') running++
        else if (state === 'D') blocked++
      }
      const ticks = now.cpu.map((value, k) => value - before.cpu[k]!)
      const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = ticks
      const total = Math.max(
        1,
        ticks.reduce((a, b) => a + b, 0),
      )
      const percent = (part: number): number => Math.floor((100 * part + total / 2) / total)
      const seconds = i === 0 ? Math.max(1, total / HERTZ) : Math.max(1, delay)
      const rates = now.values.map((value, k) => Math.floor((value - before.values[k]!) / seconds))
      const kb = (name: string) => memory.get(name) ?? 0
      const cells: readonly (readonly [number, number])[] = [
        [Math.max(0, running - 1), 2],
        [blocked, 2],
        [kb('SwapTotal') - kb('SwapFree'), 6],
        [kb('MemFree'), 6],
        [kb('Buffers'), 6],
        [kb('Cached'), 6],
        [rates[0]!, 4],
        [rates[1]!, 4],
        [rates[2]!, 5],
        [rates[3]!, 5],
        [rates[4]!, 4],
        [rates[5]!, 4],
        [percent(user + nice), 2],
        [percent(system + irq + softirq), 2],
        [percent(idle), 2],
        [percent(wait), 2],
        [percent(steal), 2],
      ]
      yield* run.out.line(cells.map(([value, width]) => String(value).padStart(width)).join(' '))
      before = now
      if (i + 1 < count) {
        yield* run.out.flush()
        yield* nanosleep(delay * 1e9)
      }
    }
    return 0
  },
})
