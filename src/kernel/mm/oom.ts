/** The OOM killer (Linux 2.6.18: mm/oom_kill.c). */
import { SIGKILL } from '#abi/posix/signal.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import type { Core } from '../core.ts'
import type { TaskStruct } from '../sched/task-struct.ts'

const GFP_HIGHUSER = 0x201d2
/** cpu_time counts in units of eight seconds, run_time of 1024. */
const CPU_UNIT_NS = 8_000_000_000
const RUN_UNIT_NS = 1_024_000_000_000

/** Pages of its own and what its image maps. */
const totalVm = (task: TaskStruct): number => task.anonPages + task.textPages

function badness(task: TaskStruct, nowNs: number): number {
  if (task.kthread || task.state === 'Z' || task.exiting) return 0
  let points = totalVm(task)
  // A parent of many answers for half of what they have.
  for (const child of task.children) if (child.state !== 'Z') points += Math.floor(totalVm(child) / 2) + 1
  const cpu = Math.floor(Math.sqrt(Math.floor((task.utimeNs + task.stimeNs) / CPU_UNIT_NS)))
  if (cpu > 0) points = Math.floor(points / cpu)
  const run = Math.floor(Math.sqrt(Math.floor(Math.sqrt(Math.floor((nowNs - task.startNs) / RUN_UNIT_NS)))))
  if (run > 0) points = Math.floor(points / run)
  if (task.nice > 0) points *= 2
  if (task.cred.uid === 0 || task.cred.euid === 0) points = Math.floor(points / 4)
  // CAP_SYS_RAWIO, which root has too.
  if (task.cred.euid === 0) points = Math.floor(points / 4)
  return points
}

/** Who was killed; undefined: somebody who was killed before is still on his way out. */
export function outOfMemory(core: Core, counts: { kills: number }): TaskStruct | undefined {
  const { sched, log, time } = core
  const { current } = sched
  if (sched.tasks.some((task) => task.memDie && task.state !== 'Z')) return undefined
  log.printk(`<4>${current.comm} invoked oom-killer: gfp_mask=0x${GFP_HIGHUSER.toString(16)}, order=0, oomkilladj=0\n`)
  showMem(core)
  let chosen: TaskStruct | undefined
  let most = -1
  for (const task of sched.tasks) {
    if (task.pid === 1 || task.kthread || task.state === 'Z' || task.exiting) continue
    const points = badness(task, time.nowNs())
    if (points <= most) continue
    chosen = task
    most = points
  }
  if (!chosen) return core.panic('Out of memory and no killable processes...\n')
  // Its children go first, so that a worker dies and not who started it.
  const child = [...chosen.children].find((each) => each.state !== 'Z' && !each.exiting)
  const victim = child ?? chosen
  log.printk(`<3>Out of memory: Killed process ${victim.pid} (${victim.comm}).\n`)
  counts.kills++
  victim.memDie = true
  sched.sendSignal(victim, SIGKILL)
  return victim
}

/** show_mem. */
export function showMem({ log, pages, vfs }: Core): void {
  const kb = (count: number): number => (count * PAGE_SIZE) / 1024
  const { used } = pages
  const { dirty = 0, writeback = 0 } = (vfs as { cache?: { dirty?: number; writeback?: number } }).cache ?? {}
  const cache = used.cache + used.buffers
  log.printk('<4>Mem-info:\n')
  log.printk(`<4>Free pages: ${String(kb(pages.free)).padStart(11)}kB (0kB HighMem)\n`)
  log.printk(
    `<4>Active:${used.anon} inactive:${cache} dirty:${dirty} writeback:${writeback} unstable:0 free:${pages.free} ` +
      `slab:${used.slab} mapped:${used.anon} pagetables:${used.pagetables}\n`,
  )
  log.printk(
    `<4>DMA free:${kb(pages.free)}kB min:${kb(pages.min)}kB low:${kb(pages.low)}kB high:${kb(pages.high)}kB ` +
      `active:${kb(used.anon)}kB inactive:${kb(cache)}kB present:${kb(pages.total)}kB\n`,
  )
  log.printk('<4>Free swap:            0kB\n')
  log.printk(`<4>${pages.maxPfn} pages of RAM\n`)
  log.printk(`<4>${pages.maxPfn - pages.ballooned - pages.total} reserved pages\n`)
}
