/**
 * A client of xend: XML-RPC over HTTP on the unix socket that `xm` uses itself, through a host link. xend sees one more client. Works in a page and
 * under Node.
 */
import { byteString, bytesOfString, utf8Decode, utf8Encode } from '#lib/utf8.ts'
import { dumpCall, evaluate, Fault, loadResponse, type XmlRpcValue } from '#lib/xmlrpc/values.ts'
import type { DomainAct } from './domains.ts'
import type { OpenLink } from './open-link.ts'

export const XEND_SOCKET = '/var/run/xend/xmlrpc.sock'

/** An answer is not read beyond this: a list of all domains is a few KiB each. */
const ANSWER_BYTES_MAX = 16 << 20
/** xen.xend.XendClient: the fault's text is the domain's name alone. */
const ERROR_INVALID_DOMAIN = 3
const NONSENSE = 'what answers is not xend'

/** One call of xend's. Rejects with xend's own words (a Fault's), or with why there is no way to it. */
export async function xendCall(
  openLink: OpenLink,
  method: string,
  params: readonly XmlRpcValue[] = [],
): Promise<XmlRpcValue> {
  const answer = await post(openLink, dumpCall(method, params))
  const head = /^HTTP\/1\.\d (\d{3}) ?([^\r\n]*)(?:\r?\n[^\r\n]+)*\r?\n\r?\n/.exec(answer)
  if (!head) throw new Error(NONSENSE)
  if (head[1] !== '200') throw new Error(`${NONSENSE}: ${head[1]} ${head[2]}`)
  let value: XmlRpcValue
  try {
    value = loadResponse(answer.slice(head[0].length))
  } catch (error) {
    throw new Error(wordsOf(error as Error))
  }
  return typeof value === 'string' ? evaluate(value) : value
}

/** What xm would print of a fault, behind its `Error: `. Byte strings are UTF-8 on the wire; people read text. */
function wordsOf(error: Error): string {
  const text = utf8Decode(bytesOfString(error.message))
  return error instanceof Fault && error.code === ERROR_INVALID_DOMAIN ? `Domain '${text}' does not exist.` : text
}

/** HTTP/1.0, as xm speaks it: the answer ends with the connection. A byte string. */
function post(openLink: OpenLink, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const link = openLink(XEND_SOCKET, {
      data(bytes, taken) {
        taken(bytes.length)
        answer += byteString(bytes)
        if (answer.length <= ANSWER_BYTES_MAX) return
        link.close()
        reject(new Error(NONSENSE))
      },
      end() {
        link.close()
        resolve(answer)
      },
      close: (reason) => reject(new Error(reason)),
    })
    const head = [
      'POST /RPC2 HTTP/1.0',
      `Host: ${XEND_SOCKET}`,
      'Content-Type: text/xml',
      `Content-Length: ${body.length}`,
    ]
    link.write(bytesOfString(`${head.join('\r\n')}\r\n\r\n${body}`))
  })
}

/** The method that xm's command of that name calls, and with what besides the domain. */
function callOf(act: DomainAct): readonly [method: string, ...rest: XmlRpcValue[]] {
  switch (act.kind) {
    case 'pause':
    case 'unpause':
    case 'destroy':
      return [`xend.domain.${act.kind}`]
    case 'shutdown':
      return ['xend.domain.shutdown', 'poweroff']
    case 'reboot':
      return ['xend.domain.shutdown', 'reboot']
    case 'mem-set':
      return ['xend.domain.setMemoryTarget', act.mib]
  }
}

/** Resolves when xend has answered: it has begun, as when `xm` comes back. */
export async function xendAct(openLink: OpenLink, act: DomainAct): Promise<void> {
  const [method, ...rest] = callOf(act)
  await xendCall(openLink, method, [byteString(utf8Encode(act.domain)), ...rest])
}

/** The command that does the same. */
export const xendCommand = (act: DomainAct): string =>
  ['xm', act.kind, quoted(act.domain), ...(act.kind === 'mem-set' ? [String(act.mib)] : [])].join(' ')

/** As a word of the shell's. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
