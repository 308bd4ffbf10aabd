/**
 * A program of tests: speaks the lines of a file (cases.ts) to the store, from domain 0 or from a guest, and prints which of them are answered otherwise.
 *
 *   xstalk FILE
 *
 * s and r are the daemon's sockets, a number is this domain's /proc/xen/xenbus. A line of `#` and a title begins anew: all connections are closed. The kernel's
 * device may tell events before or after an answer, and gives transactions numbers of its own: only these are forgiven.
 */
import { O_RDWR } from '#abi/posix/fcntl.ts'
import { POLLIN } from '#abi/posix/poll.ts'
import { AF_UNIX, SOCK_STREAM, sockaddrUn } from '#abi/posix/socket.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { xsd_errors } from '#abi/xen/io/xs_wire.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { OsError } from '#user/libc/errno.ts'
import { readFile, STDOUT, writeAll } from '#user/libc/stdio.ts'
import { close, connect, open, poll, read, socket, write } from '#user/libc/syscall.ts'
import { inWords, parsed } from './ops.ts'

const SOCKET = '/var/run/xenstored/socket'
/** An answer takes no longer. */
const PATIENCE_MS = 2000
const HEADER = 16

interface Talker {
  readonly fd: number
  readonly device: boolean
  input: string
  /** By the number that the file says. */
  readonly ids: Map<number, number>
}

const word = (text: string, at: number): number =>
  (text.charCodeAt(at) |
    (text.charCodeAt(at + 1) << 8) |
    (text.charCodeAt(at + 2) << 16) |
    (text.charCodeAt(at + 3) << 24)) >>>
  0

const bytesOf = (...words: readonly number[]): string => byteString(new Uint8Array(Uint32Array.from(words).buffer))

function* opened(who: string): Sys<Talker> {
  const device = who !== 's' && who !== 'r'
  let fd: number
  if (device) fd = yield* open('/proc/xen/xenbus', O_RDWR, 0)
  else {
    fd = yield* socket(AF_UNIX, SOCK_STREAM, 0)
    yield* connect(fd, sockaddrUn(who === 'r' ? `${SOCKET}_ro` : SOCKET))
  }
  return { fd, device, input: '', ids: new Map() }
}

/** So many messages, in words; fewer if they do not come. */
function* hear(talker: Talker, count: number): Sys<string[]> {
  const heard: string[] = []
  while (heard.length < count) {
    const { input } = talker
    const length = input.length >= HEADER ? HEADER + word(input, 12) : HEADER
    if (input.length >= HEADER && input.length >= length) {
      heard.push(inWords(word(input, 0), input.slice(HEADER, length)))
      talker.input = input.slice(length)
      continue
    }
    if ((yield* poll([talker.fd, POLLIN], PATIENCE_MS))[0] === 0) break
    const part = yield* read(talker.fd, 8192)
    if (part.length === 0) break
    talker.input += byteString(part)
  }
  return heard
}

function* say(talker: Talker, line: string, wanted: readonly string[]): Sys<string[]> {
  const { txId, type, payload } = parsed(line)
  const bytes = bytesOf(type, 1, talker.ids.get(txId) ?? txId, payload.length) + payload
  try {
    yield* write(talker.fd, bytesOfString(bytes))
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return [`!${xsd_errors.find(([errno]) => errno === error.errno)?.[1] ?? error.errno}`]
  }
  const heard = yield* hear(talker, wanted.length)
  // A transaction's number.
  const [told = ''] = heard
  const expected = Number.parseInt(wanted[0] ?? '', 10)
  if (line.includes('START') && /^\d+\|$/.test(told) && expected > 0) {
    talker.ids.set(expected, Number.parseInt(told, 10))
    return [`${expected}|`]
  }
  return heard
}

export function* main(argv: readonly string[]): Sys<number> {
  const talkers = new Map<string, Talker>()
  let title = ''
  let lines = 0
  let cases = 0
  let wrong = 0
  for (const line of (yield* readFile(argv[1]!)).split('\n')) {
    if (line === '') continue
    if (line.startsWith('#')) {
      for (const { fd } of talkers.values()) yield* close(fd)
      talkers.clear()
      title = line
      cases++
      continue
    }
    const arrow = line.indexOf(' =>')
    const request = line.slice(0, arrow)
    const wanted = line.slice(arrow + 4)
    const who = /^\w+/.exec(request)![0]
    let talker = talkers.get(who)
    if (!talker) {
      talker = yield* opened(who)
      talkers.set(who, talker)
    }
    const several = wanted === '' ? [] : wanted.split(' ')
    const heard = request.includes(' ') ? yield* say(talker, request, several) : yield* hear(talker, several.length)
    const got = talker.device ? heard.sort().join(' ') : heard.join(' ')
    lines++
    if (got === (talker.device ? several.sort().join(' ') : wanted)) continue
    wrong++
    yield* writeAll(STDOUT, bytesOfString(`${title}: ${request} => ${got}, not ${wanted}\n`))
  }
  yield* writeAll(STDOUT, bytesOfString(`${cases} cases, ${lines} lines, ${wrong} wrong\n`))
  return wrong === 0 ? 0 : 1
}
