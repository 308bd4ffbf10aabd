/** free(1): procps 3.2.7, over /proc/meminfo. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { nanosleep } from '../libc/syscall.ts'
import { Exit, type Run, utility } from '../libc/utility.ts'
import { meminfo } from './procps/proc.ts'

const SHIFTS: ReadonlyMap<string, number> = new Map([
  ['b', 1024],
  ['k', 1],
  ['m', 1 / 1024],
  ['g', 1 / 1024 / 1024],
])

export const free = utility({
  name: 'free',
  usage: 'free [-b|-k|-m|-g] [-l] [-o] [-t] [-s delay] [-c count] [-V]',
  help: `  -b,-k,-m,-g show output in bytes, KB, MB, or GB
  -o use old format (no -/+buffers/cache line)
  -t display total for RAM + swap
  -s update every [delay] seconds
  -c update [count] times
  -V display version information and exit
`,
  version: 'procps version 3.2.7',
  short: 'bkmgots:c:lV',
  *main(run) {
    if (run.has('V')) {
      yield* run.out.line('procps version 3.2.7')
      return 0
    }
    const unit = run.options.findLast(({ code }) => SHIFTS.has(code))?.code ?? 'k'
    const delay = Number(run.value('s') ?? 0)
    if (run.has('s') && !(delay > 0)) throw new Exit(1, `seconds argument \`${run.value('s')}' failed`)
    let count = run.has('c') ? Number.parseInt(run.value('c')!, 10) : delay > 0 ? Number.POSITIVE_INFINITY : 1
    for (;;) {
      yield* table(run, SHIFTS.get(unit)!)
      if (--count <= 0) return 0
      yield* run.out.print('\n')
      yield* run.out.flush()
      yield* nanosleep((delay || 1) * 1e9)
    }
  },
})

function* table(run: Run, factor: number): Sys<void> {
  const memory = yield* meminfo()
  const kb = (name: string): number => memory.get(name) ?? 0
  const shown = (value: number): string => String(Math.floor(value * factor)).padStart(10)
  const row = (label: string, values: readonly number[]): string => `${label} ${values.map(shown).join(' ')}\n`
  const total = kb('MemTotal')
  const unused = kb('MemFree')
  const used = total - unused
  const cached = kb('Cached')
  const buffers = kb('Buffers')
  const swap = kb('SwapTotal')
  const swapFree = kb('SwapFree')
  let text = '             total       used       free     shared    buffers     cached\n'
  text += row('Mem:   ', [total, used, unused, 0, buffers, cached])
  if (!run.has('o')) text += row('-/+ buffers/cache:', [used - buffers - cached, unused + buffers + cached])
  text += row('Swap:  ', [swap, swap - swapFree, swapFree])
  if (run.has('t')) text += row('Total: ', [total + swap, used + swap - swapFree, unused + swapFree])
  yield* run.out.print(text)
}
