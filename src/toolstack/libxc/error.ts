/** libxc's errors (xenctrl.h, xc_private.c): an errno, and for what the library has words of its own, a class and a text. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { eprint } from '#user/libc/stdio.ts'

export const XC_ERROR_NONE = 0
export const XC_INTERNAL_ERROR = 1
export const XC_INVALID_KERNEL = 2
export const XC_INVALID_PARAM = 3
export const XC_OUT_OF_MEMORY = 4
export type XcErrorCode = 0 | 1 | 2 | 3 | 4

/** xc_error_code_to_desc. */
const DESCRIPTIONS = ['No error details', 'Internal error', 'Invalid kernel', 'Invalid configuration', 'Out of memory']

/** A string as Python 2 shows it inside a tuple. */
function pythonRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  let body = ''
  for (const letter of text) {
    const code = letter.charCodeAt(0)
    if (letter === quote || letter === '\\') body += `\\${letter}`
    else if (letter === '\n') body += '\\n'
    else if (letter === '\t') body += '\\t'
    else if (letter === '\r') body += '\\r'
    else if (code < 32 || code > 126) body += `\\x${code.toString(16).padStart(2, '0')}`
    else body += letter
  }
  return quote + body + quote
}

export class XcError extends OsError {
  readonly code: XcErrorCode
  /** xc_error.message; empty where the errno is all there is. */
  readonly text: string

  constructor(errno: number, code: XcErrorCode = XC_ERROR_NONE, text = '') {
    super(errno, 'libxc')
    this.code = code
    this.text = text
  }

  get description(): string {
    return DESCRIPTIONS[this.code]!
  }

  /** pyxc_error_to_exception: what xen.lowlevel.xc's exception holds. */
  get args(): readonly (number | string)[] {
    if (this.code === XC_ERROR_NONE) return [this.errno, strerror(this.errno)]
    return this.text === '' ? [this.code, this.description] : [this.code, this.description, this.text]
  }

  /** `(12, 'Cannot allocate memory')`: what str() makes of that exception. */
  get tuple(): string {
    return `(${this.args.map((one) => (typeof one === 'number' ? String(one) : pythonRepr(one))).join(', ')})`
  }
}

/** xc_set_error and the way out. The library is built with DEBUG: its default handler says so on standard error. */
export function* xcFail(errno: number, code: XcErrorCode, text: string): Sys<never> {
  yield* eprint(`ERROR ${DESCRIPTIONS[code]!}: ${text}\n`)
  throw new XcError(errno, code, text)
}

/** PERROR. */
export const withErrno = (text: string, errno: number): string => `${text} (${errno} = ${strerror(errno)})`
