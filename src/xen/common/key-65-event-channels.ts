/** Key e, which 3.4 has: every port of every domain (event_channel.c, dump_evtchn_info). */
import { is34 } from '../config.ts'
import { printk, type Xen } from '../xen.ts'
import type { Domain } from './domain.ts'
import { type EventPort, isMasked, isPending, type PortState } from './event-channel.ts'
import type { Keyhandler } from './keyhandler.ts'
import { hex } from './lib.ts'

/** ECS_FREE and so on, in 3.4's order. */
const STATES: readonly PortState[] = ['free', 'reserved', 'unbound', 'interdomain', 'pirq', 'virq', 'ipi']

const BOUND_TO: Partial<Record<PortState, (port: EventPort) => string>> = {
  unbound: ({ remoteDom }) => ` d=${remoteDom}`,
  interdomain: ({ remoteDom, remotePort }) => ` d=${remoteDom} p=${remotePort}`,
  pirq: ({ irq }) => ` p=${irq}`,
  virq: ({ irq }) => ` v=${irq}`,
}

export const keyEventChannels: Keyhandler = {
  key: 'e',
  help: 'dump evtchn info',
  present: is34,
  run(xen, key) {
    printk(xen, `'${key}' pressed -> dumping event-channel info\n`)
    for (const domain of xen.domains.values()) dump(xen, domain)
    return undefined
  },
}

function dump(xen: Xen, domain: Domain): void {
  const { id, ports, vcpus } = domain
  const polling = vcpus.reduce((mask, vcpu) => (vcpu?.polling ? mask | (1n << BigInt(vcpu.id)) : mask), 0n)
  printk(xen, `Domain ${id} polling vCPUs: ${hex(polling, 8)}\n`)
  printk(xen, `Event channel information for domain ${id}:\n`)
  for (const [i, port] of ports.entries()) {
    if (i === 0 || port.state === 'free') continue
    const bit = (set: boolean): number => (set ? 1 : 0)
    // No port of a guest's is Xen's own here: that is what x says.
    printk(
      xen,
      `    ${String(i).padStart(4)}[${bit(isPending(xen, domain, i))}/${bit(isMasked(xen, domain, i))}]: ` +
        `s=${STATES.indexOf(port.state)} n=${port.notifyVcpu}${BOUND_TO[port.state]?.(port) ?? ''} x=0\n`,
    )
  }
}
