/** event_channel_op (32): binding, closing and sending (xen/common/event_channel.c). */
import type { Values } from '#abi/struct.ts'
import { EEXIST, EINVAL, ENOENT, EPERM, ESRCH } from '#abi/xen/errno.ts'
import {
  BIND_PIRQ__WILL_SHARE,
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_interdomain,
  EVTCHNOP_bind_ipi,
  EVTCHNOP_bind_pirq,
  EVTCHNOP_bind_vcpu,
  EVTCHNOP_bind_virq,
  EVTCHNOP_close,
  EVTCHNOP_reset,
  EVTCHNOP_send,
  EVTCHNOP_status,
  EVTCHNOP_unmask,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_ipi,
  evtchn_bind_pirq,
  evtchn_bind_vcpu,
  evtchn_bind_virq,
  evtchn_close,
  evtchn_reset,
  evtchn_send,
  evtchn_status,
  evtchn_unmask,
} from '#abi/xen/event_channel.ts'
import { DOMID_SELF, NR_VIRQS } from '#abi/xen/xen.ts'
import { pirqGuestBind, pirqGuestUnbind } from '../arch-x86/irq.ts'
import { type Domain, NR_IRQS, privilegedFor } from '../common/domain.ts'
import {
  clearPending,
  type EventPort,
  getFreePort,
  notifyPort,
  PORT_STATUS,
  sendPort,
  unmask,
  virqIsGlobal,
} from '../common/event-channel.ts'
import { guestLog } from '../common/guest-log.ts'
import { tracePort } from '../common/tracer.ts'
import { XENLOG_WARNING } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import { type Call, op, opIn, opTable } from './op-table.ts'

export const eventChannelOp = opTable({
  [EVTCHNOP_bind_interdomain]: op(evtchn_bind_interdomain, bindInterdomain),
  [EVTCHNOP_bind_virq]: op(evtchn_bind_virq, bindVirq),
  [EVTCHNOP_bind_pirq]: op(evtchn_bind_pirq, bindPirq),
  [EVTCHNOP_close]: opIn(evtchn_close, ({ xen, caller }, { port }) => closePort(xen, caller, port)),
  [EVTCHNOP_send]: opIn(evtchn_send, ({ xen, caller }, { port }) => sendPort(xen, caller, port)),
  [EVTCHNOP_status]: op(evtchn_status, status),
  [EVTCHNOP_alloc_unbound]: op(evtchn_alloc_unbound, allocUnbound),
  [EVTCHNOP_bind_ipi]: op(evtchn_bind_ipi, bindIpi),
  [EVTCHNOP_bind_vcpu]: opIn(evtchn_bind_vcpu, bindVcpu),
  [EVTCHNOP_unmask]: opIn(evtchn_unmask, unmaskPort),
  [EVTCHNOP_reset]: opIn(evtchn_reset, reset),
})

/** The domain that a privileged caller may name, or the caller itself. A negative errno where it may not. */
function named({ xen, caller }: Call, dom: number): Domain | number {
  if (dom === DOMID_SELF) return caller
  const domain = xen.domains.get(dom)
  if (!domain) return -ESRCH
  return privilegedFor(caller, domain) ? domain : -EPERM
}

/** ERROR_EXIT, ERROR_EXIT_DOM */
function failed(xen: Xen, line: number, error: number, domain?: Domain): number {
  const whose = domain ? `domain ${domain.id}, ` : ''
  guestLog(xen, XENLOG_WARNING, `event_channel.c:${line}`, `EVTCHNOP failure: ${whose}error ${error}`)
  return error
}

const freshPort = (domain: Domain, port: number, state: EventPort['state'], notifyVcpu = 0): EventPort =>
  Object.assign(domain.ports[port]!, { state, notifyVcpu })

/** Open a port in `dom` that `remote_dom` may bind to. Only a privileged caller may name another domain. */
function allocUnbound(call: Call, arg: Values<typeof evtchn_alloc_unbound>): number {
  const domain = named(call, arg.dom)
  if (typeof domain === 'number') return domain
  const port = getFreePort(domain)
  if (port < 0) return failed(call.xen, 149, port, domain)
  freshPort(domain, port, 'unbound').remoteDom = arg.remote_dom === DOMID_SELF ? call.caller.id : arg.remote_dom
  tracePort(call.xen, domain, port)
  arg.port = port
  return 0
}

function bindInterdomain({ xen, caller }: Call, arg: Values<typeof evtchn_bind_interdomain>): number {
  const remote = xen.domains.get(arg.remote_dom === DOMID_SELF ? caller.id : arg.remote_dom)
  if (!remote) return -ESRCH
  const local = getFreePort(caller)
  if (local < 0) return failed(xen, 198, local)
  const far = remote.ports[arg.remote_port]
  if (!far) return failed(xen, 202, -EINVAL, remote)
  if (far.state !== 'unbound' || far.remoteDom !== caller.id) return failed(xen, 206, -EINVAL, remote)
  const near = freshPort(caller, local, 'interdomain')
  near.remoteDom = remote.id
  near.remotePort = arg.remote_port
  far.state = 'interdomain'
  far.remoteDom = caller.id
  far.remotePort = local
  tracePort(xen, caller, local)
  tracePort(xen, remote, arg.remote_port)
  // What was sent while the far end was unbound is lost: one notice makes up for it.
  notifyPort(xen, caller, local)
  arg.local_port = local
  return 0
}

function bindVirq({ xen, caller }: Call, arg: Values<typeof evtchn_bind_virq>): number {
  const { virq } = arg
  if (virq >= NR_VIRQS) return -EINVAL
  if (virqIsGlobal(virq) && arg.vcpu !== 0) return -EINVAL
  const vcpu = caller.vcpus[arg.vcpu]
  if (!vcpu) return -ENOENT
  if (vcpu.virqPorts[virq] !== 0) return failed(xen, 260, -EEXIST)
  const port = getFreePort(caller)
  if (port < 0) return failed(xen, 263, port)
  freshPort(caller, port, 'virq', arg.vcpu).irq = virq
  tracePort(xen, caller, port)
  vcpu.virqPorts[virq] = port
  arg.port = port
  return 0
}

function bindIpi({ xen, caller }: Call, arg: Values<typeof evtchn_bind_ipi>): number {
  if (!caller.vcpus[arg.vcpu]) return -ENOENT
  const port = getFreePort(caller)
  if (port < 0) return failed(xen, 293, port)
  freshPort(caller, port, 'ipi', arg.vcpu)
  tracePort(xen, caller, port)
  arg.port = port
  return 0
}

function bindPirq({ xen, caller }: Call, arg: Values<typeof evtchn_bind_pirq>): number {
  const { pirq } = arg
  if (pirq >= NR_IRQS) return -EINVAL
  if (!caller.irqCaps.contains(pirq, pirq)) return -EPERM
  if (caller.pirqPorts[pirq] !== 0) return failed(xen, 324, -EEXIST)
  const port = getFreePort(caller)
  if (port < 0) return failed(xen, 327, port)
  caller.pirqPorts[pirq] = port
  const bound = pirqGuestBind(xen, caller, pirq, (arg.flags & BIND_PIRQ__WILL_SHARE) !== 0)
  if (bound !== 0) {
    caller.pirqPorts[pirq] = 0
    return bound
  }
  freshPort(caller, port, 'pirq').irq = pirq
  tracePort(xen, caller, port)
  arg.port = port
  return 0
}

/** __evtchn_close */
export function closePort(xen: Xen, domain: Domain, port: number): number {
  const channel = domain.ports[port]
  if (!channel) return -EINVAL
  switch (channel.state) {
    case 'free':
    case 'reserved':
      return -EINVAL
    case 'pirq':
      pirqGuestUnbind(xen, domain, channel.irq)
      domain.pirqPorts[channel.irq] = 0
      break
    case 'virq':
      for (const vcpu of domain.vcpus) if (vcpu?.virqPorts[channel.irq] === port) vcpu.virqPorts[channel.irq] = 0
      break
    case 'interdomain': {
      // The other end waits for this domain again.
      const remote = xen.domains.get(channel.remoteDom)!
      const far = remote.ports[channel.remotePort]!
      far.state = 'unbound'
      far.remoteDom = domain.id
      tracePort(xen, remote, channel.remotePort)
      break
    }
  }
  // Or whoever gets the port next would begin with an event.
  clearPending(xen, domain, port)
  channel.state = 'free'
  tracePort(xen, domain, port)
  channel.notifyVcpu = 0
  if (port < domain.firstFreePort) domain.firstFreePort = port
  return 0
}

function status(call: Call, arg: Values<typeof evtchn_status>): number {
  const domain = named(call, arg.dom)
  if (typeof domain === 'number') return domain
  const channel = domain.ports[arg.port]
  if (!channel) return -EINVAL
  arg.status = PORT_STATUS[channel.state]
  // u.unbound.dom and u.interdomain.dom are halves of the word.
  if (channel.state === 'unbound' || channel.state === 'interdomain')
    arg.u = ((arg.u & 0xffff0000) | channel.remoteDom) >>> 0
  if (channel.state === 'interdomain') arg.u_port = channel.remotePort
  if (channel.state === 'pirq' || channel.state === 'virq') arg.u = channel.irq
  arg.vcpu = channel.notifyVcpu
  return 0
}

function bindVcpu({ caller }: Call, arg: Values<typeof evtchn_bind_vcpu>): number {
  if (!caller.vcpus[arg.vcpu]) return -ENOENT
  const channel = caller.ports[arg.port]
  switch (channel?.state) {
    case 'virq':
      if (!virqIsGlobal(channel.irq)) return -EINVAL
      break
    case 'unbound':
    case 'interdomain':
    case 'pirq':
      break
    default:
      return -EINVAL
  }
  channel.notifyVcpu = arg.vcpu
  return 0
}

function unmaskPort({ xen, caller }: Call, { port }: Values<typeof evtchn_unmask>): number {
  if (!caller.ports[port]) return -EINVAL
  unmask(xen, caller, port)
  return 0
}

function reset(call: Call, { dom }: Values<typeof evtchn_reset>): number {
  const domain = named(call, dom)
  if (typeof domain === 'number') return domain
  for (let port = 0; port < domain.ports.length; port++) closePort(call.xen, domain, port)
  return 0
}
