/** What is mounted: /etc/mtab, else /proc/mounts (getmntent(3)). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../libc/errno.ts'
import { readFile } from '../libc/stdio.ts'
import { stat } from '../libc/syscall.ts'

export interface Mounted {
  readonly source: string
  readonly target: string
  readonly type: string
  readonly options: string
}

/** As the table has them. */
export function* mountTable(): Sys<readonly Mounted[]> {
  let text: string
  try {
    text = yield* readFile('/etc/mtab')
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    text = yield* readFile('/proc/mounts')
  }
  const decode = (field: string): string =>
    field.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
  const mounts: Mounted[] = []
  for (const line of text.split('\n')) {
    const [source, target, type, options] = line.split(/[ \t]+/)
    if (source && target && type && !source.startsWith('#'))
      mounts.push({ source: decode(source), target: decode(target), type, options: options ?? '' })
  }
  return mounts
}

/** The mount that `file` lies on: the last whose directory is on the same device, or the device itself that is mounted. */
export function* mountOf(file: string, mounts: readonly Mounted[]): Sys<Mounted | undefined> {
  const status = yield* stat(file)
  const device = mounts.findLast(({ source }) => source === file)
  if (device) return device
  let found: Mounted | undefined
  for (const mount of mounts) {
    try {
      if ((yield* stat(mount.target)).dev === status.dev) found = mount
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
  return found
}
