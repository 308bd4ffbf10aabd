/** XML-RPC over a unix socket, as xm calls xend (tools/python/xen/util/xmlrpcclient.py: `httpu:///var/run/xend/xmlrpc.sock`). */
import { AF_UNIX, SOCK_STREAM, sockaddrUn } from '#abi/posix/socket.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { dumpCall, evaluate, loadResponse, type XmlRpcValue } from '#lib/xmlrpc/values.ts'
import { close, connect, socket } from '#user/libc/syscall.ts'
import { type ByteStream, contentLength, fdStream, HttpReader, message, ProtocolError } from './http.ts'

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
