/** A domain that stops by itself (XendDomainInfo's refreshShutdown and its restart functions). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { floatStr } from '#lib/xmlrpc/float.ts'
import type { XcDominfo } from '../libxc/domain.ts'
import { now } from './clock.ts'
import {
  LAST_SHUTDOWN_REASON,
  MINIMUM_RESTART_TIME,
  RESTART_IN_PROGRESS,
  SHUTDOWN_REASONS,
  SHUTDOWN_TIMEOUT,
  XS_VMROOT,
} from './constants.ts'
import type { DomainInfo } from './domain-info.ts'
import { domGet } from './hypervisor.ts'
import { listRecursive, type Tree } from './store.ts'
import { storeVmDetails } from './store-details.ts'
import { createUuid } from './uuid.ts'
import { copyConfig, type VmConfig } from './vm-config.ts'

/** What it stopped for, if something is to be done about that. */
type Reason = 'poweroff' | 'reboot' | 'crash'

/** Look whether the domain has shut down, and do what its configuration says. */
export function* refreshShutdown(vm: DomainInfo, known?: XcDominfo): Sys<void> {
  const { threads } = vm.xend
  if (vm.domid === undefined) return
  const reason = yield* threads.locked(vm.refreshLock, () => refresh(vm, known))
  if (reason) threads.start(`restart ${vm.name}`, maybeRestart(vm, reason))
}

function* refresh(vm: DomainInfo, known: XcDominfo | undefined): Sys<Reason | undefined> {
  const { xend, domid } = vm
  // Somebody else was first, or is at it.
  if (domid === undefined || vm.ending) return undefined
  const info = known ?? (yield* domGet(xend.xc, domid))
  // Destroyed behind xend's back, or dying because somebody still holds its pages: xend shall not be the one.
  if (!info || info.dying) {
    yield* vm.cleanupDomain()
    return undefined
  }
  // Seen already, and preserved for a look at it.
  if ((info.crashed || info.shutdown) && (yield* vm.readDom('xend/shutdown_completed')) !== undefined) return undefined
  if (info.crashed) {
    yield* xend.log.warn('XendDomainInfo:1616', `Domain has crashed: name=${vm.name} id=${domid}.`)
    yield* vm.writeVm(LAST_SHUTDOWN_REASON, 'crash')
    vm.ending = true
    return 'crash'
  }
  if (info.shutdown) {
    const reason = SHUTDOWN_REASONS[info.shutdownReason] ?? '?'
    const text = `Domain has shutdown: name=${vm.name} id=${domid} reason=${reason}.`
    yield* xend.log.info('XendDomainInfo:1633', text)
    yield* vm.writeVm(LAST_SHUTDOWN_REASON, reason)
    yield* xend.store.rm(`${vm.dompath}/xend/shutdown_start_time`)
    if (reason === 'suspend') yield* vm.unwatchVm()
    else if (reason === 'poweroff' || reason === 'reboot') {
      vm.ending = true
      return reason
    } else yield* vm.destroy()
    return undefined
  }
  if (vm.shutdownStartTime !== undefined) {
    const late = (yield* now()) - vm.shutdownStartTime > SHUTDOWN_TIMEOUT
    if (late && (yield* vm.readDom('xend/unresponsive')) === undefined) {
      const text = `Domain shutdown timeout expired: name=${vm.name} id=${domid}`
      yield* xend.log.info('XendDomainInfo:1668', text)
      yield* vm.writeDom('xend/unresponsive', 'True')
    }
  }
  return undefined
}

function* maybeRestart(vm: DomainInfo, reason: Reason): Sys<void> {
  const { config } = vm
  const action = { poweroff: config.onPoweroff, reboot: config.onReboot, crash: config.onCrash }[reason]
  if (reason === 'crash' && (vm.xend.options.enableDump || action.startsWith('coredump-'))) {
    // A known gap: libxc's xc_domain_dumpcore is not there.
    const text = `XendDomainInfo.dumpCore failed: id = ${vm.domid} name = ${vm.name}`
    yield* vm.xend.log.error('XendDomainInfo:1860', text)
  }
  if (action === 'restart' || action === 'coredump-restart') yield* restart(vm, false)
  else if (action === 'rename-restart') yield* restart(vm, true)
  else if (action === 'preserve') yield* preserve(vm)
  else yield* vm.destroy()
}

/** A new domain takes the old one's place; the old one is destroyed, or preserved under a new name. */
function* restart(vm: DomainInfo, rename: boolean): Sys<void> {
  const { xend, domid } = vm
  if ((yield* vm.readVm(RESTART_IN_PROGRESS)) !== undefined) {
    const text = `Xend failed during restart of domain ${domid}.  Refusing to restart to avoid loops.`
    yield* xend.log.error('XendDomainInfo:1737', text)
    return yield* vm.destroy()
  }
  yield* vm.writeVm(RESTART_IN_PROGRESS, 'True')
  const time = yield* now()
  const last = yield* vm.readVm('xend/previous_restart_time')
  const seconds = time - Number(last ?? Number.NEGATIVE_INFINITY)
  if (seconds < MINIMUM_RESTART_TIME) {
    const text = `VM ${vm.name} restarting too fast (${seconds.toFixed(6)} seconds since the last restart).  Refusing to restart to avoid loops.`
    yield* xend.log.error('XendDomainInfo:1752', text)
    return yield* vm.destroy()
  }
  yield* vm.writeVm('xend/previous_restart_time', floatStr(time))
  const before = yield* listRecursive(xend.store, `${vm.vmpath}/xend`)
  try {
    let config: VmConfig
    if (rename) config = yield* preserveForRestart(vm)
    else {
      config = copyConfig(vm.config)
      yield* vm.destroy()
    }
    yield* startAgain(vm, config, before, true)
  } catch (error) {
    yield* xend.log.exception('XendDomainInfo:1796', `Failed to restart domain ${domid}.`, error)
  }
}

/** A new domain with the old one's bookkeeping; `count` if it is a restart. */
function* startAgain({ xend }: DomainInfo, config: VmConfig, before: Tree, count: boolean): Sys<void> {
  const vm = yield* xend.domains.createFromConfig(config)
  try {
    for (const entry of before) yield* vm.writeVm(`xend/${entry[0]}`, String(entry[1]))
    yield* vm.waitForDevices()
    yield* vm.unpause()
    if (!count) return
    yield* vm.writeVm('xend/restart_count', String(Number((yield* vm.readVm('xend/restart_count')) ?? 0) + 1))
    yield* vm.removeVm(RESTART_IN_PROGRESS)
  } catch (error) {
    yield* vm.destroy()
    throw error
  }
}

/** `xm reset`: destroyed, and made again. What goes wrong then is only in the log. */
export function* resetDomain(vm: DomainInfo): Sys<void> {
  const { xend, domid } = vm
  yield* xend.log.debug('XendDomainInfo:2428', `XendDomainInfo.resetDomain(${domid})`)
  const before = yield* listRecursive(xend.store, `${vm.vmpath}/xend`)
  const config = copyConfig(vm.config)
  yield* vm.destroy()
  try {
    yield* startAgain(vm, config, before, false)
  } catch (error) {
    yield* xend.log.exception('XendDomainInfo:2452', `Failed to reset domain ${domid}.`, error)
  }
}

/**
 * The dead domain gets another uuid and name, so that the next one may have its own; the value is the next one's configuration. Its own directory's
 * `vm` stays as it was: by that the block script lets the next one have the disk that nobody closes any more.
 */
function* preserveForRestart(vm: DomainInfo): Sys<VmConfig> {
  const { xend, config } = vm
  const uuid = yield* createUuid()
  const name = `Domain-${uuid}`
  const text = `Renaming dead domain ${config.name} (${vm.domid}, ${config.uuid}) to ${name} (${uuid}).`
  yield* xend.log.info('XendDomainInfo:1807', text)
  yield* vm.unwatchVm()
  yield* vm.releaseDevices()
  yield* xend.store.rm(vm.vmpath)
  const next = copyConfig(config)
  Object.assign(config, { name, uuid })
  vm.vmpath = `${XS_VMROOT}${uuid}`
  yield* storeVmDetails(vm)
  yield* preserve(vm)
  return next
}

/** It stays as it is, for somebody to look at. */
function* preserve(vm: DomainInfo): Sys<void> {
  yield* vm.xend.log.info('XendDomainInfo:1827', `Preserving dead domain ${vm.name} (${vm.domid}).`)
  yield* vm.unwatchVm()
  yield* vm.writeDom('xend/shutdown_completed', 'True')
}

/** control/shutdown was written: after SHUTDOWN_TIMEOUT a domain that still lives is called unresponsive. */
export function* handleShutdownWatch(vm: DomainInfo): Sys<boolean> {
  const { log, threads } = vm.xend
  if (vm.domid === undefined) return false
  yield* log.debug('XendDomainInfo:1443', 'XendDomainInfo.handleShutdownWatch')
  const reason = yield* vm.readDom('control/shutdown')
  if (!reason || reason === 'suspend') return true
  const since = yield* vm.readDom('xend/shutdown_start_time')
  const time = yield* now()
  vm.shutdownStartTime = since === undefined ? time : Number(since)
  if (since === undefined) yield* vm.writeDom('xend/shutdown_start_time', time.toFixed(6))
  // One timer is enough: the guest empties the node when it has read it, and that is news, too.
  if (!vm.shutdownTimer) {
    vm.shutdownTimer = true
    threads.start(`shutdown timer of ${vm.name}`, expire(vm, vm.shutdownStartTime + SHUTDOWN_TIMEOUT - time))
  }
  return true
}

function* expire(vm: DomainInfo, seconds: number): Sys<void> {
  yield* vm.xend.threads.wait({ timeoutMs: Math.max(0, seconds) * 1000 + 1, condition: vm.gone })
  vm.shutdownTimer = false
  yield* refreshShutdown(vm)
}
