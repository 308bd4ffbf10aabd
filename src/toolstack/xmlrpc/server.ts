/** The serving side of a connection: BaseHTTPServer as xend sets it up (tools/python/xen/util/xmlrpclib2.py). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { dumpFault, dumpResponse, Fault, loadCall, type XmlRpcValue } from '#lib/xmlrpc/values.ts'
import { strftime, time } from '#user/libc/time.ts'
import { pyRepr } from '../sxp/python-text.ts'
import { type ByteStream, contentLength, type Head, HttpReader, message } from './http.ts'

export interface Dispatcher {
  /** The method's value. A Fault is sent as it is; `failed` makes one of everything else. */
  call(method: string, params: readonly XmlRpcValue[]): Sys<XmlRpcValue>
  failed(method: string, error: unknown): Sys<Fault>
}

/** Answer requests until one asks to close, or the peer does. XmlError if what came is no call: nothing is answered. */
export function* serve(stream: ByteStream, dispatcher: Dispatcher): Sys<void> {
  const reader = new HttpReader(stream)
  for (;;) {
    const head = yield* reader.head()
    if (!head) return
    const [method, , version = 'HTTP/0.9'] = head.first.split(' ')
    if (method !== 'POST')
      return yield* respond(
        stream,
        '501 Unsupported method',
        'text/html',
        `Unsupported method (${pyRepr(method ?? '')}).\n`,
      )
    const length = contentLength(head)
    const text = length === undefined ? undefined : yield* reader.body(length)
    if (text === undefined) return
    yield* respond(stream, '200 OK', 'text/xml', yield* answer(text, dispatcher))
    if (!keepsOpen(head, version)) return
  }
}

/** The document that answers the call. */
function* answer(text: string, dispatcher: Dispatcher): Sys<string> {
  const { method, params } = loadCall(text)
  try {
    const value = yield* dispatcher.call(method, params)
    // XML has no control characters: xend sends the inside of a Python literal, and xm evaluates it.
    return dumpResponse(typeof value === 'string' ? pyRepr(value).slice(1, -1) : value)
  } catch (error) {
    return dumpFault(error instanceof Fault ? error : yield* dispatcher.failed(method, error))
  }
}

function* respond(stream: ByteStream, status: string, type: string, body: string): Sys<void> {
  const date = strftime('%a, %d %b %Y %H:%M:%S GMT', yield* time())
  const headers: [string, string][] = [
    ['Server', 'BaseHTTP/0.3 Python/2.4.3'],
    ['Date', date],
    ['Content-Type', type],
    ['Content-Length', String(body.length)],
  ]
  yield* stream.write(message(`HTTP/1.1 ${status}`, headers, body))
}

/** HTTP/1.1 unless it says `close`; earlier ones if they ask for it. */
function keepsOpen({ headers }: Head, version: string): boolean {
  const wish = headers.get('connection')?.toLowerCase()
  return version === 'HTTP/1.1' ? wish !== 'close' : wish === 'keep-alive'
}
