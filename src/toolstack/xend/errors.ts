/** xen.xend.XendError: what goes to the client as a fault, and libxc's exceptions as xend shows them. */

import { Fault } from '#lib/xmlrpc/values.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { XcError } from '../libxc/error.ts'
import { ERROR_GENERIC, ERROR_INVALID_DOMAIN } from '../xmlrpc/client.ts'

export class XendError extends Fault {
  constructor(text: string) {
    super(ERROR_GENERIC, text)
  }
}

/** A domain that cannot be made, or a device of it. */
export class VmError extends XendError {}

export class XendConfigError extends VmError {
  constructor(text: string) {
    super(`Invalid Configuration: ${text}`)
  }
}

export class XendInvalidDomain extends Fault {
  constructor(domain: string) {
    super(ERROR_INVALID_DOMAIN, domain)
  }
}

/** str() of whatever was thrown: libxc's and xenstore's errors are tuples in Python. */
export function exceptionText(error: unknown): string {
  if (error instanceof XcError) return error.tuple
  if (error instanceof OsError) return `(${error.errno}, '${strerror(error.errno)}')`
  return error instanceof Error ? error.message : String(error)
}
