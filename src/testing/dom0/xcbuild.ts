/**
 * A program of tests: builds domains with libxc alone, as xend would, and looks at their consoles by mapping the ring.
 *
 *   xcbuild create MEMORY IMAGE [CMDLINE [RAMDISK]]   a paused domain; prints `domid=N console=MFN`
 *   xcbuild start NAME MEMORY IMAGE [CMDLINE]         the same, introduced to xenstored with what xend writes, and unpaused
 *   xcbuild unpause|pause|shutdown|destroy N
 *   xcbuild console N MFN                             what its ring holds
 *   xcbuild next                                      the id of the next domain
 *   xcbuild keys KEYS                                 as if typed at Xen's console
 *   xcbuild list                                      domid, pages, flags
 *   xcbuild free                                      free pages of the host
 */
import { PROT_READ, PROT_WRITE } from '#abi/posix/mman.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { SYSCALL_NR } from '#abi/posix/syscalls.ts'
import { SHUTDOWN_poweroff } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import * as xl from '#toolstack/libxc/xc.ts'
import {
  XS_PERM_NONE,
  xsDaemonClose,
  xsDaemonOpen,
  xsIntroduceDomain,
  xsMkdir,
  xsSetPermissions,
  xsWrite,
} from '#toolstack/libxs/xs.ts'
import { takeOutput } from '#toolstack/xenconsoled/ring.ts'
import { OsError } from '#user/libc/errno.ts'
import { STDOUT, writeAll } from '#user/libc/stdio.ts'

const print = (text: string): Sys<void> => writeAll(STDOUT, bytesOfString(`${text}\n`))

/** How many system calls `call` makes. */
function* counted<T>(call: Sys<T>): Sys<readonly [T, number, Record<string, number>]> {
  let count = 0
  const kinds: Record<string, number> = {}
  let step = call.next()
  while (!step.done) {
    const request = step.value
    if (request) {
      count++
      const name = Object.entries(SYSCALL_NR).find(([, nr]) => nr === request[0])?.[0] ?? '?'
      kinds[name] = (kinds[name] ?? 0) + 1
    }
    step = call.next(yield request)
  }
  return [step.value, count, kinds]
}

interface Created {
  readonly domid: number
  readonly built: xl.XcLinuxBuilt
  readonly storeEvtchn: number
  readonly consoleEvtchn: number
}

function* create(xc: xl.XcHandle, memMb: number, image: string, cmdline: string, ramdisk?: string): Sys<Created> {
  const domid = yield* xl.xcDomainCreate(xc, { handle: new Uint8Array(16).fill(memMb & 255) })
  try {
    yield* xl.xcDomainMaxVcpus(xc, domid, 1)
    yield* xl.xcDomainSetmaxmem(xc, domid, memMb * 1024)
    const storeEvtchn = yield* xl.xcEvtchnAllocUnbound(xc, domid, 0)
    const consoleEvtchn = yield* xl.xcEvtchnAllocUnbound(xc, domid, 0)
    const wanted = { memMb, image, cmdline, ramdisk, features: '', flags: 0, storeEvtchn, consoleEvtchn }
    const [built, calls, kinds] = yield* counted(xl.xcLinuxBuild(xc, domid, wanted))
    const notes = [...built.notes.keys()].join(',')
    yield* print(`domid=${domid} console=${built.consoleMfn} store=${built.storeMfn} calls=${calls} notes=${notes}`)
    yield* print(JSON.stringify(kinds))
    return { domid, built, storeEvtchn, consoleEvtchn }
  } catch (error) {
    yield* xl.xcDomainDestroy(xc, domid)
    throw error
  }
}

/** What xend tells the store of a new domain, as far as its console and its kernel look at it. */
function* introduce(name: string, memMb: number, { domid, built, storeEvtchn, consoleEvtchn }: Created): Sys<void> {
  const xs = yield* xsDaemonOpen()
  const path = `/local/domain/${domid}`
  yield* xsMkdir(xs, 0, path)
  yield* xsSetPermissions(xs, 0, path, [{ id: domid, perms: XS_PERM_NONE }])
  const keys: Readonly<Record<string, string | number>> = {
    domid,
    name,
    'memory/target': memMb * 1024,
    'store/ring-ref': built.storeMfn,
    'store/port': storeEvtchn,
    'console/ring-ref': built.consoleMfn,
    'console/port': consoleEvtchn,
    'console/limit': 1048576,
    'console/type': 'xenconsoled',
  }
  for (const [key, value] of Object.entries(keys)) yield* xsWrite(xs, 0, `${path}/${key}`, String(value))
  yield* xsIntroduceDomain(xs, domid, built.storeMfn, storeEvtchn)
  yield* xsDaemonClose(xs)
}

export function* main(argv: readonly string[]): Sys<number> {
  const [, verb, first = '', second = '', third = '', fourth] = argv
  const domid = Number(first)
  try {
    const xc = yield* xl.xcInterfaceOpen()
    if (verb === 'create') yield* create(xc, domid, second, third, fourth)
    else if (verb === 'start') {
      const created = yield* create(xc, Number(second), third, fourth ?? '')
      yield* introduce(first, Number(second), created)
      yield* xl.xcDomainUnpause(xc, created.domid)
    } else if (verb === 'unpause') yield* xl.xcDomainUnpause(xc, domid)
    else if (verb === 'pause') yield* xl.xcDomainPause(xc, domid)
    else if (verb === 'shutdown') yield* xl.xcDomainShutdown(xc, domid, SHUTDOWN_poweroff)
    else if (verb === 'destroy') yield* xl.xcDomainDestroy(xc, domid)
    else if (verb === 'next') {
      // The id that the next domain gets: one is made and taken away again, the one behind it is next.
      const probe = yield* xl.xcDomainCreate(xc, { handle: new Uint8Array(16) })
      yield* xl.xcDomainDestroy(xc, probe)
      yield* print(`${probe + 1}`)
    } else if (verb === 'keys') yield* xl.xcSendDebugKeys(xc, first)
    else if (verb === 'free') {
      const { freePages, scrubPages } = yield* xl.xcPhysinfo(xc)
      yield* print(`${freePages + scrubPages}`)
    } else if (verb === 'list')
      for (const info of yield* xl.xcDomainGetinfo(xc, 0, 1000))
        yield* print(
          `${info.domid} ${info.nrPages} ${info.paused ? 'p' : '-'}${info.shutdown ? 's' : '-'}${info.crashed ? 'c' : '-'}${info.dying ? 'd' : '-'}`,
        )
    else if (verb === 'info') {
      const info = yield* xl.xcVersionInfo(xc)
      yield* print(`${info.major}.${info.minor}${info.extra} ${info.capabilities} sched ${yield* xl.xcSchedId(xc)}`)
      const vcpu = yield* xl.xcVcpuGetinfo(xc, domid, 0)
      yield* print(JSON.stringify(vcpu))
      yield* print(JSON.stringify(yield* xl.xcSchedCreditDomainGet(xc, domid)))
      yield* print(String((yield* xl.xcReadconsolering(xc, false)).length))
    } else if (verb === 'console') {
      const ring = yield* xl.xcMapForeignRange(xc, domid, PAGE_SIZE, PROT_READ | PROT_WRITE, Number(second))
      yield* writeAll(STDOUT, bytesOfString(byteString(yield* takeOutput(ring))))
    }
    return 0
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* print(error instanceof xl.XcError ? error.tuple : `${error.call}: errno ${error.errno}`)
    return 1
  }
}
