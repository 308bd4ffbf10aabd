/** The host (xen.xend.XendNode): what `xm info` shows. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { XEN_SCHEDULER_CREDIT, XEN_SCHEDULER_SEDF } from '#abi/xen/domctl.ts'
import { uname } from '#user/libc/syscall.ts'
import type { Sxp } from '../sxp/sxp.ts'
import type { Hypervisor } from './hypervisor.ts'

const VIRT_CAPS = ['hvm', 'hvm_directio']
/** The column in which values begin in `xm info`. */
const INDENT = ' '.repeat(25)

/** Names and values, in the order in which they are shown. */
export function* nodeInfo(xc: Hypervisor): Sys<Sxp[]> {
  const { sysname, nodename, release, version, machine } = yield* uname()
  const phys = yield* xc.physinfo()
  const xen = yield* xc.versionInfo()
  const nodes: string[] = []
  const memory: string[] = []
  for (let node = 0; node < phys.nrNodes; node++) {
    const cpus = phys.cpuToNode.flatMap((where, cpu) => (where === node ? [cpu] : []))
    nodes.push(`node${node}:${cpuRanges(cpus)}`)
    memory.push(`node${node}:${Math.floor((yield* xc.availheap(node)) / 1048576)}`)
  }
  return [
    ['system', sysname],
    ['host', nodename],
    ['release', release],
    ['version', version],
    ['machine', machine],
    ['nr_cpus', phys.nrCpus],
    ['nr_nodes', phys.nrNodes],
    ['cores_per_socket', phys.coresPerSocket],
    ['threads_per_core', phys.threadsPerCore],
    ['cpu_mhz', Math.floor(phys.cpuKhz / 1000)],
    ['hw_caps', phys.hwCap.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join(':')],
    ['virt_caps', VIRT_CAPS.filter((_, bit) => (phys.capabilities >> bit) & 1).join(' ')],
    ['total_memory', Math.floor((phys.totalPages * 4) / 1024)],
    ['free_memory', Math.floor((phys.freePages * 4) / 1024)],
    ['node_to_cpu', nodes.join(`\n${INDENT}`)],
    ['node_to_memory', memory.join(`\n${INDENT}`)],
    ['xen_major', xen.major],
    ['xen_minor', xen.minor],
    ['xen_extra', xen.extra],
    ['xen_caps', xen.capabilities],
    ['xen_scheduler', yield* schedulerName(xc)],
    ['xen_pagesize', xen.pagesize],
    ['platform_params', `virt_start=0x${xen.virtStart.toString(16)}`],
    ['xen_changeset', xen.changeset],
    ['cc_compiler', xen.compiler],
    ['cc_compile_by', xen.compileBy],
    ['cc_compile_domain', xen.compileDomain],
    ['cc_compile_date', xen.compileDate],
    ['xend_config_format', 4],
  ]
}

function* schedulerName(xc: Hypervisor): Sys<string> {
  const id = yield* xc.schedId()
  return id === XEN_SCHEDULER_SEDF ? 'sedf' : id === XEN_SCHEDULER_CREDIT ? 'credit' : 'unknown'
}

/** `0-3,5`. */
export function cpuRanges(cpus: readonly number[]): string {
  const ranges: string[] = []
  for (let from = 0; from < cpus.length; ) {
    let to = from
    while (cpus[to + 1] === cpus[to]! + 1) to++
    ranges.push(from === to ? `${cpus[from]}` : `${cpus[from]}-${cpus[to]}`)
    from = to + 1
  }
  return ranges.length === 0 ? 'no cpus' : ranges.join(',')
}
