/** xen.xend.uuid: sixteen random bytes, written like a DCE UUID. They are the domain's handle in the hypervisor, too. */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { close, open, read } from '#user/libc/syscall.ts'
import { XendConfigError } from './errors.ts'

export function uuidToString(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}

/** Hyphens may stand anywhere. */
export function uuidFromString(text: string): Uint8Array {
  const hex = text.replace(/-/g, '')
  if (!/^[0-9a-fA-F]{32}/.test(hex)) throw new XendConfigError(`invalid uuid: ${text}`)
  return Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}

export function* createUuid(): Sys<string> {
  const fd = yield* open('/dev/urandom', O_RDONLY, 0)
  const bytes = yield* read(fd, 16)
  yield* close(fd)
  return uuidToString(bytes)
}
