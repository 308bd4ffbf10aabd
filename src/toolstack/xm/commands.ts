/** The subcommands by name: one row each. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { create, createHelp, createNew } from './create.ts'
import * as devices from './devices.ts'
import { domid, domname, list, uptime, vcpuList } from './domains.ts'
import * as host from './host.ts'
import * as one from './lifecycle.ts'
import { migrate, migrateHelp } from './migrate.ts'
import { serve } from './shell.ts'
import { reboot, shutdown } from './shutdown.ts'
import type { Xm } from './xm.ts'

export type Command = (xm: Xm, args: readonly string[]) => Sys<void>

/** Those whose help ends in their own option list. */
export const PARSERS: Readonly<Record<string, () => string>> = {
  create: createHelp,
  new: createHelp,
  migrate: migrateHelp,
}

export const COMMANDS: Readonly<Record<string, Command>> = {
  'event-monitor': host.eventMonitor,
  console: one.console,
  vncviewer: one.vncviewer,
  top: one.top,
  create,
  new: createNew,
  delete: one.remove,
  destroy: one.destroy,
  domid,
  domname,
  'dump-core': one.dumpCore,
  reboot,
  rename: one.rename,
  reset: one.reset,
  restore: one.restore,
  resume: one.resume,
  save: one.save,
  shutdown,
  start: one.start,
  sysrq: one.sysrq,
  trigger: one.trigger,
  uptime,
  suspend: one.suspend,
  list,
  migrate,
  'mem-max': one.memMax,
  'mem-set': one.memSet,
  'vcpu-pin': one.vcpuPin,
  'vcpu-list': vcpuList,
  'vcpu-set': one.vcpuSet,
  pause: one.pause,
  unpause: one.unpause,
  'debug-keys': host.debugKeys,
  dmesg: host.dmesg,
  info: host.info,
  log: host.log,
  serve,
  'sched-sedf': host.schedSedf,
  'sched-credit': host.schedCredit,
  'block-attach': devices.blockAttach,
  'block-detach': devices.blockDetach,
  'block-list': devices.blockList,
  'block-configure': devices.blockConfigure,
  'network-attach': devices.networkAttach,
  'network-detach': devices.networkDetach,
  'network-list': devices.networkList,
  'network-new': host.xenApiOnly,
  'network-del': host.xenApiOnly,
  'network-show': host.xenApiOnly,
  'vnet-list': devices.vnetList,
  'vnet-create': devices.vnetCreate,
  'vnet-delete': devices.vnetDelete,
  'vtpm-list': devices.vtpmList,
  'pci-attach': devices.pciAttach,
  'pci-detach': devices.pciDetach,
  'pci-list': devices.pciList,
  'pci-list-assignable-devices': devices.pciListAssignable,
  'scsi-attach': devices.scsiAttach,
  'scsi-detach': devices.scsiDetach,
  'scsi-list': devices.scsiList,
  labels: host.nothing,
  resources: host.nothing,
  dumppolicy: host.nothing,
  addlabel: host.noAcm,
  rmlabel: host.noAcm,
  getlabel: host.noAcm,
  'dry-run': host.noAcm,
  setpolicy: host.noAcm,
  resetpolicy: host.noAcm,
  getpolicy: host.noAcm,
}
