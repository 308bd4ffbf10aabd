/** /sys/hypervisor (linux-2.6.18-xen: drivers/xen/core/xen_sysfs.c, hypervisor_sysfs.c): what the hypervisor says of itself. */
import {
  XEN_CAPABILITIES_INFO_LEN,
  XEN_CHANGESET_INFO_LEN,
  XEN_EXTRAVERSION_LEN,
  XENVER_capabilities,
  XENVER_changeset,
  XENVER_compile_info,
  XENVER_extraversion,
  XENVER_get_features,
  XENVER_pagesize,
  XENVER_platform_parameters,
  XENVER_version,
  xen_compile_info,
  xen_feature_info,
} from '#abi/xen/version.ts'
import { __HYPERVISOR_xen_version } from '#abi/xen/xen.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import { fileOf, StaticDir } from '../proc/synth.ts'
import { uuidFile } from './xen.ts'

/** A call of xen_version about `bytes` of memory; what it fails with is the reader's error. */
function ask({ vcpu, mem, bounce }: Kernel, command: number, bytes: number): Uint8Array {
  mem.fill(bounce, bytes, 0)
  const result = vcpu.hypercall(__HYPERVISOR_xen_version, command, bounce)
  if (result < 0) fail(-result)
  return mem.copyOut(bounce, bytes)
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return `${String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)))}\n`
}

const hex = (bytes: Uint8Array): string => {
  let digits = ''
  for (const byte of bytes) digits = byte.toString(16).padStart(2, '0') + digits
  return `${digits.replace(/^0+(?=.)/, '')}\n`
}

export function hypervisorDir(kernel: Kernel): StaticDir {
  const number = (command: number): number => {
    const value = kernel.vcpu.hypercall(__HYPERVISOR_xen_version, command, 0)
    return value < 0 ? fail(-value) : value
  }
  const compiled = (field: 'compiler' | 'compile_by' | 'compile_date'): string => {
    ask(kernel, XENVER_compile_info, xen_compile_info.size)
    return text(xen_compile_info.fields[field].get(kernel.mem, kernel.bounce))
  }
  const features = (): string => {
    ask(kernel, XENVER_get_features, xen_feature_info.size)
    return `${xen_feature_info.fields.submap.get(kernel.mem, kernel.bounce)}\n`
  }
  return new StaticDir(0o755, [
    ['type', fileOf(() => 'xen\n')],
    [
      'version',
      new StaticDir(0o755, [
        ['major', fileOf(() => `${number(XENVER_version) >>> 16}\n`)],
        ['minor', fileOf(() => `${number(XENVER_version) & 0xff}\n`)],
        ['extra', fileOf(() => text(ask(kernel, XENVER_extraversion, XEN_EXTRAVERSION_LEN)))],
      ]),
    ],
    ['uuid', uuidFile(kernel)],
    [
      'compilation',
      new StaticDir(0o755, [
        ['compiler', fileOf(() => compiled('compiler'))],
        ['compiled_by', fileOf(() => compiled('compile_by'))],
        ['compile_date', fileOf(() => compiled('compile_date'))],
      ]),
    ],
    [
      'properties',
      new StaticDir(0o755, [
        ['capabilities', fileOf(() => text(ask(kernel, XENVER_capabilities, XEN_CAPABILITIES_INFO_LEN)))],
        ['changeset', fileOf(() => text(ask(kernel, XENVER_changeset, XEN_CHANGESET_INFO_LEN)))],
        ['virtual_start', fileOf(() => hex(ask(kernel, XENVER_platform_parameters, 8)))],
        ['pagesize', fileOf(() => `${number(XENVER_pagesize).toString(16)}\n`)],
        ['writable_pt', fileOf(features)],
      ]),
    ],
  ])
}
