/** losetup of util-linux 2.13, without encryption. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { eprint, Out, STDOUT } from '../libc/stdio.ts'
import { deleteLoop, type LoopInfo, loopDevices, loopInfo, setLoop, unusedLoop } from './mount/loop.ts'
import { canonical } from './mount/mount.ts'

const USAGE = `usage:
  losetup loop_device                                  # give info
  losetup -d loop_device                               # delete
  losetup -f                                           # find unused
  losetup -a                                           # list all used
  losetup [-e encryption] [-o offset] {-f|loop_device} file # setup
`

export const losetup = program({
  name: 'losetup',
  usage: 'losetup DEVICE\nlosetup -a\nlosetup -d DEVICE\nlosetup [-o OFFSET] [-r] {-f|DEVICE} FILE',
  help: [
    'Set up and control loop devices: files as block devices.',
    '  -a          list all that are in use',
    '  -d          delete: the device has no file any more',
    '  -f          the first device that is not in use',
    '  -o OFFSET   the data start so many bytes into FILE',
    '  -r          read-only',
  ].join('\n'),
  *main(argv) {
    const { options, operands, error } = getopt(argv.slice(1), 'ade:fo:rv')
    const has = (code: string): boolean => options.some((option) => option.code === code)
    const out = new Out(STDOUT)
    if (error !== undefined || argv.length === 1 || has('e')) {
      yield* eprint(`${error === undefined ? '' : `losetup: ${error}\n`}${USAGE}`)
      return 1
    }
    const offset = options.findLast(({ code }) => code === 'o')?.value ?? '0'
    const [device, file] = has('f') ? [undefined, operands[0]] : operands
    const count = operands.length
    let status = 0
    if (has('a') && count === 0) yield* listAll(out)
    else if (has('d') && count === 1) status = (yield* deleteLoop(device!)) ? 0 : 1
    else if (has('f') && count === 0) {
      const free = yield* unusedLoop('losetup')
      if (free === undefined) return 1
      yield* out.line(free)
    } else if (!has('a') && !has('d') && /^\d{1,15}$/.test(offset) && count === (has('f') ? 1 : 2))
      status = yield* setUp(device, file!, Number(offset), has('r'), has('f'))
    else if (options.length === 0 && count === 1) status = yield* showOne(device!, out)
    else {
      yield* eprint(USAGE)
      return 1
    }
    yield* out.flush()
    return status
  },
})

const line = (device: string, info: LoopInfo): string =>
  `${device}: [${info.device.toString(16).padStart(4, '0')}]:${info.inode} (${info.fileName})` +
  (info.offset > 0 ? `, offset ${info.offset}` : '')

function* listAll(out: Out): Sys<void> {
  for (const device of yield* loopDevices()) {
    try {
      const info = yield* loopInfo(device)
      if (info) yield* out.line(line(device, info))
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
}

function* showOne(device: string, out: Out): Sys<number> {
  try {
    const info = yield* loopInfo(device)
    if (info) {
      yield* out.line(line(device, info))
      return 0
    }
    yield* eprint(`loop: can't get info on device ${device}: No such device or address\n`)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    const what = error.call === 'ioctl' ? 'get info on' : 'open'
    yield* eprint(`loop: can't ${what} device ${device}: ${strerror(error.errno)}\n`)
  }
  return 1
}

function* setUp(
  given: string | undefined,
  file: string,
  offset: number,
  readOnly: boolean,
  find: boolean,
): Sys<number> {
  const path = yield* canonical(file)
  for (;;) {
    const device = given ?? (yield* unusedLoop('losetup'))
    if (device === undefined) return 1
    const made = yield* setLoop(device, path, offset, readOnly)
    if (made === 'busy' && find) continue
    if (made === 'busy') yield* eprint('ioctl: LOOP_SET_FD: Device or resource busy\n')
    return made === 'rw' || made === 'ro' ? 0 : 1
  }
}
