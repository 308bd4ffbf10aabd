/** The image's entry: vmlinuz (ImageKind.kernel). Xen starts it on a virtual CPU. */
import type { GuestEntry } from '#abi/xen/guest.ts'
import { makeBlocks } from './block/make.ts'
import { CONSOLE_INITS, INITCALLS } from './init/initcalls.ts'
import { makeKernel } from './init/make-kernel.ts'
import { startKernel } from './init/start-kernel.ts'
import type { KernelParts } from './kernel.ts'
import { socketSyscalls } from './net/syscalls.ts'
import { makeProc } from './proc/make.ts'
import { makeVfs } from './vfs/make.ts'
import { fileSyscalls } from './vfs/syscalls.ts'

export const PARTS: KernelParts = {
  makeProc,
  makeVfs,
  makeBlocks,
  consoleInits: CONSOLE_INITS,
  initcalls: INITCALLS,
  syscalls: { ...fileSyscalls, ...socketSyscalls },
}

export const start: GuestEntry = (vcpu) => makeKernel(vcpu, PARTS, startKernel).code
