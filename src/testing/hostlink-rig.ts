/** For tests: a host link's outer end, the chip, the driver, and a system below them to serve it: everything of a link's way but Xen. */
import type { Mem } from '#abi/mem.ts'
import * as hl from '#abi/pc/hostlink.ts'
import type { PortIo } from '#abi/pc/metal.ts'
import { O_RDWR } from '#abi/posix/fcntl.ts'
import { makedev, S_IFCHR } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { hostlinkInit } from '#kernel/drivers/hostlink/hostlink.ts'
import { miscInit } from '#kernel/drivers/misc/misc.ts'
import { registerPtys } from '#kernel/tty/pty.ts'
import { type Hostlink, hostlink } from '#machine/devices/hostlink/hostlink.ts'
import { HostLinks } from '#protocol/links.ts'
import { serve } from '#toolstack/hostlinkd/hostlinkd.ts'
import * as c from '#user/libc/syscall.ts'
import { type KernelRig, kernelRig, rootOf } from './kernel-rig.ts'
import { inProcess, vfsParts } from './vfs-rig.ts'

export const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
export const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
/** The fake hypervisor's first machine frame. */
const FIRST_MFN = 0x1000

function* ptyInit(kernel: KernelRig['kernel']): Generator<never, void> {
  registerPtys(kernel)
}

export interface Outside {
  readonly rig: KernelRig
  readonly chip: Hostlink
  readonly links: HostLinks
  readonly traced: string[]
  /** Open a link, and say what happens to it. */
  open(to: string): {
    readonly log: string[]
    readonly write: (text: string) => boolean
    readonly end: () => void
    readonly close: () => void
    /** Bytes that came, and that somebody has taken. */
    readonly got: () => number
    takeAll: boolean
  }
}

export function outside(): Outside {
  let chip: Hostlink | undefined
  const io: PortIo = {
    in8: () => 0xff,
    in16: () => 0xffff,
    in32: (port) => chip!.read(port - hl.HOSTLINK_BASE, 4),
    out8() {},
    out16() {},
    out32: (port, value) => chip!.write(port - hl.HOSTLINK_BASE, 4, value),
  }
  const parts = vfsParts()
  const rig = kernelRig({
    pages: 8192,
    io,
    parts: { ...parts, initcalls: [...parts.initcalls!, miscInit, ptyInit, hostlinkInit] },
  })
  const va = (maddr: number): number =>
    rig.kernel.pages.va((Math.floor(maddr / PAGE_SIZE) - FIRST_MFN) as never) + (maddr % PAGE_SIZE)
  const dma = {
    copyOut: (at: number, length: number) => rig.kernel.mem.copyOut(va(at), length),
    copyIn: (at: number, bytes: Uint8Array) => rig.kernel.mem.copyIn(va(at), bytes),
    read16: (at: number) => rig.kernel.mem.read16(va(at)),
  } as unknown as Mem
  const traced: string[] = []
  const links = new HostLinks((input) => {
    if (input.kind === 'link') chip!.receive(input.link, structuredClone(input.event))
  })
  chip = hostlink({
    irq: (high) => high && rig.xen.raisePirq(hl.HOSTLINK_IRQ),
    mem: dma,
    output: (id, output) => links.receive(id, output),
    trace: (bytes) => traced.push(text(bytes)),
  })
  rig.root = rig.run(function* (kernel) {
    return rootOf(yield* kernel.vfs.mountRoot('none', ['tmpfs'], 0))
  })
  inProcess(rig, function* () {
    yield* c.mkdir('/dev', 0o755)
    yield* c.mknod('/dev/hostlink', S_IFCHR | 0o600, makedev(10, 240))
    yield* c.mknod('/dev/hostlink-trace', S_IFCHR | 0o600, makedev(10, 241))
    yield* c.mknod('/dev/ptmx', S_IFCHR | 0o666, makedev(5, 2))
    yield* c.mkdir('/dev/pts', 0o755)
    yield* c.mount('devpts', '/dev/pts', 'devpts', 0, '')
  })
  return {
    rig,
    chip,
    links,
    traced,
    open(to) {
      const log: string[] = []
      let got = 0
      const end = {
        takeAll: true,
        log,
        got: () => got,
        write: (more: string) => link.write(bytesOf(more)),
        end: () => link.end(),
        close: () => link.close(),
      }
      const link = links.open(to, {
        data(bytes, taken) {
          got += bytes.length
          if (bytes.length < 100 || bytes.includes(10)) log.push(text(bytes))
          if (end.takeAll) taken(bytes.length)
        },
        end: () => log.push('<end>'),
        close: (reason) => log.push(`<close ${reason}>`),
        drain: () => log.push('<drain>'),
      })
      return end
    },
  }
}

/** A process that others go on after. */
export function background(rig: KernelRig, body: () => Sys<number>): void {
  rig.process(function* () {
    yield* c.fork(body)
    return 0
  })
  rig.settle()
}

export const daemon = (rig: KernelRig): void =>
  background(rig, function* () {
    yield* serve(yield* c.open('/dev/hostlink', O_RDWR, 0))
    return 0
  })
