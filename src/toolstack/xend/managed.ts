/** Domains that xend remembers while they do not run: /var/lib/xend/domains/UUID/config.sxp. */
import { O_CREAT, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { namesIn } from '#user/libc/dirent.ts'
import { OsError } from '#user/libc/errno.ts'
import { readFile, writeAll } from '#user/libc/stdio.ts'
import { close, mkdir, open, rename, rmdir, unlink } from '#user/libc/syscall.ts'
import { prettyPrint } from '../sxp/pretty-print.ts'
import { fromString, type Sxp } from '../sxp/sxp.ts'
import type { Xend } from './context.ts'
import type { DomainInfo } from './domain-info.ts'
import { domainSxp } from './domain-sxp.ts'
import { XendError } from './errors.ts'
import { configFromSxp, type VmConfig } from './vm-config.ts'

const CONFIG = 'config.sxp'

/** mkdir -p. */
export function* makeDirectories(path: string, mode: number): Sys<void> {
  for (let end = path.indexOf('/', 1); ; end = path.indexOf('/', end + 1)) {
    try {
      yield* mkdir(end < 0 ? path : path.slice(0, end), mode)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
    if (end < 0) return
  }
}

/** Written beside the old one, which it then replaces. */
export function* saveManaged(xend: Xend, vm: DomainInfo): Sys<void> {
  const dir = `${xend.options.domainsPath}/${vm.uuid}`
  try {
    yield* makeDirectories(dir, 0o700)
    const fd = yield* open(`${dir}/${CONFIG}.new`, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    try {
      yield* writeAll(fd, bytesOfString(prettyPrint(yield* configurationSxp(vm), 78)))
    } finally {
      yield* close(fd)
    }
    yield* rename(`${dir}/${CONFIG}.new`, `${dir}/${CONFIG}`)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* xend.log.exception('XendDomain:308', `Error occurred saving configuration file to ${dir}`, error)
    throw new XendError(`Failed to save configuration file to: ${dir}`)
  }
}

/** What it is made from again; nothing of how it runs at the moment. */
function* configurationSxp(vm: DomainInfo): Sys<Sxp> {
  const running = ['domid', 'state', 'status', 'store_mfn', 'console_mfn', 'start_time', 'cpu_time', 'online_vcpus']
  const { weight, cap, cpus } = vm.config
  const kept = (yield* domainSxp(vm, { devices: 'configured' })).filter(
    (entry) => !(Array.isArray(entry) && running.includes(entry[0])),
  )
  return [
    ...kept,
    ['cpu_weight', weight],
    ['cpu_cap', cap],
    ...(cpus.some((one) => one.length > 0) ? [['cpus', cpus]] : []),
  ]
}

export function* removeManaged(xend: Xend, vm: DomainInfo): Sys<void> {
  const dir = `${xend.options.domainsPath}/${vm.uuid}`
  try {
    for (const name of yield* namesIn(dir)) yield* unlink(`${dir}/${name}`)
    yield* rmdir(dir)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* xend.log.exception('XendDomain:262', 'managed_config_remove failed removing conf', error)
    throw new XendError(`Unable to remove managed configuration for domain: ${vm.uuid}`)
  }
}

/** All that have been saved. One that cannot be read is left where it is. */
export function* loadManaged(xend: Xend): Sys<VmConfig[]> {
  const root = xend.options.domainsPath
  yield* makeDirectories(root, 0o700)
  const configs: VmConfig[] = []
  for (const uuid of yield* namesIn(root)) {
    const path = `${root}/${uuid}/${CONFIG}`
    try {
      const config = yield* configFromSxp(fromString(yield* readFile(path)))
      if (config.uuid === uuid) configs.push(config)
      else yield* xend.log.error('XendDomain:333', `UUID mismatch in stored configuration: ${path}`)
    } catch (error) {
      yield* xend.log.exception('XendDomain:338', `Unable to open or parse config.sxp: ${path}`, error)
    }
  }
  return configs
}
