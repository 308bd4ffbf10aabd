/** For tests of machine-code guests: a dom0 that sleeps and does by hypercall what it is asked to, on a host whose other domains are machine code. */
import type { LoadedCode, LoadRefusal } from '#abi/pc/metal.ts'
import type { VcpuExit } from '#abi/xen/guest.ts'
import { sendPort } from '#xen/common/event-channel.ts'
import { now } from '#xen/xen.ts'
import { kernelFile, loaded } from '../xen-guest.ts'
import { TestHost, type TestHostOptions } from '../xen-host.ts'
import { type ScriptGuest, script } from '../xen-script.ts'

/** It looks so often for something to do. */
const NAP_NS = 1_000_000
const PATIENCE_NS = 5e9

export class X86Host {
  readonly host: TestHost
  readonly #jobs: ((dom0: ScriptGuest) => void)[] = []

  constructor(options: Omit<TestHostOptions, 'modules' | 'load'> = {}) {
    let isDom0 = true
    const dom0: LoadedCode = loaded(script((dom0) => this.#serve(dom0)))
    const nothing: LoadRefusal = { ok: false, isImage: false, why: 'no image header there' }
    this.host = new TestHost({
      ...options,
      cmdline: `/boot/xen.gz com1=115200,8n1 console=com1 dom0_mem=65536 loglvl=all guest_loglvl=all ${options.cmdline ?? ''}`,
      modules: [{ bytes: kernelFile() }],
      // dom0's kernel is the first that is entered.
      load: () => {
        const found = isDom0 ? dom0 : nothing
        isDom0 = false
        return found
      },
    })
    this.host.boot()
    this.host.expect('init memory.')
  }

  *#serve(dom0: ScriptGuest): Generator<VcpuExit, void, number> {
    for (;;) {
      this.#jobs.shift()?.(dom0)
      yield dom0.poll([], now(this.host.xen) + NAP_NS)
    }
  }

  /** What dom0 gets by doing `body`. */
  ask<T>(body: (dom0: ScriptGuest) => T): T {
    let answer: { readonly value: T } | { readonly thrown: unknown } | undefined
    this.#jobs.push((dom0) => {
      try {
        answer = { value: body(dom0) }
      } catch (thrown) {
        answer = { thrown }
      }
    })
    this.host.runUntil(() => answer !== undefined, PATIENCE_NS)
    if (!answer) throw new Error(`dom0 does not answer:\n${this.host.serial.slice(-2000)}`)
    if ('thrown' in answer) throw answer.thrown
    return answer.value
  }

  /** dom0 notifies the other end of a port of its own. */
  notify(port: number): void {
    this.host.inXen((xen) => sendPort(xen, xen.domains.get(0)!, port))
  }
}
