/** Memory for a new domain (xen.xend.balloon): if there is not enough free, domain 0 gives some back, and xend waits for it. */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString } from '#lib/utf8.ts'
import { OsError } from '#user/libc/errno.ts'
import { close, open, read } from '#user/libc/syscall.ts'
import type { Xend } from './context.ts'
import { VmError } from './errors.ts'

const RETRY_LIMIT = 20
/** More tries for each GiB. */
const RETRY_LIMIT_INCR = 5
/** Each sleep is so much longer than the one before (ms). */
const SLEEP_TIME_GROWTH = 100

const PROC_XEN_BALLOON = '/proc/xen/balloon'

/** KiB of a line of /proc/xen/balloon. */
function* balloonStat(label: string): Sys<number | undefined> {
  try {
    const fd = yield* open(PROC_XEN_BALLOON, O_RDONLY, 0)
    const text = byteString(yield* read(fd, 4096))
    yield* close(fd)
    const line = text.split('\n').find((one) => one.startsWith(`${label}:`))
    const value = line && /:\s*(\d+)/.exec(line)?.[1]
    return value === undefined ? undefined : Number(value)
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}

function* dom0CurrentAlloc(): Sys<number> {
  const kb = yield* balloonStat('Current allocation')
  if (kb === undefined) throw new VmError('Failed to query current memory allocation of dom0.')
  return kb
}

/** Come back when `need` KiB are free, or say why that cannot be. */
export function* freeMemory(xend: Xend, need: number): Sys<void> {
  const { log, options, domains, threads } = xend
  const dom0MinMem = options.dom0MinMem * 1024
  const ballooning = options.enableDom0Ballooning
  let dom0Alloc = yield* dom0CurrentAlloc()
  let retries = 0
  let sleepMs = SLEEP_TIME_GROWTH
  let newAlloc = 0
  let lastNewAlloc: number | undefined
  let lastFree: number | undefined
  let limit = RETRY_LIMIT
  let { free, scrub, total } = yield* physicalMemory(xend)
  // Never mind waiting for what cannot come.
  if (need >= total - (ballooning ? dom0MinMem : dom0Alloc)) retries = limit
  while (retries < limit) {
    ;({ free, scrub, total } = yield* physicalMemory(xend))
    if (free >= need) return yield* log.debug('balloon:131', `Balloon: ${free} KiB free; need ${need}; done.`)
    if (retries === 0) {
      limit += Math.floor((need - free) / 1048576) * RETRY_LIMIT_INCR
      const text = `Balloon: ${free} KiB free; ${scrub} to scrub; need ${need}; retries: ${limit}.`
      yield* log.debug('balloon:137', text)
    }
    if (ballooning) {
      dom0Alloc = yield* dom0CurrentAlloc()
      newAlloc = dom0Alloc - (need - free - scrub)
      if (free + scrub >= need) {
        if (lastNewAlloc === undefined) {
          yield* log.debug('balloon:146', 'Balloon: waiting on scrubbing')
          lastNewAlloc = dom0Alloc
        }
      } else if (newAlloc >= dom0MinMem && newAlloc !== lastNewAlloc) {
        const mib = Math.floor(newAlloc / 1024)
        yield* log.debug('balloon:152', `Balloon: setting dom0 target to ${mib} MiB.`)
        yield* domains.dom0.setMemoryTarget(mib)
        lastNewAlloc = newAlloc
      }
    }
    yield* threads.sleep(sleepMs)
    if (retries < 2 * RETRY_LIMIT) sleepMs += SLEEP_TIME_GROWTH
    if (lastFree !== undefined && lastFree >= free + scrub) retries++
    lastFree = free + scrub
  }
  if (!ballooning)
    throw new VmError(
      `Not enough free memory and enable-dom0-ballooning is False, so I cannot release any more.  I need ${need} KiB but only have ${free}.`,
    )
  if (newAlloc < dom0MinMem)
    throw new VmError(
      `I need ${need} KiB, but dom0_min_mem is ${dom0MinMem} and shrinking to ${dom0MinMem} KiB would leave only ${free + scrub + dom0Alloc - dom0MinMem} KiB free.`,
    )
  yield* domains.dom0.setMemoryTarget(Math.floor((yield* dom0CurrentAlloc()) / 1024))
  throw new VmError('Not enough memory is available, and dom0 cannot be shrunk any further')
}

/** KiB. */
function* physicalMemory({ xc }: Xend): Sys<{ free: number; scrub: number; total: number }> {
  const { freePages, scrubPages, totalPages } = yield* xc.physinfo()
  return { free: freePages * 4, scrub: scrubPages * 4, total: totalPages * 4 }
}
