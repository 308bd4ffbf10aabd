/** Key t: how far the processors' clocks are apart (keyhandler.c, read_clocks). */
import type { Keyhandler } from '../common/keyhandler.ts'
import type { Steps } from '../steps.ts'
import { printk, type Xen } from '../xen.ts'
import { rendezvous } from './smpboot.ts'

export const keyClocks: Keyhandler = { key: 't', help: 'display multi-cpu clock info', run: readClocks }

function* readClocks(xen: Xen): Steps {
  const stime: number[] = []
  const cycles: number[] = []
  const done = rendezvous(xen, (pcpu) => {
    stime.push(pcpu.now())
    cycles.push(pcpu.metal.cpu.rdtsc())
  })
  yield* done
  const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values)
  const skew = xen.clockSkew
  const stimeNs = spread(stime)
  const cycleCount = spread(cycles)
  skew.samples++
  skew.sumStime += stimeNs
  skew.maxStime = Math.max(skew.maxStime, stimeNs)
  skew.sumCycles += cycleCount
  skew.maxCycles = Math.max(skew.maxCycles, cycleCount)
  const mean = (sum: number): number => Math.floor(sum / skew.samples)
  printk(
    xen,
    `Synced stime skew: max=${skew.maxStime}ns avg=${mean(skew.sumStime)}ns samples=${skew.samples} current=${stimeNs}ns\n`,
  )
  printk(
    xen,
    `Synced cycles skew: max=${skew.maxCycles} avg=${mean(skew.sumCycles)} samples=${skew.samples} current=${cycleCount}\n`,
  )
}
