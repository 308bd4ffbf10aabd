/** xentrace(8) (tools/xentrace/xentrace.c): what is in Xen's trace buffers, written to a file as it is. */
import { memOf } from '#abi/mem.ts'
import { EINTR } from '#abi/posix/errno.ts'
import { O_CREAT, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import { PROT_READ, PROT_WRITE } from '#abi/posix/mman.ts'
import { POLLERR, POLLIN } from '#abi/posix/poll.ts'
import { SIGALRM, SIGHUP, SIGINT, SIGTERM } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  TRACE_EXTRA_SHIFT,
  TRC_ALL,
  TRC_DOM0OP,
  TRC_GEN,
  TRC_HVM,
  TRC_SCHED,
  TRC_TRACE_CPU_CHANGE,
  t_buf,
} from '#abi/xen/trace.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import { DOMID_XEN, VIRQ_TBUF } from '#abi/xen/xen.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { getopt } from '#user/libc/getopt.ts'
import { program } from '#user/libc/program.ts'
import { eprint, isatty, STDOUT, writeAll } from '#user/libc/stdio.ts'
import { alarm, close, fstatfs, load, open, poll, rt_sigaction, store } from '#user/libc/syscall.ts'
import { XcError } from '../libxc/error.ts'
import { xcEvtchnBindVirq, xcEvtchnOpen, xcEvtchnPending, xcEvtchnUnmask } from '../libxc/evtchn.ts'
import { xcMapForeignRange } from '../libxc/memory.ts'
import { xcPhysinfo } from '../libxc/misc.ts'
import { type XcHandle, xcInterfaceClose, xcInterfaceOpen } from '../libxc/privcmd.ts'
import { xcTbufDisable, xcTbufEnable, xcTbufSetCpuMask, xcTbufSetEvtMask } from '../libxc/tbuf.ts'

const POLL_SLEEP_MILLIS = 100
const DEFAULT_TBUF_SIZE = 20

const USAGE = `Usage: xentrace [OPTION...] [output file]
Tool to capture Xen trace buffer data

  -c, --cpu-mask=c        Set cpu-mask
  -e, --evt-mask=e        Set evt-mask
  -s, --poll-sleep=p      Set sleep time, p, in milliseconds between
                          polling the trace buffer for new data
                          (default ${POLL_SLEEP_MILLIS}).
  -S, --trace-buf-size=N  Set trace buffer size in pages (default ${DEFAULT_TBUF_SIZE}).
                          N.B. that the trace buffer cannot be resized.
                          if it has already been set this boot cycle,
                          this argument will be ignored.
  -D  --discard-buffers   Discard all records currently in the trace
                          buffers before beginning.
  -x  --dont-disable-tracing
                          By default, xentrace will disable tracing when
                          it exits. Selecting this option will tell it to
                          keep tracing on.  Traces will be collected in
                          Xen's trace buffers until they become full.
  -T  --time-interval=s   Run xentrace for s seconds and quit.
  -?, --help              Show this message
  -V, --version           Print program version

This tool is used to capture trace buffer data from Xen. The
data is output in a binary format, in the following order:

  CPU(uint) TSC(uint64_t) EVENT(uint32_t) D1 D2 D3 D4 D5 (all uint32_t)

The output should be parsed using the tool xentrace_format,
which can produce human-readable output in ASCII format.

Report bugs to <mark.a.williamson@intel.com>
`

/** Not all of what the usage says has a letter: the real one's list of them was never brought up to date. */
const SHORT = 'c:e:s:S:t:?V'
const LONG = {
  'log-thresh:': 't',
  'poll-sleep:': 's',
  'cpu-mask:': 'c',
  'evt-mask:': 'e',
  'trace-buf-size:': 'S',
  'reserve-disk-space:': 'r',
  'time-interval:': 'T',
  'discard-buffers': 'D',
  'dont-disable-tracing': 'x',
  help: '?',
  version: 'V',
}

const CLASSES: Readonly<Record<string, number>> = {
  gen: TRC_GEN,
  sched: TRC_SCHED,
  dom0op: TRC_DOM0OP,
  hvm: TRC_HVM,
  all: TRC_ALL,
}

/** The way out, with what is said on standard error, or the usage on standard output. */
class Exit extends Error {
  readonly usage: boolean

  constructor(text: string, usage = false) {
    super(text)
    this.usage = usage
  }
}

/** perror, and PERROR, of what went wrong in `call`. */
function* or<T>(call: Sys<T>, say: (why: string, errno: number) => string): Sys<T> {
  try {
    return yield* call
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new Exit(say(strerror(error.errno), error.errno))
  }
}
const perror = (text: string) => (why: string) => `${text}: ${why}\n`
const PERROR = (text: string) => (why: string, errno: number) => `ERROR: ${text} (${errno} = ${why})\n`

/** argtol, with base 0. */
function argtol(text: string): number {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|\d+)$/.exec(text)
  const digits = match?.[2] ?? ''
  const value = /^0\d/.test(digits) ? (/[89]/.test(digits) ? Number.NaN : Number.parseInt(digits, 8)) : Number(digits)
  if (!match || Number.isNaN(value)) throw new Exit(`Invalid option argument: ${text}\n\n`, true)
  return match[1] === '-' ? -value : value
}

interface Settings {
  readonly outfile: string
  readonly pollSleep: number
  readonly evtMask: number
  readonly cpuMask: number
  readonly tbufSize: number
  readonly diskRsvd: number
  readonly timeout: number
  readonly discard: boolean
  readonly disableTracing: boolean
}

/** parse_args. Undefined: the version is all that is wanted. */
function settingsOf(argv: readonly string[]): Settings | undefined {
  const { options, operands, error } = getopt(argv.slice(1), SHORT, LONG)
  let evtMask = 0
  const numbers = new Map<string, number>()
  for (const { code, value = '' } of options) {
    if (code === 'V') return undefined
    if (code === '?' || code === 't') throw new Exit('', true)
    if (code === 'e') evtMask = CLASSES[value] === undefined ? argtol(value) : evtMask | CLASSES[value]
    else numbers.set(code, code === 'D' || code === 'x' ? 1 : argtol(value))
  }
  if (error !== undefined) throw new Exit(`${argv[0] ?? 'xentrace'}: ${error}\n`, true)
  if (operands.length !== 1) throw new Exit('', true)
  return {
    outfile: operands[0]!,
    pollSleep: numbers.get('s') ?? POLL_SLEEP_MILLIS,
    evtMask: evtMask >>> 0,
    cpuMask: (numbers.get('c') ?? 0) >>> 0,
    tbufSize: (numbers.get('S') ?? 0) || DEFAULT_TBUF_SIZE,
    diskRsvd: numbers.get('r') ?? 0,
    timeout: numbers.get('T') ?? 0,
    discard: numbers.has('D'),
    disableTracing: !numbers.has('x'),
  }
}

const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)

/** Where the windows on the buffers go. */
interface Sink {
  readonly fd: number
  readonly settings: Settings
}

/** write_buffer: bytes of a window, and before its first what processor they are of and how many the window has. */
function* writeBuffer({ fd, settings }: Sink, cpu: number, bytes: Uint8Array, total: number): Sys<void> {
  if (settings.diskRsvd !== 0) {
    const { bsize, bfree } = yield* or(fstatfs(fd), (why, errno) => `Statfs failed!\n${FAILED(why, errno)}`)
    const free = Math.floor((bsize * bfree - (total || bytes.length)) / 2 ** 20)
    if (free <= settings.diskRsvd)
      throw new Exit(`Disk space limit reached (free space: ${free}MB, limit: ${settings.diskRsvd}MB).\n`)
  }
  const failed = (what: string) => (why: string, errno: number) => `${what}\n${FAILED(why, errno)}`
  if (total !== 0) {
    const record = words(TRC_TRACE_CPU_CHANGE + 2 * 2 ** TRACE_EXTRA_SHIFT, cpu, total)
    yield* or(writeAll(fd, record), failed('Cannot write cpu change (write returned -1)'))
  }
  yield* or(writeAll(fd, bytes), failed(`Write failed! (size ${bytes.length}, returned -1)`))
}
const FAILED = PERROR('Failed to write trace data')

/** One round over the buffers: what there is goes to the file, and Xen may write over it. */
function* drain(sink: Sink, tbufs: Vaddr, cpus: number, size: number): Sys<void> {
  const dataSize = size - t_buf.size
  for (let cpu = 0; cpu < cpus; cpu++) {
    const at = tbufs + cpu * size
    const { cons, prod } = t_buf.read(memOf(yield* load(at, t_buf.size)), 0)
    if (cons === prod) continue
    const window = prod < cons ? prod + 2 * dataSize - cons : prod - cons
    const data = at + t_buf.size
    const start = cons % dataSize
    const end = prod % dataSize
    if (end > start) yield* writeBuffer(sink, cpu, yield* load(data + start, window), window)
    else {
      yield* writeBuffer(sink, cpu, yield* load(data + start, dataSize - start), window)
      yield* writeBuffer(sink, cpu, yield* load(data, end), 0)
    }
    yield* store(at + t_buf.fields.cons.offset, words(prod))
  }
}

/** wait_for_event_or_timeout */
function* wait(fd: number, virqPort: number, milliseconds: number): Sys<void> {
  let ready: readonly number[]
  try {
    ready = yield* poll([fd, POLLIN | POLLERR], milliseconds)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    if (error.errno === EINTR) return
    throw new Exit(PERROR('poll exitted with an error')(strerror(error.errno), error.errno))
  }
  if (!ready[0]) return
  const port = yield* or(xcEvtchnPending(fd), PERROR('failed to read port from evtchn'))
  if (port !== virqPort) throw new Exit(`unexpected port returned from evtchn (got ${port} vs expected ${virqPort})\n`)
  yield* or(xcEvtchnUnmask(fd, port), PERROR('failed to write port to evtchn'))
}

/** monitor_tbufs: until a signal comes. */
function* monitor(xc: XcHandle, sink: Sink, interrupted: () => boolean): Sys<void> {
  const { settings } = sink
  const events = yield* xcEvtchnOpen()
  const port = yield* or(xcEvtchnBindVirq(events, VIRQ_TBUF), PERROR('failed to bind to VIRQ port'))
  const { nrCpus } = yield* or(xcPhysinfo(xc), PERROR('Failure to get logical CPU count from Xen'))
  const { mfn, size } = yield* or(xcTbufEnable(xc, settings.tbufSize), perror("Couldn't enable trace buffers"))
  const map = xcMapForeignRange(xc, DOMID_XEN, size * nrCpus, PROT_READ | PROT_WRITE, mfn)
  const tbufs = yield* or(map, PERROR('Failed to mmap trace buffers'))
  if (settings.discard)
    for (let at = tbufs; at < tbufs + nrCpus * size; at += size)
      yield* store(at, yield* load(at + t_buf.fields.prod.offset, 4))
  while (!interrupted()) {
    yield* drain(sink, tbufs, nrCpus, size)
    yield* wait(events, port, settings.pollSleep)
  }
  if (settings.disableTracing) yield* disable()
}

/** disable_tbufs, by a handle of its own. */
function* disable(): Sys<void> {
  try {
    const xc = yield* xcInterfaceOpen()
    yield* xcTbufDisable(xc)
    yield* xcInterfaceClose(xc)
  } catch (error) {
    if (!(error instanceof XcError)) throw error
    yield* eprint(perror("Couldn't disable trace buffers")(strerror(error.errno)))
  }
}

function* run(settings: Settings): Sys<void> {
  let interrupted = false
  const xc = yield* or(xcInterfaceOpen(), perror('Could not obtain handle on privileged command interface'))
  const masked = PERROR('Failure to get trace buffer pointer from Xen and set the new mask')
  if (settings.evtMask !== 0) {
    const set = or(xcTbufSetEvtMask(xc, settings.evtMask), masked)
    yield* eprint(`change evtmask to 0x${settings.evtMask.toString(16)}\n`)
    yield* set
  }
  if (settings.cpuMask !== 0) {
    const set = or(xcTbufSetCpuMask(xc, settings.cpuMask), masked)
    yield* eprint(`change cpumask to 0x${settings.cpuMask.toString(16)}\n`)
    yield* set
  }
  if (settings.timeout !== 0) yield* alarm(settings.timeout)
  const create = open(settings.outfile, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
  const fd = yield* or(create, perror('Could not open output file'))
  if (yield* isatty(fd)) throw new Exit('Cannot output to a TTY, specify a log file.\n')
  function* handler(): Sys<void> {
    interrupted = true
  }
  for (const signo of [SIGHUP, SIGTERM, SIGINT, SIGALRM]) yield* rt_sigaction(signo, handler, 0, 0)
  yield* monitor(xc, { fd, settings }, () => interrupted)
  yield* close(fd)
}

export const xentrace = program({
  name: 'xentrace',
  usage: 'xentrace [OPTION...] FILE',
  help: "Write what is in Xen's trace buffers to FILE, until it is interrupted.",
  *main(argv) {
    try {
      const settings = settingsOf(argv)
      if (settings) yield* run(settings)
      else yield* writeAll(STDOUT, bytesOfString('xentrace v1.2\n'))
      return 0
    } catch (error) {
      if (!(error instanceof Exit)) throw error
      if (error.message !== '') yield* eprint(error.message)
      if (error.usage) yield* writeAll(STDOUT, bytesOfString(USAGE))
      return 1
    }
  },
})
