/** sed -i: the output of each file goes to a new one beside it, which then takes its name. */
import { O_CREAT, O_EXCL, O_WRONLY } from '#abi/posix/fcntl.ts'
import { S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { Out } from '../../libc/stdio.ts'
import { chown, close, fchmod, fstat, getpid, open, rename } from '../../libc/syscall.ts'
import { Exit, type Run } from '../../libc/utility.ts'
import type { SedOutput } from './input.ts'

export class InPlace {
  active = false
  readonly output: SedOutput
  readonly #run: Run
  readonly #suffix: string
  #name = ''
  #temporary = ''

  constructor(run: Run, output: SedOutput, suffix: string) {
    this.#run = run
    this.output = output
    this.#suffix = suffix
  }

  /** False: it is no file to edit, which has been said; `fd` is closed then. */
  *begin(name: string, fd: number): Sys<boolean> {
    const { mode, uid, gid } = yield* fstat(fd)
    if ((mode & S_IFMT) !== S_IFREG) {
      yield* this.#run.complain(`couldn't edit ${name}: not a regular file`, 4)
      yield* close(fd)
      return false
    }
    const directory = name.slice(0, name.lastIndexOf('/') + 1)
    this.#name = name
    this.#temporary = `${directory}sed${(yield* getpid()).toString(36).padStart(6, 'X')}`
    let to: number
    try {
      to = yield* open(this.#temporary, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    } catch (error) {
      yield* this.#run.warn(error, `couldn't open temporary file ${this.#temporary}`, 4)
      throw new Exit(4)
    }
    yield* fchmod(to, mode & 0o7777)
    yield* chown(this.#temporary, uid, gid)
    this.output.switchTo(new Out(to, false))
    this.active = true
    return true
  }

  *end(): Sys<void> {
    if (!this.active) return
    this.active = false
    yield* this.output.out.flush()
    yield* close(this.output.out.fd)
    this.output.switchTo(this.#run.out)
    if (this.#suffix !== '') yield* rename(this.#name, this.#backup())
    yield* rename(this.#temporary, this.#name)
  }

  /** A suffix with stars is a name with the file's in their place. */
  #backup(): string {
    const slash = this.#name.lastIndexOf('/') + 1
    const base = this.#name.slice(slash)
    const backup = this.#suffix.includes('*') ? this.#suffix.replaceAll('*', base) : base + this.#suffix
    return backup.includes('/') ? backup : this.#name.slice(0, slash) + backup
  }
}
