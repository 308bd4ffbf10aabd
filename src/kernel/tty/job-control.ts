/** Who may use a terminal now (Linux 2.6.18: n_tty.c job_control, tty_io.c tty_check_change). */
import { EINTR, EIO } from '#abi/posix/errno.ts'
import { SIG_IGN, SIGTTIN, SIGTTOU, sigmask } from '#abi/posix/signal.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { TtyDevice } from './tty.ts'

const isBitSet = (set: number, signo: number): boolean => Math.floor(set / sigmask(signo)) % 2 === 1

/** Blocked or ignored: stopping would never happen. */
const ignores = (task: Task, signo: number): boolean =>
  isBitSet(task.blocked, signo) || task.actions.get(signo)?.handler === SIG_IGN

/** A member of a background group wants to read: it is stopped, or refused. */
export function checkRead(kernel: Kernel, tty: TtyDevice): void {
  const task = kernel.sched.current
  if (task.session.tty !== tty || task.pgid === tty.pgrp) return
  if (tty.pgrp <= 0) {
    kernel.log.printk('read_chan: tty->pgrp <= 0!\n')
    return
  }
  if (ignores(task, SIGTTIN) || kernel.sched.orphanedPgrp(task.pgid)) fail(EIO)
  kernel.sched.killPgrp(task.pgid, SIGTTIN)
  // The call is made again when it is continued.
  fail(EINTR)
}

/** It wants to change the terminal's state, or to write to one with TOSTOP. */
export function checkChange(kernel: Kernel, tty: TtyDevice): void {
  const task = kernel.sched.current
  if (task.session.tty !== tty || task.pgid === tty.pgrp) return
  if (tty.pgrp <= 0) {
    kernel.log.printk('<4>tty_check_change: tty->pgrp <= 0!\n')
    return
  }
  if (ignores(task, SIGTTOU)) return
  if (kernel.sched.orphanedPgrp(task.pgid)) fail(EIO)
  kernel.sched.killPgrp(task.pgid, SIGTTOU)
  fail(EINTR)
}
