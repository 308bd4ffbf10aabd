/** halt, reboot and poweroff of sysvinit 2.86: the end itself in runlevels 0 and 6, before that a call of shutdown. */
import {
  LINUX_REBOOT_CMD_CAD_OFF,
  LINUX_REBOOT_CMD_CAD_ON,
  LINUX_REBOOT_CMD_HALT,
  LINUX_REBOOT_CMD_POWER_OFF,
  LINUX_REBOOT_CMD_RESTART,
} from '#abi/posix/reboot.ts'
import { SIGCONT, SIGTSTP } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { RUN_LVL } from '#abi/posix/utmp.ts'
import { appendWtmp, utmpRecords, utmpTime } from '../account/utmp.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { type Program, program } from '../libc/program.ts'
import { eprint } from '../libc/stdio.ts'
import { chdir, execve, geteuid, kill, reboot as rebootCall, sync, uname } from '../libc/syscall.ts'

const HELP = [
  "\t-n: don't sync before halting the system",
  '\t-w: only write a wtmp reboot record and exit.',
  "\t-d: don't write a wtmp record.",
  "\t-f: force halt/reboot, don't call shutdown.",
  '\t-h: put harddisks in standby mode.',
  '\t-i: shut down all network interfaces.',
]

const named = (name: string, about: string): Program =>
  program({
    name,
    usage: `${name} [-n] [-w] [-d] [-f] [-h] [-i]${name === 'halt' ? ' [-p]' : ''}`,
    help: [
      about,
      ...HELP,
      ...(name === 'halt' ? ['\t-p: power down the system (if possible, otherwise halt).'] : []),
    ].join('\n'),
    main: (argv) => haltMain(name, argv),
  })

export const halt = named('halt', 'Stop the system.')
export const reboot = named('reboot', 'Restart the system.')
export const poweroff = named('poweroff', 'Stop the system and switch the power off.')

/** `3`, from utmp; undefined where there is no record. */
export function* currentRunlevel(): Sys<{ level: string; previous: string } | undefined> {
  const record = (yield* utmpRecords()).find(({ type }) => type === RUN_LVL)
  if (!record) return undefined
  const previous = Math.floor(record.pid / 256)
  return {
    level: String.fromCharCode(record.pid % 256),
    previous: previous === 0 || previous === 0x4e ? 'N' : String.fromCharCode(previous),
  }
}

function* haltMain(name: string, argv: readonly string[]): Sys<number> {
  const { options, error } = getopt(argv.slice(1), 'hinpwdf')
  const has = (code: string): boolean => options.some((option) => option.code === code)
  if (error !== undefined) {
    yield* eprint(`${name}: ${error}\nusage: ${name} [-n] [-w] [-d] [-f] [-h] [-i]${name === 'halt' ? ' [-p]' : ''}\n`)
    yield* eprint(`${HELP.join('\n')}\n`)
    return 1
  }
  if ((yield* geteuid()) !== 0) {
    yield* eprint(`${name}: must be superuser.\n`)
    return 1
  }
  yield* chdir('/')
  const off = name === 'poweroff' || has('p')
  const restart = name === 'reboot'
  if (!has('f') && !has('w')) {
    const now = yield* currentRunlevel()
    if (now?.level !== '0' && now?.level !== '6') return yield* viaShutdown(name, restart, off)
  }
  if (!has('d')) {
    const { release } = yield* uname()
    const when = yield* utmpTime()
    yield* appendWtmp({ type: RUN_LVL, line: '~~', id: '~~', user: 'shutdown', host: release, ...when })
  }
  if (has('w')) return 0
  if (!has('n')) yield* sync()
  return yield* end(name, restart, off)
}

function* viaShutdown(name: string, restart: boolean, off: boolean): Sys<number> {
  const option = restart ? ['-r'] : ['-h', off ? '-P' : '-H']
  try {
    return yield* execve('/sbin/shutdown', ['shutdown', ...option, 'now'], ['PATH=/sbin:/usr/sbin:/bin:/usr/bin'])
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`${name}: /sbin/shutdown: ${strerror(error.errno)}\n`)
    return 1
  }
}

function* end(name: string, restart: boolean, off: boolean): Sys<number> {
  try {
    if (restart) yield* rebootCall(LINUX_REBOOT_CMD_RESTART)
    else {
      // From here on Ctrl-Alt-Del restarts at once, and init keeps still.
      yield* rebootCall(LINUX_REBOOT_CMD_CAD_ON)
      yield* kill(1, SIGTSTP)
      if (off) yield* rebootCall(LINUX_REBOOT_CMD_POWER_OFF)
      yield* rebootCall(LINUX_REBOOT_CMD_HALT)
    }
    yield* rebootCall(LINUX_REBOOT_CMD_CAD_OFF)
    yield* kill(1, SIGCONT)
    return 0
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`${name}: ${strerror(error.errno)}\n`)
    return 1
  }
}
