/** XML-RPC (xmlrpc.com/spec) as Python's xmlrpclib writes and reads it: values, calls, responses, faults. */
import { Float, floatRepr } from './float.ts'
import { type Element, parseXml, XmlError } from './xml.ts'

/** An integral number is an int; a double is a `Float`. null is `<nil/>`. Strings are byte strings (UTF-8 as it is). */
export type XmlRpcValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Float
  | readonly XmlRpcValue[]
  | { readonly [name: string]: XmlRpcValue }

/** A fault: what the server says instead of a value. */
export class Fault extends Error {
  readonly code: number
  constructor(code: number, text: string) {
    super(text)
    this.code = code
  }
}

const INT_MAX = 0x7fffffff

const escapeText = (text: string): string =>
  text.replace(/[&<>]/g, (c) => (c === '&' ? '&amp;' : c === '<' ? '&lt;' : '&gt;'))

/** `<value>...</value>`. RangeError, with Python's text, for what does not fit. */
function dumpValue(value: XmlRpcValue): string {
  if (value === null || value === undefined) return '<value><nil/></value>' // the only one without a newline
  return `<value>${dumpInner(value)}</value>\n`
}

function dumpInner(value: Exclude<XmlRpcValue, null | undefined>): string {
  if (typeof value === 'string') return `<string>${escapeText(value)}</string>`
  if (typeof value === 'boolean') return `<boolean>${value ? 1 : 0}</boolean>`
  if (value instanceof Float) return `<double>${floatRepr(value.value)}</double>`
  if (typeof value === 'number' && !Number.isInteger(value)) return `<double>${floatRepr(value)}</double>`
  if (typeof value === 'number' || typeof value === 'bigint') {
    if (value > INT_MAX || value < -INT_MAX - 1) throw new RangeError('int exceeds XML-RPC limits')
    return `<int>${value}</int>`
  }
  if (Array.isArray(value)) return `<array><data>\n${value.map(dumpValue).join('')}</data></array>`
  const members = Object.entries(value as { readonly [name: string]: XmlRpcValue })
  return `<struct>\n${members
    .map(([name, member]) => `<member>\n<name>${escapeText(name)}</name>\n${dumpValue(member)}</member>\n`)
    .join('')}</struct>`
}

const HEAD = "<?xml version='1.0'?>\n"
const dumpParams = (params: readonly XmlRpcValue[]): string =>
  `<params>\n${params.map((value) => `<param>\n${dumpValue(value)}</param>\n`).join('')}</params>\n`

/** xmlrpclib.dumps(params, method). */
export const dumpCall = (method: string, params: readonly XmlRpcValue[]): string =>
  `${HEAD}<methodCall>\n<methodName>${escapeText(method)}</methodName>\n${dumpParams(params)}</methodCall>\n`

/** xmlrpclib.dumps((value,), methodresponse=1). */
export const dumpResponse = (value: XmlRpcValue): string =>
  `${HEAD}<methodResponse>\n${dumpParams([value])}</methodResponse>\n`

/** xmlrpclib.dumps(fault). */
export const dumpFault = ({ code, message }: Fault): string =>
  `${HEAD}<methodResponse>\n<fault>\n${dumpValue({ faultCode: code, faultString: message })}</fault>\n</methodResponse>\n`

const bad = (text: string): never => {
  throw new XmlError(text)
}

/** The value of a `<value>` element. */
function loadValue(element: Element): XmlRpcValue {
  if (element.name !== 'value') bad('no value')
  const inner = element.children[0]
  // Without a type it is a string.
  if (!inner) return element.text
  const { name, text, children } = inner
  if (name === 'string') return text
  if (name === 'int' || name === 'i4') return /^\s*[-+]?\d+\s*$/.test(text) ? Number(text) : bad('bad int')
  if (name === 'boolean') return text === '1' ? true : text === '0' ? false : bad('bad boolean value')
  if (name === 'double') {
    const value = Number(text)
    return text.trim() === '' || Number.isNaN(value) ? bad('bad double') : new Float(value)
  }
  if (name === 'nil') return null
  if (name === 'array') return (children[0]?.children ?? []).map(loadValue)
  if (name !== 'struct') return bad(`unknown type ${name}`)
  // No prototype: a member may have any name.
  const struct: { [name: string]: XmlRpcValue } = Object.create(null)
  for (const member of children) {
    const [key, value] = member.children
    if (!key || !value) bad('bad member')
    else struct[key.text] = loadValue(value)
  }
  return struct
}

const loadParams = (params: Element | undefined): XmlRpcValue[] =>
  (params?.children ?? []).map(({ children }) => (children[0] ? loadValue(children[0]) : bad('empty param')))

const named = ({ children }: Element, name: string): Element | undefined => children.find((one) => one.name === name)

/** A call as it came over the wire; XmlError for anything else. */
export function loadCall(text: string): { method: string; params: XmlRpcValue[] } {
  const call = parseXml(text)
  const method = named(call, 'methodName')
  if (call.name !== 'methodCall' || !method) throw new XmlError('not a methodCall')
  return { method: method.text, params: loadParams(named(call, 'params')) }
}

/** The value of a response. Throws the Fault that it may be. */
export function loadResponse(text: string): XmlRpcValue {
  const response = parseXml(text)
  if (response.name !== 'methodResponse') throw new XmlError('not a methodResponse')
  const fault = named(response, 'fault')?.children[0]
  if (fault) {
    const { faultCode, faultString } = loadValue(fault) as { faultCode?: unknown; faultString?: unknown }
    throw new Fault(typeof faultCode === 'number' ? faultCode : 0, String(faultString))
  }
  return loadParams(named(response, 'params'))[0]
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' }

/** xend sends a string as the inside of a Python literal, since XML cannot hold control characters; this reads it. */
export const evaluate = (text: string): string =>
  text.replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|[\s\S])/g, (whole, code: string) => {
    if (code.length === 3 && code[0] === 'x') return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 255)
    return ESCAPES[code] ?? whole
  })
