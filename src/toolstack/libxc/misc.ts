/** tools/libxc/xc_misc.c, xc_csched.c, and xc_version: the host, its log, its version, its scheduler. */
import { memOf } from '#abi/mem.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Struct, Values } from '#abi/struct.ts'
import {
  XEN_DOMCTL_SCHEDOP_getinfo,
  XEN_DOMCTL_SCHEDOP_putinfo,
  XEN_DOMCTL_scheduler_op,
  XEN_DOMCTL_U,
  XEN_SCHEDULER_CREDIT,
  xen_domctl_scheduler_op,
} from '#abi/xen/domctl.ts'
import {
  XEN_SYSCTL_availheap,
  XEN_SYSCTL_debug_keys,
  XEN_SYSCTL_physinfo,
  XEN_SYSCTL_readconsole,
  XEN_SYSCTL_sched_id,
  xen_sysctl_availheap,
  xen_sysctl_debug_keys,
  xen_sysctl_physinfo,
  xen_sysctl_readconsole,
  xen_sysctl_sched_id,
} from '#abi/xen/sysctl.ts'
import {
  XEN_CAPABILITIES_INFO_LEN,
  XEN_CHANGESET_INFO_LEN,
  XEN_EXTRAVERSION_LEN,
  XENVER_capabilities,
  XENVER_changeset,
  XENVER_compile_info,
  XENVER_extraversion,
  XENVER_pagesize,
  XENVER_platform_parameters,
  XENVER_version,
  xen_compile_info,
} from '#abi/xen/version.ts'
import { __HYPERVISOR_xen_version } from '#abi/xen/xen.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { load, store } from '#user/libc/syscall.ts'
import { domctl, hypercall, sysctl, withMemory, type XcHandle } from './privcmd.ts'

/** xc_physinfo_t: xen_sysctl_physinfo's fields; hwCap has eight words, cpuToNode one number for each processor. */
export interface XcPhysinfo {
  readonly threadsPerCore: number
  readonly coresPerSocket: number
  readonly nrCpus: number
  readonly nrNodes: number
  readonly cpuKhz: number
  readonly totalPages: number
  readonly freePages: number
  readonly scrubPages: number
  readonly hwCap: readonly number[]
  readonly maxCpuId: number
  readonly cpuToNode: readonly number[]
  readonly capabilities: number
}

const CPUS_MAX = 256

export function* xcPhysinfo(xc: XcHandle): Sys<XcPhysinfo> {
  return yield* withMemory(xc, CPUS_MAX * 4, function* (cpu_to_node) {
    const info = yield* sysctl(xc, XEN_SYSCTL_physinfo, xen_sysctl_physinfo, { max_cpu_id: CPUS_MAX - 1, cpu_to_node })
    const cpus = Math.min(info.max_cpu_id + 1, CPUS_MAX)
    const nodes = memOf(yield* load(cpu_to_node, cpus * 4))
    const caps = memOf(info.hw_cap)
    return {
      threadsPerCore: info.threads_per_core,
      coresPerSocket: info.cores_per_socket,
      nrCpus: info.nr_cpus,
      nrNodes: info.nr_nodes,
      cpuKhz: info.cpu_khz,
      totalPages: info.total_pages,
      freePages: info.free_pages,
      scrubPages: info.scrub_pages,
      hwCap: Array.from({ length: 8 }, (_, i) => caps.read32(4 * i)),
      maxCpuId: info.max_cpu_id,
      cpuToNode: Array.from({ length: cpus }, (_, i) => nodes.read32(4 * i)),
      capabilities: info.capabilities,
    }
  })
}

/** xc_availheap: free bytes of node `node` (0xffffffff: all), of frames whose addresses have so many bits (0: any). */
export function* xcAvailheap(xc: XcHandle, min_bitwidth = 0, max_bitwidth = 0, node = 0xffffffff): Sys<number> {
  const values = { min_bitwidth, max_bitwidth, node }
  return (yield* sysctl(xc, XEN_SYSCTL_availheap, xen_sysctl_availheap, values)).avail_bytes
}

export function* xcSchedId(xc: XcHandle): Sys<number> {
  return (yield* sysctl(xc, XEN_SYSCTL_sched_id, xen_sysctl_sched_id, {})).sched_id
}

/** What one read of the console ring takes at most: xen.lowlevel.xc's buffer. */
const CONSOLE_BYTES = 16384

export interface ConsoleRead {
  readonly text: string
  /** Where the next incremental read goes on. */
  readonly index: number
}

/** xc_readconsolering with its index. */
export function* xcReadconsoleringFrom(xc: XcHandle, index: number | undefined, clear: boolean): Sys<ConsoleRead> {
  return yield* withMemory(xc, CONSOLE_BYTES, function* (buffer) {
    const read = yield* sysctl(xc, XEN_SYSCTL_readconsole, xen_sysctl_readconsole, {
      clear: clear ? 1 : 0,
      incremental: index === undefined ? 0 : 1,
      index: index ?? 0,
      buffer,
      count: CONSOLE_BYTES,
    })
    return { text: byteString(yield* load(buffer, read.count)), index: read.index }
  })
}

/** The hypervisor's log as its ring holds it. */
export function* xcReadconsolering(xc: XcHandle, clear: boolean): Sys<string> {
  return (yield* xcReadconsoleringFrom(xc, undefined, clear)).text
}

/** Xen answers as if the keys had been typed at its console. */
export function* xcSendDebugKeys(xc: XcHandle, text: string): Sys<void> {
  yield* withMemory(xc, Math.max(1, text.length), function* (keys) {
    if (text !== '') yield* store(keys, bytesOfString(text))
    yield* sysctl(xc, XEN_SYSCTL_debug_keys, xen_sysctl_debug_keys, { keys, nr_keys: text.length })
  })
}

const untilZero = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0)
  return byteString(end < 0 ? bytes : bytes.subarray(0, end))
}

function* versionBytes(xc: XcHandle, cmd: number, length: number): Sys<Uint8Array> {
  return yield* withMemory(xc, length, function* (at) {
    yield* hypercall(xc, __HYPERVISOR_xen_version, cmd, at)
    return yield* load(at, length)
  })
}

/** XENVER_version: major in the upper, minor in the lower half. */
export function* xcVersion(xc: XcHandle): Sys<{ readonly major: number; readonly minor: number }> {
  const version = yield* hypercall(xc, __HYPERVISOR_xen_version, XENVER_version, 0)
  return { major: version >>> 16, minor: version & 0xffff }
}

export function* xcVersionCapabilities(xc: XcHandle): Sys<string> {
  return untilZero(yield* versionBytes(xc, XENVER_capabilities, XEN_CAPABILITIES_INFO_LEN))
}

export interface XcVersionInfo {
  readonly major: number
  readonly minor: number
  readonly extra: string
  readonly compiler: string
  readonly compileBy: string
  readonly compileDomain: string
  readonly compileDate: string
  readonly capabilities: string
  readonly changeset: string
  /** 64 bits. */
  readonly virtStart: bigint
  readonly pagesize: number
}

/** All of xen_version, as xen.lowlevel.xc's xeninfo puts it together. */
export function* xcVersionInfo(xc: XcHandle): Sys<XcVersionInfo> {
  const { major, minor } = yield* xcVersion(xc)
  const compile: Values<typeof xen_compile_info> = read(
    xen_compile_info,
    yield* versionBytes(xc, XENVER_compile_info, xen_compile_info.size),
  )
  return {
    major,
    minor,
    extra: untilZero(yield* versionBytes(xc, XENVER_extraversion, XEN_EXTRAVERSION_LEN)),
    compiler: untilZero(compile.compiler),
    compileBy: untilZero(compile.compile_by),
    compileDomain: untilZero(compile.compile_domain),
    compileDate: untilZero(compile.compile_date),
    capabilities: yield* xcVersionCapabilities(xc),
    changeset: untilZero(yield* versionBytes(xc, XENVER_changeset, XEN_CHANGESET_INFO_LEN)),
    virtStart: memOf(yield* versionBytes(xc, XENVER_platform_parameters, 8)).read64(0),
    pagesize: yield* hypercall(xc, __HYPERVISOR_xen_version, XENVER_pagesize, 0),
  }
}

const read = <F>(layout: Struct<F>, bytes: Uint8Array): ReturnType<Struct<F>['read']> => layout.read(memOf(bytes), 0)

export interface CreditParameters {
  readonly weight: number
  readonly cap: number
}

export function* xcSchedCreditDomainGet(xc: XcHandle, domid: number): Sys<CreditParameters> {
  const mem = yield* domctl(xc, XEN_DOMCTL_scheduler_op, domid, xen_domctl_scheduler_op, {
    sched_id: XEN_SCHEDULER_CREDIT,
    cmd: XEN_DOMCTL_SCHEDOP_getinfo,
  })
  const { credit_weight, credit_cap } = xen_domctl_scheduler_op.read(mem, XEN_DOMCTL_U)
  return { weight: credit_weight, cap: credit_cap }
}

export function* xcSchedCreditDomainSet(xc: XcHandle, domid: number, { weight, cap }: CreditParameters): Sys<void> {
  yield* domctl(xc, XEN_DOMCTL_scheduler_op, domid, xen_domctl_scheduler_op, {
    sched_id: XEN_SCHEDULER_CREDIT,
    cmd: XEN_DOMCTL_SCHEDOP_putinfo,
    credit_weight: weight,
    credit_cap: cap,
  })
}
