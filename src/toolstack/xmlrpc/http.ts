/** HTTP/1.0 and 1.1 (RFC 1945, 2616) over a stream, as httplib and BaseHTTPServer speak it for XML-RPC: POST with a Content-Length. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { writeAll } from '#user/libc/stdio.ts'
import { read } from '#user/libc/syscall.ts'

/** Both ends of a connection. `read` answers no bytes at the end. */
export interface ByteStream {
  read(): Sys<Uint8Array>
  write(bytes: Uint8Array): Sys<void>
}

const CHUNK = 65536

/** A socket's descriptor as a stream that waits in the kernel. */
export const fdStream = (fd: number): ByteStream => ({
  read: () => read(fd, CHUNK),
  write: (bytes) => writeAll(fd, bytes),
})

/** What httplib raises as a ProtocolError: an answer that is none, or no 200. */
export class ProtocolError extends Error {
  readonly code: number
  constructor(code: number, text: string) {
    super(text)
    this.code = code
  }
}

/** BaseHTTPServer reads no longer lines; headers and bodies of ours have bounds, too. */
const HEAD_MAX = 65536
const BODY_MAX = 16 << 20

/** The first line, and the headers by their name in lower case. */
export interface Head {
  readonly first: string
  readonly headers: ReadonlyMap<string, string>
}

/** Takes messages off a stream. */
export class HttpReader {
  readonly #stream: ByteStream
  #buffer = ''

  constructor(stream: ByteStream) {
    this.#stream = stream
  }

  /** The next head; undefined if the stream ends before its first byte, or is no HTTP. */
  *head(): Sys<Head | undefined> {
    for (;;) {
      const end = /\r?\n\r?\n/.exec(this.#buffer)
      if (end) {
        const [first = '', ...lines] = this.#buffer.slice(0, end.index).split(/\r?\n/)
        this.#buffer = this.#buffer.slice(end.index + end[0].length)
        const headers = new Map<string, string>()
        for (const line of lines) {
          const colon = line.indexOf(':')
          if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
        }
        return { first, headers }
      }
      if (this.#buffer.length > HEAD_MAX || !(yield* this.#more())) return undefined
    }
  }

  /** So many bytes, or undefined; without a length: all until the end. */
  *body(length: number | undefined): Sys<string | undefined> {
    if (length !== undefined && !(length >= 0 && length <= BODY_MAX)) return undefined
    while (length === undefined || this.#buffer.length < length) {
      if (this.#buffer.length > BODY_MAX) return undefined
      if (!(yield* this.#more())) {
        if (length === undefined) break
        return undefined
      }
    }
    const taken = length ?? this.#buffer.length
    const body = this.#buffer.slice(0, taken)
    this.#buffer = this.#buffer.slice(taken)
    return body
  }

  *#more(): Sys<boolean> {
    const bytes = yield* this.#stream.read()
    this.#buffer += byteString(bytes)
    return bytes.length > 0
  }
}

/** Content-Length as a number; undefined if there is none, NaN if it is none. */
export function contentLength({ headers }: Head): number | undefined {
  const text = headers.get('content-length')
  return text === undefined ? undefined : /^\d+$/.test(text) ? Number(text) : Number.NaN
}

/** A message: first line, headers, body. */
export const message = (first: string, headers: readonly (readonly [string, string])[], body: string): Uint8Array =>
  bytesOfString(`${first}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
