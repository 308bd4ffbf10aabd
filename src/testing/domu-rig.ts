/** For tests: a kernel that is not the first domain's, on the fake hypervisor, with a store and a console daemon in the test at the other ends of its rings. */
import { XENCONS_IN_SIZE, XENCONS_OUT_SIZE, xencons_interface } from '#abi/xen/io/console.ts'
import { startKernel } from '#kernel/init/start-kernel.ts'
import type { Initcall, Kernel, ProcFile } from '#kernel/kernel.ts'
import { PARTS } from '#kernel/main.ts'
import type { Proc } from '#kernel/proc/make.ts'
import { StaticDir, type SynthNode } from '#kernel/proc/synth.ts'
import type { Sleeping } from '#kernel/sched/wait.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { type KernelRig, kernelRig, type RigOptions } from './kernel-rig.ts'
import { TinyXenstored } from './tiny-xenstored.ts'

const { in: input, out, in_cons, in_prod, out_cons, out_prod } = xencons_interface.fields

export interface DomUParts {
  readonly store: TinyXenstored
  readonly console: FakeConsole
}

/** xenconsoled's side of the ring. */
export class FakeConsole {
  text = ''
  /** False: nobody reads. */
  reads = true
  readonly #rig: KernelRig
  #input = ''

  constructor(rig: KernelRig) {
    this.#rig = rig
    rig.xen.onSend(rig.xen.console.port, () => this.serve())
  }

  serve(): void {
    const { memory, console } = this.#rig.xen
    const page = console.at
    if (this.reads)
      while (out_cons.get(memory, page) !== out_prod.get(memory, page)) {
        const cons = out_cons.get(memory, page)
        this.text += byteString(memory.copyOut(page + out.offset + (cons % XENCONS_OUT_SIZE), 1))
        out_cons.set(memory, page, (cons + 1) >>> 0)
      }
    while (this.#input !== '' && in_prod.get(memory, page) - in_cons.get(memory, page) < XENCONS_IN_SIZE) {
      const prod = in_prod.get(memory, page)
      memory.copyIn(page + input.offset + (prod % XENCONS_IN_SIZE), bytesOfString(this.#input[0]!))
      in_prod.set(memory, page, (prod + 1) >>> 0)
      this.#input = this.#input.slice(1)
    }
    this.#rig.xen.raise(console.port)
  }

  type(text: string): void {
    this.#input += text
    this.serve()
  }

  /** Without carriage returns. */
  get shown(): string {
    return this.text.replaceAll('\r', '')
  }
}

/** Put both daemons behind the rig's rings. */
export function domUParts(rig: KernelRig, keys: Readonly<Record<string, string>> = {}): DomUParts {
  const { xen } = rig
  const store = new TinyXenstored(xen.memory, xen.store.at, () => xen.raise(xen.store.port))
  for (const [path, value] of Object.entries(keys)) store.set(path, value)
  xen.onSend(xen.store.port, () => store.serve())
  return { store, console: new FakeConsole(rig) }
}

/** Started, not yet run. */
export function domURig(options: RigOptions = {}, keys: Readonly<Record<string, string>> = {}): KernelRig & DomUParts {
  const rig = kernelRig({
    cmdline: 'root=/dev/sda1 ro',
    parts: PARTS,
    boot: startKernel,
    domU: true,
    ...options,
  })
  return Object.assign(rig, domUParts(rig, keys))
}

/** A file of /proc as its maker registered it. */
export function procFile(rig: KernelRig, path: string): ProcFile {
  let node: SynthNode | undefined = (rig.kernel.proc as Proc).root
  for (const name of path.split('/')) node = node instanceof StaticDir ? node.nodes.get(name) : undefined
  if (node?.kind !== 'file') throw new Error(`no ${path}`)
  return node
}

/** Booted as far as its initcalls up to `last`; the init thread goes no further. */
export function bareDomU(
  last: Initcall,
  keys: Readonly<Record<string, string>> = {},
  options: RigOptions = {},
): KernelRig & DomUParts {
  const initcalls = [...PARTS.initcalls.slice(0, PARTS.initcalls.indexOf(last) + 1), stay]
  const rig = domURig({ parts: { ...PARTS, initcalls }, ...options }, keys)
  rig.settle()
  return rig
}

function* stay({ sched }: Kernel): Sleeping<void> {
  for (;;) yield* sched.sleepOn([])
}
