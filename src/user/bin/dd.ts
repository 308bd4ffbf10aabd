/** dd(1). */
import { O_CREAT, O_RDONLY, O_SYNC, O_TRUNC, O_WRONLY, SEEK_CUR } from '#abi/posix/fcntl.ts'
import { CLOCK_MONOTONIC, type Sys } from '#abi/posix/syscalls.ts'
import { formatFloat } from '../coreutils/printf-format.ts'
import { OsError } from '../libc/errno.ts'
import { Heap } from '../libc/heap.ts'
import { humanSize, parseSize } from '../libc/number.ts'
import { quote } from '../libc/quote.ts'
import { eprint, STDIN, STDOUT } from '../libc/stdio.ts'
import { clock_gettime, fsync, ftruncate, lseek, open, read, write } from '../libc/syscall.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

export const dd = utility({
  name: 'dd',
  usage: 'dd [OPERAND]...\ndd OPTION',
  help: `Copy a file, converting and formatting according to the operands.

  bs=BYTES        force ibs=BYTES and obs=BYTES
  cbs=BYTES       convert BYTES bytes at a time
  conv=CONVS      convert the file as per the comma separated symbol list
  count=BLOCKS    copy only BLOCKS input blocks
  ibs=BYTES       read BYTES bytes at a time
  if=FILE         read from FILE instead of stdin
  iflag=FLAGS     read as per the comma separated symbol list
  obs=BYTES       write BYTES bytes at a time
  of=FILE         write to FILE instead of stdout
  oflag=FLAGS     write as per the comma separated symbol list
  seek=BLOCKS     skip BLOCKS obs-sized blocks at start of output
  skip=BLOCKS     skip BLOCKS ibs-sized blocks at start of input

BLOCKS and BYTES may be followed by the following multiplicative suffixes:
xM M, c 1, w 2, b 512, kB 1000, K 1024, MB 1000*1000, M 1024*1024,
GB 1000*1000*1000, G 1024*1024*1024, and so on for T, P, E, Z, Y.

Each CONV symbol may be:

  lcase     change upper case to lower case
  nocreat   do not create the output file
  excl      fail if the output file already exists
  notrunc   do not truncate the output file
  ucase     change lower case to upper case
  swab      swap every pair of input bytes
  noerror   continue after read errors
  sync      pad every input block with NULs to ibs-size
  fdatasync  physically write output file data before finishing
  fsync     likewise, but also write metadata

Each FLAG symbol may be:

  append    append mode (makes sense only for output)
  sync      use synchronized I/O for data and metadata
  dsync     use synchronized I/O for data

Options are:

      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  *main(run) {
    const plan = parse(run.operands)
    return yield* transfer(run, plan)
  },
})

interface Plan {
  readonly from: string | undefined
  readonly to: string | undefined
  readonly ibs: number
  readonly obs: number
  /** Whether bs= was given: what is read is written as it comes. */
  readonly whole: boolean
  readonly count: number
  readonly skip: number
  readonly seek: number
  readonly conv: ReadonlySet<string>
  readonly oflag: ReadonlySet<string>
}

const CONVERSIONS = new Set('lcase ucase swab noerror sync notrunc nocreat excl fsync fdatasync'.split(' '))
const FLAGS = new Set('append sync dsync direct directory nofollow nonblock noctty'.split(' '))

/** Numbers with suffixes, and products: `2x512`. */
function number(text: string): number {
  let product = 1
  for (const factor of text.split('x')) {
    const value = parseSize(factor)
    if (value === undefined) throw new Exit(1, `invalid number ${quote(text)}`)
    product *= value
  }
  return product
}

function parse(operands: readonly string[]): Plan {
  const plan = {
    from: undefined as string | undefined,
    to: undefined as string | undefined,
    ibs: 512,
    obs: 512,
    bs: 0,
    count: Number.POSITIVE_INFINITY,
    skip: 0,
    seek: 0,
    conv: new Set<string>(),
    oflag: new Set<string>(),
  }
  for (const operand of operands) {
    const equals = operand.indexOf('=')
    if (equals < 0) throw new UsageError(`unrecognized operand ${quote(operand)}`)
    const [name, value] = [operand.slice(0, equals), operand.slice(equals + 1)]
    if (name === 'if') plan.from = value
    else if (name === 'of') plan.to = value
    else if (name === 'conv' || name === 'oflag' || name === 'iflag') {
      const known = name === 'conv' ? CONVERSIONS : FLAGS
      for (const symbol of value.split(',')) {
        if (!known.has(symbol))
          throw new UsageError(
            `invalid ${name === 'conv' ? 'conversion' : name === 'oflag' ? 'output flag' : 'input flag'}: ${quote(symbol)}`,
          )
        if (name !== 'iflag') plan[name].add(symbol)
      }
    } else if (name === 'ibs' || name === 'obs' || name === 'bs' || name === 'cbs') {
      const size = number(value)
      if (size === 0) throw new Exit(1, `invalid number ${quote(value)}`)
      if (name !== 'cbs') plan[name] = size
    } else if (name === 'count' || name === 'skip' || name === 'seek') plan[name] = number(value)
    else throw new UsageError(`unrecognized operand ${quote(operand)}`)
  }
  if (plan.conv.has('lcase') && plan.conv.has('ucase')) throw new Exit(1, 'cannot combine lcase and ucase')
  if (plan.bs > 0) plan.ibs = plan.obs = plan.bs
  return { ...plan, whole: plan.bs > 0 && !plan.conv.has('sync') }
}

/** What the statistics count. */
interface Totals {
  inFull: number
  inPart: number
  outFull: number
  outPart: number
  bytes: number
}

function* transfer(run: Run, plan: Plan): Sys<number> {
  const input = yield* openInput(run, plan)
  const output = yield* openOutput(run, plan)
  yield* new Heap().keep(plan.ibs + (plan.ibs === plan.obs ? 0 : plan.obs))
  const startNs = yield* nowNs()
  const totals: Totals = { inFull: 0, inPart: 0, outFull: 0, outPart: 0, bytes: 0 }
  const name = plan.from ?? 'standard input'
  const into = plan.to ?? 'standard output'
  let status = 0
  try {
    yield* skipInput(run, input, plan, name)
    yield* seekOutput(output, plan)
    let held: Uint8Array[] = []
    let heldBytes = 0
    const emit = function* (block: Uint8Array): Sys<void> {
      yield* put(output, block)
      if (block.length === plan.obs) totals.outFull++
      else totals.outPart++
      totals.bytes += block.length
    }
    while (totals.inFull + totals.inPart < plan.count) {
      let block: Uint8Array
      try {
        block = yield* readBlock(input, plan.ibs)
      } catch (error) {
        if (!(error instanceof OsError) || !plan.conv.has('noerror')) throw error
        yield* run.warn(error, `reading ${quote(name)}`)
        yield* report(totals, startNs)
        // The bad block is skipped; with sync zeros stand for it.
        yield* lseek(input, plan.ibs, SEEK_CUR)
        if (!plan.conv.has('sync')) continue
        block = new Uint8Array(0)
        totals.inPart--
        status = 1
        if (totals.inPart < 0) totals.inPart = 0
      }
      if (block.length === 0 && status === 0) break
      if (block.length === plan.ibs) totals.inFull++
      else {
        totals.inPart++
        if (plan.conv.has('sync')) {
          const padded = new Uint8Array(plan.ibs)
          padded.set(block)
          block = padded
        }
      }
      convert(block, plan.conv)
      if (plan.whole || plan.ibs === plan.obs) {
        yield* emit(block)
        continue
      }
      held.push(block)
      heldBytes += block.length
      if (heldBytes < plan.obs) continue
      let all = concat(held, heldBytes)
      while (all.length >= plan.obs) {
        yield* emit(all.subarray(0, plan.obs))
        all = all.subarray(plan.obs)
      }
      held = [all]
      heldBytes = all.length
    }
    if (heldBytes > 0) yield* emit(concat(held, heldBytes))
    if (plan.conv.has('fsync') || plan.conv.has('fdatasync')) yield* fsync(output)
  } catch (error) {
    const writing = error instanceof OsError && error.call === 'write'
    yield* run.warn(error, writing ? `writing ${quote(into)}` : `reading ${quote(name)}`)
    status = 1
  }
  yield* report(totals, startNs)
  return Math.max(status, run.status)
}

function* openInput(run: Run, plan: Plan): Sys<number> {
  if (plan.from === undefined) return STDIN
  try {
    return yield* open(plan.from, O_RDONLY, 0)
  } catch (error) {
    yield* run.warn(error, `opening ${quote(plan.from)}`)
    throw new Exit(1)
  }
}

function* openOutput(run: Run, plan: Plan): Sys<number> {
  if (plan.to === undefined) return STDOUT
  const flags =
    O_WRONLY |
    (plan.conv.has('nocreat') ? 0 : O_CREAT) |
    (plan.conv.has('excl') ? 0o200 : 0) |
    (plan.seek > 0 || plan.conv.has('notrunc') ? 0 : O_TRUNC) |
    (plan.oflag.has('append') ? 0o2000 : 0) |
    (plan.oflag.has('sync') || plan.oflag.has('dsync') ? O_SYNC : 0)
  let fd: number
  try {
    fd = yield* open(plan.to, flags, 0o666)
  } catch (error) {
    yield* run.warn(error, `opening ${quote(plan.to)}`)
    throw new Exit(1)
  }
  if (plan.seek > 0 && !plan.conv.has('notrunc')) {
    try {
      yield* ftruncate(fd, plan.seek * plan.obs)
    } catch (error) {
      // Devices have the size that they have.
      if (!(error instanceof OsError)) throw error
    }
  }
  return fd
}

function* skipInput(run: Run, fd: number, { skip, ibs }: Plan, name: string): Sys<void> {
  if (skip === 0) return
  try {
    yield* lseek(fd, skip * ibs, SEEK_CUR)
    return
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  for (let i = 0; i < skip; i++) {
    if ((yield* readBlock(fd, ibs)).length === 0) return yield* run.complain(`${name}: cannot skip`, run.status)
  }
}

function* seekOutput(fd: number, { seek, obs }: Plan): Sys<void> {
  if (seek > 0) yield* lseek(fd, seek * obs, SEEK_CUR)
}

const readBlock = (fd: number, size: number): Sys<Uint8Array> => read(fd, size)

function* put(fd: number, block: Uint8Array): Sys<void> {
  for (let done = 0; done < block.length; ) done += yield* write(fd, done === 0 ? block : block.subarray(done))
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function convert(block: Uint8Array, conv: ReadonlySet<string>): void {
  const change = conv.has('ucase') ? [97, 122, -32] : conv.has('lcase') ? [65, 90, 32] : undefined
  if (change) {
    const [from, to, by] = change as [number, number, number]
    for (let i = 0; i < block.length; i++) if (block[i]! >= from && block[i]! <= to) block[i]! += by
  }
  if (conv.has('swab')) {
    for (let i = 0; i + 1 < block.length; i += 2) {
      const first = block[i]!
      block[i] = block[i + 1]!
      block[i + 1] = first
    }
  }
}

function* nowNs(): Sys<number> {
  const [seconds, ns] = yield* clock_gettime(CLOCK_MONOTONIC)
  return seconds * 1e9 + ns
}

function* report(totals: Totals, startNs: number): Sys<void> {
  const seconds = ((yield* nowNs()) - startNs) / 1e9
  const { bytes } = totals
  const human = `${decimal(bytes)}B`
  const rate = seconds > 0 ? `${decimal(bytes / seconds)}B/s` : 'Infinity B/s'
  const noun = bytes === 1 ? 'byte' : 'bytes'
  const time = formatFloat('g', seconds, '', 0, 6)
  yield* eprint(
    `${totals.inFull}+${totals.inPart} records in\n${totals.outFull}+${totals.outPart} records out\n` +
      `${bytes} ${noun} (${human}) copied, ${time} seconds, ${rate}\n`,
  )
}

/** `512 `, `1.0 k`, `10 M`: powers of 1000, rounded. */
function decimal(value: number): string {
  if (value < 1000) return `${Math.round(value)} `
  const text = humanSize(value, 1000)
  return `${text.slice(0, -1)} ${text.slice(-1)}`
}
