/** which(1): GNU which 2.16. */
import { X_OK } from '#abi/posix/fcntl.ts'
import { S_IFDIR, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { getenv } from '../libc/env.ts'
import { OsError } from '../libc/errno.ts'
import { candidates } from '../libc/process.ts'
import { eprint } from '../libc/stdio.ts'
import { access, stat } from '../libc/syscall.ts'
import { utility } from '../libc/utility.ts'

export const which = utility({
  name: 'which',
  usage: 'which [options] [--] programname [...]',
  help: `Print the paths of the commands that would be run.

  -a, --all   all of them along PATH
`,
  version: 'v2.16',
  short: 'a',
  long: { all: 'a' },
  *main(run) {
    for (const name of run.operands) {
      let found = false
      for (const path of candidates(name, run.env)) {
        if (!(yield* executable(path))) continue
        yield* run.out.line(path)
        found = true
        if (!run.has('a')) break
      }
      if (found) continue
      yield* run.out.flush()
      const dirs = getenv(run.env, 'PATH') ?? ''
      yield* eprint(
        name.includes('/')
          ? `${run.name}: no ${name.slice(name.lastIndexOf('/') + 1)} in (${name.slice(0, name.lastIndexOf('/'))})\n`
          : `${run.name}: no ${name} in (${dirs})\n`,
      )
      run.status = 1
    }
    return run.status
  },
})

function* executable(path: string): Sys<boolean> {
  try {
    yield* access(path, X_OK)
    return ((yield* stat(path)).mode & S_IFMT) !== S_IFDIR
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}
