/** /etc/xen/xend-config.sxp (xen.xend.XendOptions). */
import { child, children, parseSxp, type Sxp } from '../sxp/sxp.ts'
import { XendError } from './errors.ts'

export class XendOptions {
  /** Where it was read from. */
  readonly path: string
  #config: Sxp

  /** `text` undefined: there is no such file, and all have their defaults. */
  constructor(path: string, text: string | undefined) {
    this.path = path
    this.#config = ['xend-config', ...(text === undefined ? [] : parseSxp(text))]
  }

  /** Read again: `xend reload`. */
  reread(text: string): void {
    this.#config = ['xend-config', ...parseSxp(text)]
  }

  #value(name: string): Sxp {
    const entry = child(this.#config, name)
    return entry === undefined ? undefined : children(entry)[0]
  }

  string(name: string, otherwise: string): string {
    const value = this.#value(name)
    return typeof value === 'string' ? value : otherwise
  }

  bool(name: string, otherwise: boolean): boolean {
    const value = this.string(name, otherwise ? 'yes' : 'no').toLowerCase()
    if (['yes', 'y', '1', 'on', 'true', 't'].includes(value)) return true
    if (['no', 'n', '0', 'off', 'false', 'f'].includes(value)) return false
    throw new XendError(`invalid xend config ${name}: expected bool: ${value}`)
  }

  int(name: string, otherwise: number): number {
    const value = this.string(name, String(otherwise))
    if (!/^\s*[-+]?\d+\s*$/.test(value)) throw new XendError(`invalid xend config ${name}: expected int: ${value}`)
    return Number(value)
  }

  get logfile(): string {
    return this.string('logfile', '/var/log/xen/xend.log')
  }
  get loglevel(): string {
    return this.string('loglevel', 'DEBUG')
  }
  get unixXmlrpcServer(): boolean {
    return this.bool('xend-unix-xmlrpc-server', true)
  }
  /** MiB. */
  get dom0MinMem(): number {
    return this.int('dom0-min-mem', 0)
  }
  get enableDom0Ballooning(): boolean {
    return this.bool('enable-dom0-ballooning', this.dom0MinMem !== 0)
  }
  /** 0: all. */
  get dom0Cpus(): number {
    return this.int('dom0-cpus', 0)
  }
  /** KiB. */
  get consoleLimit(): number {
    return this.int('console-limit', 1024)
  }
  get enableDump(): boolean {
    return this.bool('enable-dump', false)
  }
  get domainsPath(): string {
    return this.string('xend-domains-path', '/var/lib/xend/domains')
  }
}
