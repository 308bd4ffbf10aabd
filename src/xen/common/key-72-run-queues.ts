/** Key r: the scheduler's books and queues (schedule.c, dump_runq). */
import type { Pcpu } from '../arch-x86/pcpu.ts'
import { is34 } from '../config.ts'
import { NR_CPUS } from '../options.ts'
import { now, printk, type Xen } from '../xen.ts'
import type { Vcpu } from './domain.ts'
import type { Keyhandler } from './keyhandler.ts'
import { dec, HEX, hex } from './lib.ts'
import {
  CREDITS_PER_ACCT,
  CREDITS_PER_TICK,
  DEFAULT_WEIGHT,
  MSECS_PER_TICK,
  PRI_IDLE,
  STATS,
  TICKS_PER_ACCT,
  TICKS_PER_TSLICE,
} from './sched-credit.ts'
import { SCHEDULER } from './schedule.ts'

export const keyRunQueues: Keyhandler = {
  key: 'r',
  help: 'dump run queues',
  run(xen) {
    const nowNs = now(xen)
    printk(xen, `Scheduler: ${SCHEDULER.name} (${SCHEDULER.optName})\n`)
    printk(xen, creditSettingsText(xen))
    printk(xen, `NOW=0x${HEX(Math.floor(nowNs / 2 ** 32), 8)}${HEX(nowNs % 2 ** 32, 8)}\n`)
    for (const pcpu of xen.pcpus) if (pcpu.online) printk(xen, `CPU[${dec(pcpu.id, 2)}] ${creditPcpuText(xen, pcpu)}`)
    return undefined
  },
}

function vcpuText(xen: Xen, vcpu: Vcpu): string {
  const { sched, domain } = vcpu
  // Without performance counters 3.4 keeps no such books.
  const books =
    ` (${sched.creditLast}+${sched.creditIncr})` +
    ` {a/i=${sched.stateActive}/${sched.stateIdle} m=${sched.migrateQ}+${sched.migrateR}}`
  return (
    `[${domain.id}.${vcpu.id}] pri=${sched.pri} flags=${sched.flags.toString(16)} cpu=${vcpu.processor}` +
    ` credit=${sched.credit} [w=${domain.sched.weight}]${is34(xen) ? '' : books}\n`
  )
}

const idleText = (pcpu: Pcpu): string => `[32767.${pcpu.id}] pri=${PRI_IDLE} flags=0 cpu=${pcpu.id}\n`
/** cpumask_scnprintf in 3.4, a plain number in 3.3. */
const maskText = (xen: Xen, mask: number): string => (is34(xen) ? hex(mask >>> 0, NR_CPUS / 4) : `0x${hex(mask >>> 0)}`)
const entry = (i: number): string => `\t${String(i).padStart(3)}: `

const statText = (name: string, count: number): string => `\t${name.padEnd(30)} = ${count}\n`

/** csched_dump */
function creditSettingsText(xen: Xen): string {
  const { credit } = xen
  const mask = [...credit.idlers].reduce((bits, { id }) => bits | (1 << id), 0)
  let text =
    'info:\n' +
    `\tncpus              = ${xen.pcpus.length}\n` +
    '\tmaster             = 0\n' +
    `\tcredit             = ${xen.pcpus.length * CREDITS_PER_ACCT}\n` +
    `\tcredit balance     = ${credit.creditBalance}\n` +
    `\tweight             = ${credit.weight}\n` +
    `\trunq_sort          = ${credit.runqSort}\n` +
    `\tdefault-weight     = ${DEFAULT_WEIGHT}\n` +
    `\tmsecs per tick     = ${MSECS_PER_TICK}ms\n` +
    `\tcredits per tick   = ${CREDITS_PER_TICK}\n` +
    `\tticks per tslice   = ${TICKS_PER_TSLICE}\n` +
    `\tticks per acct     = ${TICKS_PER_ACCT}\n` +
    `${is34(xen) ? '\tmigration delay    = 0us\n' : ''}idlers: ${maskText(xen, mask)}\n`
  if (!is34(xen)) {
    text += 'stats:\n'
    // A debug build checks each vCPU whenever it schedules, and counts that.
    if (xen.build.debug) text += statText('vcpu_check', credit.vcpuCheck)
    for (const name of STATS) text += statText(name, credit.stats[name])
  }
  text += 'active vcpus:\n'
  let i = 0
  for (const domain of credit.activeDomains)
    for (const vcpu of domain.sched.activeVcpus) text += entry(++i) + vcpuText(xen, vcpu)
  return text
}

/** csched_dump_pcpu. The idle vCPU is the last of each queue. */
function creditPcpuText(xen: Xen, pcpu: Pcpu): string {
  const core = xen.pcpus.reduce((bits, { id }) => bits | (1 << id), 0)
  let text = ` sort=${pcpu.sched.runqSortLast}, sibling=${maskText(xen, 1 << pcpu.id)}, core=${maskText(xen, core)}\n`
  text += `\trun: ${pcpu.curr ? vcpuText(xen, pcpu.curr) : idleText(pcpu)}`
  let i = 0
  for (const vcpu of pcpu.sched.runq) text += entry(++i) + vcpuText(xen, vcpu)
  return pcpu.curr ? text + entry(++i) + idleText(pcpu) : text
}
