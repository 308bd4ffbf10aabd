/** Commands that run in processes of the shell's own: pipelines, asynchronous lists, subshells (POSIX.1-2004, XCU 2.9.2 to 2.9.4, 2.12). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { close, dup2, pipe } from '../libc/syscall.ts'
import type { Node } from './ast.ts'
import { checkExit, Interrupted } from './errors.ts'
import { type Job, waitForJob } from './jobs.ts'
import { launch } from './processes.ts'
import type { Shell } from './shell.ts'

/** Wait for a foreground job. */
export function* finish(sh: Shell, job: Job): Sys<number> {
  sh.status = yield* waitForJob(sh, job)
  if (sh.interactive && !sh.sub && sh.status === 130 && job.state === 'done') {
    // The terminal's ^C went to the job alone: loops around it end too.
    sh.interrupted = false
    throw new Interrupted()
  }
  checkExit(sh)
  return sh.status
}

export function* pipeline(sh: Shell, cmds: readonly Node[], text: string): Sys<number> {
  const job = sh.jobs.add(text, false)
  yield* startPipeline(sh, job, cmds, false)
  return yield* finish(sh, job)
}

function* startPipeline(sh: Shell, job: Job, cmds: readonly Node[], inBackground: boolean): Sys<void> {
  let input = -1
  for (const [i, cmd] of cmds.entries()) {
    const [next, output] = i < cmds.length - 1 ? yield* pipe() : [-1, -1]
    const from = input
    yield* launch(
      sh,
      job,
      'text' in cmd ? cmd.text : job.text,
      function* (child) {
        if (from >= 0) {
          yield* dup2(from, 0)
          yield* close(from)
        }
        if (output >= 0) {
          if (next >= 0) yield* close(next)
          yield* dup2(output, 1)
          yield* close(output)
        }
        const outcome = sh.interpreter.run(child, cmd, true)
        return typeof outcome === 'number' ? outcome : yield* outcome
      },
      inBackground,
    )
    if (from >= 0) yield* close(from)
    if (output >= 0) yield* close(output)
    input = next
  }
}

export function* background(sh: Shell, cmd: Node, text: string): Sys<number> {
  const job = sh.jobs.add(text, true)
  if (cmd.t === 'pipe') yield* startPipeline(sh, job, cmd.cmds, true)
  else
    yield* launch(
      sh,
      job,
      text,
      function* (child) {
        const outcome = sh.interpreter.run(child, cmd, true)
        return typeof outcome === 'number' ? outcome : yield* outcome
      },
      true,
    )
  sh.backgroundPid = job.processes.at(-1)!.pid
  yield* sh.jobs.started(sh, job)
  sh.status = 0
  return 0
}

export function* subshell(sh: Shell, node: Node & { t: 'subshell' }, last: boolean): Sys<number> {
  void last
  const job = sh.jobs.add(node.text, false)
  yield* launch(sh, job, node.text, function* (child) {
    const outcome = sh.interpreter.run(child, node.body, true)
    return typeof outcome === 'number' ? outcome : yield* outcome
  })
  return yield* finish(sh, job)
}
