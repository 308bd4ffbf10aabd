/** XML-RPC over a unix socket, as xm calls xend (tools/python/xen/util/xmlrpcclient.py: `httpu:///var/run/xend/xmlrpc.sock`). */
import { AF_UNIX, SOCK_STREAM, sockaddrUn } from '#abi/posix/socket.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { close, connect, socket } from '#user/libc/syscall.ts'
import { type ByteStream, contentLength, fdStream, HttpReader, message, ProtocolError } from './http.ts'
import { dumpCall, loadResponse, type XmlRpcValue } from './values.ts'

/** xen.xend.XendClient: where xend listens, and its fault codes. */
export const XML_RPC_SOCKET = '/var/run/xend/xmlrpc.sock'
export const ERROR_INTERNAL = 1
export const ERROR_GENERIC = 2
export const ERROR_INVALID_DOMAIN = 3

/** One call over a stream of its own. Throws Fault, ProtocolError, XmlError, and whatever the stream does. */
export function* callOver(
  stream: ByteStream,
  host: string,
  method: string,
  params: readonly XmlRpcValue[],
): Sys<XmlRpcValue> {
  const body = dumpCall(method, params)
  yield* stream.write(
    message(
      'POST /RPC2 HTTP/1.0',
      [
        ['Host', host],
        ['User-Agent', 'xmlrpclib.py/1.0.1 (by www.pythonware.com)'],
        ['Content-Type', 'text/xml'],
        ['Content-Length', String(body.length)],
      ],
      body,
    ),
  )
  const reader = new HttpReader(stream)
  const head = yield* reader.head()
  const status = head && /^HTTP\/1\.\d (\d{3}) ?(.*)$/.exec(head.first)
  // httplib calls this -1, with no text at all.
  if (!head || !status) throw new ProtocolError(-1, '')
  if (status[1] !== '200') throw new ProtocolError(Number(status[1]), status[2] ?? '')
  const text = yield* reader.body(contentLength(head))
  if (text === undefined) throw new ProtocolError(-1, '')
  const value = loadResponse(text)
  return typeof value === 'string' ? evaluate(value) : value
}

/** A call to the server behind the socket `path`. OsError if nobody listens there. */
export function* call(path: string, method: string, ...params: readonly XmlRpcValue[]): Sys<XmlRpcValue> {
  const fd = yield* socket(AF_UNIX, SOCK_STREAM, 0)
  try {
    yield* connect(fd, sockaddrUn(path))
    return yield* callOver(fdStream(fd), path, method, params)
  } finally {
    yield* close(fd)
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' }

/** xend sends a string as the inside of a Python literal, since XML cannot hold control characters; this reads it. */
export const evaluate = (text: string): string =>
  text.replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|[\s\S])/g, (whole, code: string) => {
    if (code.length === 3 && code[0] === 'x') return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 255)
    return ESCAPES[code] ?? whole
  })
