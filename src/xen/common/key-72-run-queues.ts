/** Key r: the scheduler's books and queues (schedule.c, dump_runq). */
import type { Pcpu } from '../arch-x86/pcpu.ts'
import { now, printk, type Xen } from '../xen.ts'
import type { Vcpu } from './domain.ts'
import type { Keyhandler } from './keyhandler.ts'
import { dec, HEX } from './lib.ts'
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

function vcpuText(vcpu: Vcpu): string {
  const { sched, domain } = vcpu
  return (
    `[${domain.id}.${vcpu.id}] pri=${sched.pri} flags=${sched.flags.toString(16)} cpu=${vcpu.processor}` +
    ` credit=${sched.credit} [w=${domain.sched.weight}] (${sched.creditLast}+${sched.creditIncr})` +
    ` {a/i=${sched.stateActive}/${sched.stateIdle} m=${sched.migrateQ}+${sched.migrateR}}\n`
  )
}

const idleText = (pcpu: Pcpu): string => `[32767.${pcpu.id}] pri=${PRI_IDLE} flags=0 cpu=${pcpu.id}\n`
const entry = (i: number): string => `\t${String(i).padStart(3)}: `

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
    `idlers: 0x${mask.toString(16)}\nstats:\n`
  for (const name of STATS) text += `\t${name.padEnd(30)} = ${credit.stats[name]}\n`
  text += 'active vcpus:\n'
  let i = 0
  for (const domain of credit.activeDomains)
    for (const vcpu of domain.sched.activeVcpus) text += entry(++i) + vcpuText(vcpu)
  return text
}

/** csched_dump_pcpu. The idle vCPU is the last of each queue. */
function creditPcpuText(xen: Xen, pcpu: Pcpu): string {
  const core = xen.pcpus.reduce((bits, { id }) => bits | (1 << id), 0)
  let text = ` sort=${pcpu.sched.runqSortLast}, sibling=0x${(1 << pcpu.id).toString(16)}, core=0x${core.toString(16)}\n`
  text += `\trun: ${pcpu.curr ? vcpuText(pcpu.curr) : idleText(pcpu)}`
  let i = 0
  for (const vcpu of pcpu.sched.runq) text += entry(++i) + vcpuText(vcpu)
  return pcpu.curr ? text + entry(++i) + idleText(pcpu) : text
}
