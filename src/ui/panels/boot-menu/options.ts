/** The words that Xen, Linux and GRUB know, and what the words of a line are: known, unknown, a file. */
import type { MessageKey } from '../../i18n/index.ts'
import type { CommandRow, EntryBlock, MenuWord } from './document.ts'

/** Sentences without parameters. */
type HelpKey = Extract<MessageKey, `boot-menu.${'xen' | 'linux' | 'command'}.${string}`>

export interface OptionRow {
  readonly name: string
  readonly help: HelpKey
  /** A word of its own; the others take a value. */
  readonly flag?: true
  /** Offered values; others are allowed. */
  readonly values?: readonly string[]
  /** Known in life, but this host's software does nothing with it. */
  readonly idle?: true
}

const levels = ['none', 'error', 'warning', 'info', 'all']

export const xenOptions: readonly OptionRow[] = [
  { name: 'dom0_mem', help: 'boot-menu.xen.dom0_mem', values: ['262144', '128M', '256M', '512M', '-256M'] },
  { name: 'dom0_max_vcpus', help: 'boot-menu.xen.dom0_max_vcpus', values: ['1', '2'] },
  { name: 'dom0_vcpus_pin', help: 'boot-menu.xen.dom0_vcpus_pin', flag: true },
  { name: 'com1', help: 'boot-menu.xen.com1', values: ['115200,8n1', '9600,8n1', 'auto'] },
  { name: 'com2', help: 'boot-menu.xen.com2', values: ['115200,8n1', '9600,8n1'] },
  { name: 'console', help: 'boot-menu.xen.console', values: ['com1,vga', 'com1', 'vga', 'com2'] },
  { name: 'conswitch', help: 'boot-menu.xen.conswitch', values: ['a', 'b', 'ax'] },
  { name: 'loglvl', help: 'boot-menu.xen.loglvl', values: levels },
  { name: 'guest_loglvl', help: 'boot-menu.xen.guest_loglvl', values: [...levels, 'none/warning'] },
  { name: 'noreboot', help: 'boot-menu.xen.noreboot', flag: true },
  { name: 'sync_console', help: 'boot-menu.xen.sync_console', flag: true },
  { name: 'console_to_ring', help: 'boot-menu.xen.console_to_ring', flag: true },
  { name: 'console_timestamps', help: 'boot-menu.xen.console_timestamps', flag: true },
  { name: 'serial_tx_buffer', help: 'boot-menu.xen.serial_tx_buffer', values: ['16k', '64k'] },
  { name: 'vga', help: 'boot-menu.xen.vga', values: ['text-80x25', 'text-80x25,keep'] },
  { name: 'reboot', help: 'boot-menu.xen.reboot', values: ['a', 'k', 't', 'b'] },
  { name: 'sched', help: 'boot-menu.xen.sched', values: ['credit'] },
  { name: 'watchdog', help: 'boot-menu.xen.watchdog', flag: true },
  { name: 'nosmp', help: 'boot-menu.xen.nosmp', flag: true },
  { name: 'maxcpus', help: 'boot-menu.xen.maxcpus', values: ['1', '2'] },
  { name: 'mem', help: 'boot-menu.xen.mem', values: ['512M', '768M'] },
  { name: 'xenheap_megabytes', help: 'boot-menu.xen.xenheap_megabytes', values: ['16'] },
  { name: 'badpage', help: 'boot-menu.xen.badpage' },
  { name: 'bootscrub', help: 'boot-menu.xen.bootscrub', flag: true },
  { name: 'dma_bits', help: 'boot-menu.xen.dma_bits', values: ['24'] },
  { name: 'gnttab_max_nr_frames', help: 'boot-menu.xen.gnttab_max_nr_frames', values: ['32', '64'] },
  { name: 'clocksource', help: 'boot-menu.xen.clocksource', values: ['pit', 'hpet', 'acpi'] },
  { name: 'nmi', help: 'boot-menu.xen.nmi', values: ['dom0', 'fatal', 'ignore'] },
  { name: 'acpi', help: 'boot-menu.xen.acpi', values: ['off', 'force', 'strict', 'ht', 'noirq'] },
  { name: 'noapic', help: 'boot-menu.xen.noapic', flag: true },
  { name: 'acpi_skip_timer_override', help: 'boot-menu.xen.acpi_skip_timer_override', flag: true },
  { name: 'ioapic_ack', help: 'boot-menu.xen.ioapic_ack', values: ['new', 'old'] },
  { name: 'apic_verbosity', help: 'boot-menu.xen.apic_verbosity', values: ['verbose', 'debug'] },
  { name: 'dom0_ioports_disable', help: 'boot-menu.xen.dom0_ioports_disable', values: ['2f8-2ff'] },
  { name: 'max_cstate', help: 'boot-menu.xen.max_cstate', values: ['1', '2'] },
  { name: 'iommu', help: 'boot-menu.xen.iommu', values: ['1', 'off', 'force'] },
  { name: 'numa', help: 'boot-menu.xen.numa', values: ['on', 'off'] },
  { name: 'tbuf_size', help: 'boot-menu.xen.tbuf_size', values: ['8'] },
  { name: 'cpuidle', help: 'boot-menu.xen.cpuidle', flag: true },
  { name: 'cpufreq', help: 'boot-menu.xen.cpufreq', values: ['xen', 'dom0-kernel'] },
  { name: 'gdb', help: 'boot-menu.xen.gdb', values: ['com1', 'com2'], idle: true },
  { name: 'crashkernel', help: 'boot-menu.xen.crashkernel', values: ['32M', '64M@32M'] },
]

export const linuxOptions: readonly OptionRow[] = [
  { name: 'root', help: 'boot-menu.linux.root', values: ['/dev/hda1', '/dev/sda1'] },
  { name: 'ro', help: 'boot-menu.linux.ro', flag: true },
  { name: 'rw', help: 'boot-menu.linux.rw', flag: true },
  { name: 'console', help: 'boot-menu.linux.console', values: ['xvc0', 'tty0'] },
  { name: 'init', help: 'boot-menu.linux.init', values: ['/bin/sh', '/sbin/init'] },
  { name: 'xencons', help: 'boot-menu.linux.xencons', values: ['xvc', 'tty', 'ttyS', 'off'] },
  { name: 'single', help: 'boot-menu.linux.single', flag: true },
  { name: 'emergency', help: 'boot-menu.linux.emergency', flag: true },
  { name: 'quiet', help: 'boot-menu.linux.quiet', flag: true },
  { name: 'debug', help: 'boot-menu.linux.debug', flag: true },
  { name: 'loglevel', help: 'boot-menu.linux.loglevel', values: ['3', '4', '7'] },
  { name: 'panic', help: 'boot-menu.linux.panic', values: ['0', '10'] },
  { name: 'oops', help: 'boot-menu.linux.oops', values: ['panic'] },
  { name: 'rootdelay', help: 'boot-menu.linux.rootdelay', values: ['5'] },
  { name: 'rootfstype', help: 'boot-menu.linux.rootfstype', values: ['ext2', 'ext3'] },
  { name: '3', help: 'boot-menu.linux.runlevel', flag: true },
  { name: 'mem', help: 'boot-menu.linux.mem', idle: true },
  { name: 'nosmp', help: 'boot-menu.linux.nosmp', flag: true, idle: true },
  { name: 'maxcpus', help: 'boot-menu.linux.maxcpus', idle: true },
  { name: 'swiotlb', help: 'boot-menu.linux.swiotlb', idle: true },
  { name: 'earlyprintk', help: 'boot-menu.linux.earlyprintk', values: ['xen'], idle: true },
  { name: 'acpi', help: 'boot-menu.linux.acpi', idle: true },
  { name: 'noapic', help: 'boot-menu.linux.noapic', flag: true, idle: true },
  { name: 'vga', help: 'boot-menu.linux.vga', idle: true },
]

/** GRUB's commands that have a sentence; the others are rare. */
export const commandHelp = {
  root: 'boot-menu.command.root',
  rootnoverify: 'boot-menu.command.rootnoverify',
  kernel: 'boot-menu.command.kernel',
  module: 'boot-menu.command.module',
  modulenounzip: 'boot-menu.command.modulenounzip',
  initrd: 'boot-menu.command.initrd',
  chainloader: 'boot-menu.command.chainloader',
  configfile: 'boot-menu.command.configfile',
  savedefault: 'boot-menu.command.savedefault',
  password: 'boot-menu.command.password',
  lock: 'boot-menu.command.lock',
  uppermem: 'boot-menu.command.uppermem',
  pause: 'boot-menu.command.pause',
  boot: 'boot-menu.command.boot',
  color: 'boot-menu.command.color',
  pager: 'boot-menu.command.pager',
} as const satisfies Readonly<Record<string, HelpKey>>

export const helpOfCommand = (command: string): HelpKey | undefined =>
  Object.hasOwn(commandHelp, command) ? commandHelp[command as keyof typeof commandHelp] : undefined

/** Commands whose argument is a file. */
export const LOADS: readonly string[] = ['kernel', 'module', 'modulenounzip', 'initrd', 'chainloader', 'configfile']

/** The word of a line that names the file to load: the first that is no switch of the command. */
export const fileWord = ({ command, words }: CommandRow): MenuWord | undefined =>
  LOADS.includes(command) ? words.find(({ text }) => !text.startsWith('--')) : undefined

/** Whose options a line has. Xen's are a multiboot kernel's; the module after it is dom0's kernel; an initrd has none. */
export function optionsOfRow(entry: EntryBlock, row: CommandRow): 'xen' | 'linux' | undefined {
  const loads = entry.rows.filter(({ command }) => LOADS.includes(command))
  const at = loads.indexOf(row)
  if (row.command === 'kernel') {
    const xen = /(^|\/)xen[^/]*$/.test(fileWord(row)?.text ?? '')
    return xen || loads[at + 1]?.command.startsWith('module') ? 'xen' : 'linux'
  }
  return row.command.startsWith('module') && loads[at - 1]?.command === 'kernel' ? 'linux' : undefined
}

export interface LineOption {
  readonly word: MenuWord
  readonly name: string
  /** Undefined where the word is a flag. */
  readonly value: string | undefined
  /** Undefined: nobody knows this word. It is kept as it is. */
  readonly known: OptionRow | undefined
}

const DASHES: OptionRow = { name: '--', help: 'boot-menu.xen.dashes', flag: true }

/** `no-bootscrub` is bootscrub; runlevels are all one. */
function find(table: readonly OptionRow[], name: string): OptionRow | undefined {
  const isLinux = table === linuxOptions
  const plain = isLinux && /^[1-5]$/.test(name) ? '3' : isLinux ? name : name.replace(/^no-/, '')
  return table.find((row) => row.name === plain)
}

/** The words after the file's name, each with what it does. Behind ` -- ` on Xen's line they are dom0's. */
export function lineOptions(entry: EntryBlock, row: CommandRow): LineOption[] {
  const whose = optionsOfRow(entry, row)
  const file = fileWord(row)
  if (!whose || !file) return []
  let table = whose === 'xen' ? xenOptions : linuxOptions
  return row.words.slice(row.words.indexOf(file) + 1).map((word) => {
    if (word.text === '--' && table === xenOptions) {
      table = linuxOptions
      return { word, name: '--', value: undefined, known: DASHES }
    }
    const equals = word.text.indexOf('=')
    const name = equals < 0 ? word.text : word.text.slice(0, equals)
    return { word, name, value: equals < 0 ? undefined : word.text.slice(equals + 1), known: find(table, name) }
  })
}
