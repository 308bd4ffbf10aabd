import { expect, test } from 'vitest'
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { Float } from '#lib/xmlrpc/float.ts'
import {
  dumpCall,
  dumpFault,
  dumpResponse,
  evaluate,
  Fault,
  loadCall,
  loadResponse,
  type XmlRpcValue,
} from '#lib/xmlrpc/values.ts'
import { callOver } from './client.ts'
import { type ByteStream, ProtocolError } from './http.ts'
import { type Dispatcher, serve } from './server.ts'

/** Inside `<params>` of what Python's xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True) printed. */
const PYTHON: readonly (readonly [XmlRpcValue, string])[] = [
  [1, '<value><int>1</int></value>\n'],
  [-5, '<value><int>-5</int></value>\n'],
  [true, '<value><boolean>1</boolean></value>\n'],
  [false, '<value><boolean>0</boolean></value>\n'],
  [null, '<value><nil/></value>'],
  [`a<b>&c"'`, `<value><string>a&lt;b&gt;&amp;c"'</string></value>\n`],
  [new Float(1.5), '<value><double>1.5</double></value>\n'],
  [new Float(1e20), '<value><double>1e+20</double></value>\n'],
  [new Float(0.1), '<value><double>0.1</double></value>\n'],
  [new Float(1219833333.39), '<value><double>1219833333.39</double></value>\n'],
  [new Float(12345678), '<value><double>12345678.0</double></value>\n'],
  [[], '<value><array><data>\n</data></array></value>\n'],
  [
    [1, [2, 'x']],
    '<value><array><data>\n<value><int>1</int></value>\n<value><array><data>\n<value><int>2</int></value>\n<value><string>x</string></value>\n</data></array></value>\n</data></array></value>\n',
  ],
  [{}, '<value><struct>\n</struct></value>\n'],
  [
    { b: 1, a: [null] },
    '<value><struct>\n<member>\n<name>b</name>\n<value><int>1</int></value>\n</member>\n<member>\n<name>a</name>\n<value><array><data>\n<value><nil/></value></data></array></value>\n</member>\n</struct></value>\n',
  ],
]

test.each(PYTHON)('%j is written as by Python, and read back', (value, text) => {
  const document = `<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n${text}</param>\n</params>\n</methodResponse>\n`
  expect(dumpResponse(value)).toBe(document)
  expect(loadResponse(document)).toEqual(value)
})

test('calls and faults are written as by Python', () => {
  const document =
    "<?xml version='1.0'?>\n<methodCall>\n<methodName>xend.domain</methodName>\n<params>\n<param>\n<value><string>a</string></value>\n</param>\n<param>\n<value><int>2</int></value>\n</param>\n</params>\n</methodCall>\n"
  expect(dumpCall('xend.domain', ['a', 2])).toBe(document)
  expect(loadCall(document)).toEqual({ method: 'xend.domain', params: ['a', 2] })
  expect(loadCall(dumpCall('x', []))).toEqual({ method: 'x', params: [] })
  const fault =
    "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n<value><int>3</int></value>\n</member>\n<member>\n<name>faultString</name>\n<value><string>Domain 'x' does not exist.</string></value>\n</member>\n</struct></value>\n</fault>\n</methodResponse>\n"
  expect(dumpFault(new Fault(3, "Domain 'x' does not exist."))).toBe(fault)
  expect(() => loadResponse(fault)).toThrow(expect.objectContaining({ code: 3, message: "Domain 'x' does not exist." }))
})

test.each([
  ['<value>plain</value>', 'plain'],
  ['<value></value>', ''],
  ['<value><i4> 7 </i4></value>', 7],
  ['<value><string>&#65;&#x2026;&quot;<!-- c --></string></value>', 'A\xe2\x80\xa6"'],
  ['<value><string><![CDATA[<&]]></string></value>', '<&'],
  [
    '<value><struct><member><name>__proto__</name><value>x</value></member></struct></value>',
    JSON.parse('{"__proto__":"x"}'),
  ],
])('other clients may say %s', (text, value) => {
  expect(
    loadCall(`<methodCall><methodName>m</methodName><params><param>${text}</param></params></methodCall>`).params,
  ).toEqual([value])
})

test.each([
  '',
  'no xml',
  '<methodCall>',
  '<a></b>',
  '<methodResponse/>',
  '<methodCall/>',
  '<methodCall><methodName>m</methodName></methodCall><x/>',
  '<!DOCTYPE a><methodCall><methodName>m</methodName></methodCall>',
  '<methodCall><methodName>m</methodName><params><param><value><int>x</int></value></param></params></methodCall>',
  '<methodCall><methodName>m</methodName><params><param><value><boolean>2</boolean></value></param></params></methodCall>',
  '<methodCall><methodName>m</methodName><params><param><value><dateTime.iso8601>x</dateTime.iso8601></value></param></params></methodCall>',
  '<methodCall><methodName>&nbsp;</methodName></methodCall>',
  '<methodCall><methodName>a & b</methodName></methodCall>',
  '<a>'.repeat(10000),
])('%j is no call', (text) => {
  expect(() => loadCall(text)).toThrow()
})

test('what does not fit 32 bits is refused in Python words', () => {
  expect(() => dumpResponse(0x80000000)).toThrow('int exceeds XML-RPC limits')
  expect(dumpResponse(-0x80000000)).toContain('<int>-2147483648</int>')
})

/** A stream that reads `input` a few bytes at a time. */
function stream(input: string, step = 7): { stream: ByteStream; written: () => string } {
  let at = 0
  const written: string[] = []
  return {
    stream: {
      *read() {
        const part = input.slice(at, at + step)
        at += step
        return bytesOfString(part)
      },
      *write(bytes) {
        written.push(byteString(bytes))
      },
    },
    written: () => written.join(''),
  }
}

/** Runs a program that asks for nothing but the time. */
function run<T>(body: Sys<T>): T {
  for (let step = body.next(); ; step = body.next([1219833333, 0])) if (step.done) return step.value
}

const echo: Dispatcher = {
  *call(method, params) {
    if (method === 'fault') throw new Fault(3, 'no')
    if (method === 'bug') throw new Error('oops')
    return params.length === 1 ? params[0] : params
  },
  *failed(_method, error) {
    return new Fault(1, (error as Error).message)
  },
}

const post = (body: string, version = 'HTTP/1.1', more = ''): string =>
  `POST /RPC2 ${version}\r\nHost: x\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`

test('a connection serves requests until one asks to close', () => {
  const { stream: both, written } = stream(
    post(dumpCall('m', [1])) +
      post(dumpCall('fault', [])) +
      post(dumpCall('bug', []), 'HTTP/1.0') +
      post(dumpCall('late', [])),
  )
  run(serve(both, echo))
  const answers = written().split('HTTP/1.1 200 OK\r\n').slice(1)
  expect(answers).toHaveLength(3)
  expect(answers[0]).toBe(
    `Server: BaseHTTP/0.3 Python/2.4.3\r\nDate: Wed, 27 Aug 2008 10:35:33 GMT\r\nContent-Type: text/xml\r\nContent-Length: ${dumpResponse(1).length}\r\n\r\n${dumpResponse(1)}`,
  )
  expect(answers[1]).toContain(dumpFault(new Fault(3, 'no')))
  expect(answers[2]).toContain(dumpFault(new Fault(1, 'oops')))
})

test('strings go as the inside of a Python literal, and come back as they were', () => {
  const text = 'a\0b\x1b[1m\n\t\'"\\x \xe4'
  const server = stream(post(dumpCall('m', ["it's"]), 'HTTP/1.0'))
  run(
    serve(server.stream, {
      ...echo,
      *call() {
        return text
      },
    }),
  )
  expect(server.written()).toContain('<string>a\\x00b\\x1b[1m\\n\\t\\\'"\\\\x \\xe4</string>')
  expect(run(callOver(stream(server.written()).stream, 'x', 'm', []))).toBe(text)
  expect(evaluate('\\047\\q')).toBe("'\\q")
})

test.each([
  ['', -1, ''],
  ['rubbish\r\n\r\n', -1, ''],
  ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', -1, ''],
  ['HTTP/1.1 501 Unsupported method\r\n\r\n', 501, 'Unsupported method'],
])('the client calls %j a protocol error', (answer, code, text) => {
  try {
    run(callOver(stream(answer).stream, 'x', 'm', []))
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError)
    expect(error).toMatchObject({ code, message: text })
  }
})

test.each([
  ['GET / HTTP/1.1\r\n\r\n', '501 Unsupported method'],
  ['POST / HTTP/1.1\r\n\r\n', ''],
  ['POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n', ''],
  ['POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab', ''],
  ['A'.repeat(70000), ''],
])('the server answers %j with %j', (text, status) => {
  const { stream: both, written } = stream(text, 1000)
  run(serve(both, echo))
  expect(written().split('\r\n')[0]).toBe(status === '' ? '' : `HTTP/1.1 ${status}`)
})
