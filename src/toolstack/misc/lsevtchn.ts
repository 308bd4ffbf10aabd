/** lsevtchn (tools/xcutils/lsevtchn.c): the event channels of a domain. */
import { program } from '#user/libc/program.ts'
import { eprint, Out, STDOUT } from '#user/libc/stdio.ts'
import { XcError } from '../libxc/error.ts'
import { xcEvtchnStatus } from '../libxc/evtchn.ts'
import { xcInterfaceOpen } from '../libxc/privcmd.ts'

/** By EVTCHNSTAT_*. */
const TEXTS = [
  'Channel is not in use.',
  'Channel is waiting interdom connection.',
  'Channel is connected to remote domain.',
  'Channel is bound to a phys IRQ line.',
  'Channel is bound to a virtual IRQ line.',
  'Channel is bound to a virtual IPI line.',
]

export const lsevtchn = program({
  name: 'lsevtchn',
  usage: 'lsevtchn [DOMID]',
  help: 'List the event channels of domain DOMID, or of domain 0.',
  *main(argv) {
    const domid = Number.parseInt(argv[1] ?? '0', 10) || 0
    const out = new Out(STDOUT)
    try {
      const xc = yield* xcInterfaceOpen()
      for (let port = 0; ; port++) {
        try {
          const status = yield* xcEvtchnStatus(xc, domid, port)
          yield* out.line(`${String(port).padStart(3, '0')}: ${status}: ${TEXTS[status] ?? 'Unknown.'}`)
        } catch (error) {
          if (error instanceof XcError) break
          throw error
        }
      }
    } catch (error) {
      if (!(error instanceof XcError)) throw error
      yield* eprint(`${argv[0] ?? 'lsevtchn'}: failed to open control interface\n`)
      return 1
    }
    yield* out.flush()
    return 0
  },
})
