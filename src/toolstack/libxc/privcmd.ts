/**
 * tools/libxc/xc_linux.c and xc_private.c: the privileged command interface. What a hypercall points at lies in locked pages that the process
 * has mapped; a handle keeps a few of them. Children of fork share the memory and may use the handle too.
 */

import { type Mem, memOf } from '#abi/mem.ts'
import { EACCES } from '#abi/posix/errno.ts'
import { O_RDWR } from '#abi/posix/fcntl.ts'
import { MAP_ANONYMOUS, MAP_LOCKED, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '#abi/posix/mman.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import type { Struct, Values } from '#abi/struct.ts'
import { XEN_DOMCTL_INTERFACE_VERSION, XEN_DOMCTL_U, xen_domctl } from '#abi/xen/domctl.ts'
import { IOCTL_PRIVCMD_HYPERCALL, privcmd_hypercall } from '#abi/xen/sys/privcmd.ts'
import { XEN_SYSCTL_INTERFACE_VERSION, XEN_SYSCTL_U, xen_sysctl } from '#abi/xen/sysctl.ts'
import { PAGE_SIZE, unsignedVaddr, type Vaddr } from '#abi/xen/types.ts'
import { __HYPERVISOR_domctl, __HYPERVISOR_sysctl } from '#abi/xen/xen.ts'
import { OsError } from '#user/libc/errno.ts'
import { eprint } from '#user/libc/stdio.ts'
import { close, load, mmap, munmap, open, raw, store } from '#user/libc/syscall.ts'
import { withErrno, XC_INTERNAL_ERROR, XcError, xcFail } from './error.ts'

export interface XcHandle {
  readonly fd: number
  /** Locked pages that nobody uses at the moment. */
  readonly pages: Vaddr[]
  /** Whether the domain builder's log (dom/log.ts) has been opened. */
  builderLogged: boolean
}

/** xc_interface_open. */
export function* xcInterfaceOpen(): Sys<XcHandle> {
  try {
    return { fd: yield* open('/proc/xen/privcmd', O_RDWR, 0), pages: [], builderLogged: false }
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    const text = withErrno('Could not obtain handle on privileged command interface', error.errno)
    return yield* xcFail(error.errno, XC_INTERNAL_ERROR, text)
  }
}

export function* xcInterfaceClose(xc: XcHandle): Sys<void> {
  for (const page of xc.pages.splice(0)) yield* munmap(page, PAGE_SIZE)
  yield* close(xc.fd)
}

/** Fresh locked memory. */
export function* lockedMemory(bytes: number): Sys<Vaddr> {
  return yield* mmap(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0)
}

/** Let `use` have locked memory for `bytes` bytes, of no particular contents. */
export function* withMemory<T>(xc: XcHandle, bytes: number, use: (at: Vaddr) => Sys<T>): Sys<T> {
  const small = bytes <= PAGE_SIZE
  const at = (small ? xc.pages.pop() : undefined) ?? (yield* lockedMemory(small ? PAGE_SIZE : bytes))
  try {
    return yield* use(at)
  } finally {
    if (small) xc.pages.push(at)
    else yield* munmap(at, bytes)
  }
}

/** do_xen_hypercall. Addresses among the arguments are the process's. XcError for a negative result. */
export function* hypercall(xc: XcHandle, nr: number, ...args: readonly number[]): Sys<number> {
  const bytes = new Uint8Array(privcmd_hypercall.size)
  const word = (i: number): bigint => unsignedVaddr(args[i] ?? 0)
  privcmd_hypercall.write(memOf(bytes), 0, {
    op: BigInt(nr),
    arg0: word(0),
    arg1: word(1),
    arg2: word(2),
    arg3: word(3),
    arg4: word(4),
  })
  const result = yield* raw(SYSCALL_NR.ioctl, xc.fd, IOCTL_PRIVCMD_HYPERCALL, bytes)
  if (typeof result !== 'number') return 0
  if (result < 0) throw new XcError(-result)
  return result
}

/** What a command struct of `size` bytes holds, as memory. */
export type Filler = (mem: Mem) => void

/** Copy the struct in, make the hypercall on it, copy it out. */
function* command(xc: XcHandle, nr: number, what: string, size: number, fill: Filler): Sys<Mem> {
  const bytes = new Uint8Array(size)
  fill(memOf(bytes))
  return yield* withMemory(xc, size, function* (at) {
    yield* store(at, bytes)
    try {
      yield* hypercall(xc, nr, at)
    } catch (error) {
      if (error instanceof XcError && error.errno === EACCES)
        yield* eprint(`${what} operation failed -- need to rebuild the user-space tool set?\n`)
      throw error
    }
    return memOf(yield* load(at, size))
  })
}

// biome-ignore lint/suspicious/noExplicitAny: whichever fields it has
type AnyStruct = Struct<any>

/** do_domctl: command `cmd` about `domain`, with `values` in the command's own struct. The result has the struct as Xen left it at XEN_DOMCTL_U. */
export function domctl<S extends AnyStruct>(
  xc: XcHandle,
  cmd: number,
  domain: number,
  own?: S,
  values?: Partial<Values<S>>,
): Sys<Mem> {
  return command(xc, __HYPERVISOR_domctl, 'domctl', xen_domctl.size, (mem) => {
    xen_domctl.write(mem, 0, { cmd, interface_version: XEN_DOMCTL_INTERFACE_VERSION, domain })
    if (own && values) own.write(mem, XEN_DOMCTL_U, values)
  })
}

/** do_sysctl; the command's own struct as Xen left it. */
export function* sysctl<S extends AnyStruct>(
  xc: XcHandle,
  cmd: number,
  own: S,
  values: Partial<Values<S>>,
): Sys<Values<S>> {
  const mem = yield* command(xc, __HYPERVISOR_sysctl, 'sysctl', xen_sysctl.size, (at) => {
    xen_sysctl.write(at, 0, { cmd, interface_version: XEN_SYSCTL_INTERFACE_VERSION })
    own.write(at, XEN_SYSCTL_U, values)
  })
  return own.read(mem, XEN_SYSCTL_U) as Values<S>
}
