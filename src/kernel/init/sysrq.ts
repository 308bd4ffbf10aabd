/** Magic SysRq (Linux 2.6.18: drivers/char/sysrq.c): what a key asks the kernel for, from its console, from root, or from who made the domain. */
import { MS_RDONLY } from '#abi/posix/mount.ts'
import { SIGKILL, SIGTERM } from '#abi/posix/signal.ts'
import { SHUTDOWN_reboot } from '#abi/xen/sched.ts'
import type { Core } from '../core.ts'
import { Errno } from '../errno.ts'
import { outOfMemory, showMem } from '../mm/oom.ts'
import type { Sleeping } from '../sched/wait.ts'
import { powerOff } from './reboot.ts'

const HELP =
  'HELP : loglevel0-8 reBoot Crashdump tErm Full kIll saK showMem Nice powerOff showPc unRaw Sync showTasks Unmount '
const LOUD = 7

type Row = readonly [action: string, run?: (core: Core, key: string) => void]

const ROWS: Readonly<Record<string, Row>> = {
  b: [
    'Resetting',
    (core) => {
      core.ending ??= SHUTDOWN_reboot
    },
  ],
  // There is no crash kernel to go to.
  c: ['Trigger a crashdump'],
  e: ['Terminate All Tasks', (core) => signalAll(core, SIGTERM)],
  f: ['Manual OOM execution', (core) => core.reclaim && outOfMemory(core, core.reclaim)],
  i: ['Kill All Tasks', (core) => signalAll(core, SIGKILL)],
  // No terminal is asked for, nor are there real-time tasks.
  k: ['SAK'],
  m: ['Show Memory', showMem],
  n: ['Nice All RT Tasks'],
  o: ['Power Off', powerOff],
  p: ['Show Regs'],
  r: ['Keyboard mode set to XLATE'],
  s: ['Emergency Sync', (core) => emergency(core, 'Sync')],
  t: ['Show State', showState],
  u: ['Emergency Remount R/O', (core) => emergency(core, 'Remount')],
}
const LOGLEVEL: Row = [
  'Changing Loglevel',
  (core, key) => {
    core.log.consoleLevel = LOUD
    core.log.printk(`<4>Loglevel set to ${key}\n`)
    core.log.consoleLevel = Number(key)
  },
]

/** __handle_sysrq. From interrupt context too. */
export function handleSysrq(core: Core, key: string): void {
  const { log } = core
  const before = log.consoleLevel
  log.consoleLevel = LOUD
  log.printk('<6>SysRq : ')
  const row = /^\d$/.test(key) ? LOGLEVEL : Object.hasOwn(ROWS, key) ? ROWS[key] : undefined
  log.printk(`${row ? row[0] : HELP}\n`)
  log.consoleLevel = before
  row?.[1]?.(core, key)
}

/** handle_sysrq: where kernel.sysrq lets it. */
export function askSysrq(core: Core, key: string): void {
  if (core.sysrqEnabled) handleSysrq(core, key)
}

export function registerSysrq(core: Core): void {
  core.proc.add('sys/kernel/sysrq', {
    mode: 0o644,
    read: () => `${core.sysrqEnabled ? 1 : 0}\n`,
    write: (text) => {
      core.sysrqEnabled = Number.parseInt(text, 10) > 0
    },
  })
  core.proc.add('sysrq-trigger', {
    mode: 0o200,
    write: (text) => {
      if (text !== '') handleSysrq(core, text[0]!)
    },
  })
}

function signalAll({ sched }: Core, signo: number): void {
  for (const task of [...sched.tasks]) if (!task.kthread && task.pid !== 1) sched.sendSignal(task, signo)
}

/** show_state: each task; where it sleeps has no address here. */
function showState({ log, sched }: Core): void {
  log.printk(`<4>\n<4>${' '.repeat(55)}sibling\n`)
  log.printk('<4>  task                 PC          pid father child younger older\n')
  for (const { comm, state, pid, parent, children, kthread } of sched.tasks) {
    const [child] = children
    const siblings = [...(parent?.children ?? [])].map((task) => task.pid)
    const place = siblings.indexOf(pid)
    const [older, younger] = place < 0 ? [] : [siblings[place - 1], siblings[place + 1]]
    const wide = (value: number | undefined, width: number): string => String(value ?? '').padStart(width)
    log.printk(
      `<4>${comm.padEnd(13)} ${state} ${'0'.repeat(16)} ${wide(0, 5)} ${wide(pid, 5)} ${wide(parent?.pid ?? 0, 6)} ` +
        `${wide(child?.pid, 5)} ${wide(younger, 7)} ${wide(older, 5)} (${kthread ? 'L-TLB' : 'NOTLB'})\n`,
    )
  }
}

/** emergency_sync, emergency_remount: pdflush's work. */
function emergency(core: Core, what: 'Sync' | 'Remount'): void {
  core.sched.kthread('pdflush', function* (): Sleeping<void> {
    try {
      yield* core.vfs.syncAll()
      if (what === 'Remount')
        for (const { sb } of core.vfs.mounts) if (!sb.type.nodev) yield* sb.remount(sb.flags | MS_RDONLY, '')
    } catch (error) {
      if (!(error instanceof Errno)) throw error
    }
    core.log.printk(`<4>Emergency ${what} complete\n`)
  })
}
