/** xm's subcommands as its help shows them (xm/main.py): arguments, one line of description, options. */

export interface Subcommand {
  readonly args: string
  readonly text: string
}

const of = (args: string, text: string): Subcommand => ({ args, text })
const LABEL_TARGETS = '{dom <ConfigFile>|res <resource>|mgt <managed domain>}'

export const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  shell: of('', 'Launch an interactive shell.'),
  console: of('[-q|--quiet] <Domain>', "Attach to <Domain>'s console."),
  vncviewer: of('[--[vncviewer-]autopass] <Domain>', "Attach to <Domain>'s VNC server."),
  create: of('<ConfigFile> [options] [vars]', 'Create a domain based on <ConfigFile>.'),
  destroy: of('<Domain>', 'Terminate a domain immediately.'),
  help: of('', 'Display this message.'),
  list: of('[options] [Domain, ...]', 'List information about all/some domains.'),
  'mem-max': of('<Domain> <Mem>', 'Set the maximum amount reservation for a domain.'),
  'mem-set': of('<Domain> <Mem>', 'Set the current memory usage for a domain.'),
  migrate: of('<Domain> <Host>', 'Migrate a domain to another machine.'),
  pause: of('<Domain>', 'Pause execution of a domain.'),
  reboot: of('<Domain> [-wa]', 'Reboot a domain.'),
  reset: of('<Domain>', 'Reset a domain.'),
  restore: of('<CheckpointFile> [-p]', 'Restore a domain from a saved state.'),
  save: of('[-c] <Domain> <CheckpointFile>', 'Save a domain state to restore later.'),
  shutdown: of('<Domain> [-waRH]', 'Shutdown a domain.'),
  top: of('', 'Monitor a host and the domains in real time.'),
  unpause: of('<Domain>', 'Unpause a paused domain.'),
  uptime: of('[-s] [Domain, ...]', 'Print uptime for all/some domains.'),
  new: of('<ConfigFile> [options] [vars]', 'Adds a domain to Xend domain management'),
  delete: of('<DomainName>', 'Remove a domain from Xend domain management.'),
  start: of('<DomainName>', 'Start a Xend managed domain'),
  resume: of('<DomainName>', 'Resume a Xend managed domain'),
  suspend: of('<DomainName>', 'Suspend a Xend managed domain'),
  dmesg: of('[-c|--clear]', "Read and/or clear Xend's message buffer."),
  domid: of('<DomainName>', 'Convert a domain name to domain id.'),
  domname: of('<DomId>', 'Convert a domain id to domain name.'),
  'dump-core': of('[-L|--live] [-C|--crash] [-R|--reset] <Domain> [Filename]', 'Dump core for a specific domain.'),
  info: of('[-c|--config]', 'Get information about Xen host.'),
  log: of('', 'Print Xend log'),
  rename: of('<Domain> <NewDomainName>', 'Rename a domain.'),
  'sched-sedf': of('<Domain> [options]', 'Get/set EDF parameters.'),
  'sched-credit': of('[-d <Domain> [-w[=WEIGHT]|-c[=CAP]]]', 'Get/set credit scheduler parameters.'),
  sysrq: of('<Domain> <letter>', 'Send a sysrq to a domain.'),
  'debug-keys': of('<Keys>', 'Send debug keys to Xen.'),
  trigger: of('<Domain> <nmi|reset|init|s3resume> [<VCPU>]', 'Send a trigger to a domain.'),
  'vcpu-list': of('[Domain, ...]', 'List the VCPUs for all/some domains.'),
  'vcpu-pin': of('<Domain> <VCPU|all> <CPUs|all>', 'Set which CPUs a VCPU can use.'),
  'vcpu-set': of('<Domain> <vCPUs>', 'Set the number of active VCPUs for allowed for the domain.'),
  'block-attach': of('<Domain> <BackDev> <FrontDev> <Mode> [BackDomain]', 'Create a new virtual block device.'),
  'block-configure': of('<Domain> <BackDev> <FrontDev> <Mode> [BackDomain]', 'Change block device configuration'),
  'block-detach': of('<Domain> <DevId> [-f|--force]', "Destroy a domain's virtual block device."),
  'block-list': of('<Domain> [--long]', 'List virtual block devices for a domain.'),
  'network-attach': of(
    '<Domain> [type=<type>] [mac=<mac>] [bridge=<bridge>] [ip=<ip>] [script=<script>] [backend=<BackDomain>] [vifname=<name>] [rate=<rate>] [model=<model>][accel=<accel>]',
    'Create a new virtual network device.',
  ),
  'network-detach': of('<Domain> <DevId> [-f|--force]', "Destroy a domain's virtual network device."),
  'network-list': of('<Domain> [--long]', 'List virtual network interfaces for a domain.'),
  'vnet-create': of('<ConfigFile>', 'Create a vnet from ConfigFile.'),
  'vnet-delete': of('<VnetId>', 'Delete a Vnet.'),
  'vnet-list': of('[-l|--long]', 'List Vnets.'),
  'vtpm-list': of('<Domain> [--long]', 'List virtual TPM devices.'),
  'pci-attach': of('<Domain> <domain:bus:slot.func> [virtual slot]', 'Insert a new pass-through pci device.'),
  'pci-detach': of('<Domain> <domain:bus:slot.func>', "Remove a domain's pass-through pci device."),
  'pci-list': of('<Domain>', 'List pass-through pci devices for a domain.'),
  'pci-list-assignable-devices': of('', 'List all the assignable pci devices'),
  'scsi-attach': of('<Domain> <PhysDevice> <VirtDevice> [BackDomain]', 'Attach a new SCSI device.'),
  'scsi-detach': of('<Domain> <VirtDevice>', 'Detach a specified SCSI device.'),
  'scsi-list': of('<Domain> [--long]', 'List all SCSI devices currently attached.'),
  addlabel: of(`<label> ${LABEL_TARGETS}\n                   [<policy>]`, 'Add security label to domain.'),
  rmlabel: of('{dom <ConfigFile>|res <Resource>|mgt<managed domain>}', 'Remove a security label from domain.'),
  getlabel: of('{dom <ConfigFile>|res <Resource>|mgt <managed domain>}', 'Show security label for domain or resource.'),
  'dry-run': of('<ConfigFile>', 'Test if a domain can access its resources.'),
  resources: of('', 'Show info for each labeled resource.'),
  dumppolicy: of('', 'Print hypervisor ACM state information.'),
  setpolicy: of('<policytype> <policyfile> [options]', 'Set the policy of the system.'),
  resetpolicy: of('', 'Set the policy of the system to the default policy.'),
  getpolicy: of('[options]', 'Get the policy of the system.'),
  labels: of('[policy] [type=dom|res|any]', 'List <type> labels for (active) policy.'),
  serve: of('', 'Proxy Xend XMLRPC over stdio.'),
}

type OptionRow = readonly [short: string, long: string, text: string]

export const OPTIONS: Readonly<Record<string, readonly OptionRow[]>> = {
  'sched-sedf': [
    ['-p [MS]', '--period[=MS]', 'Relative deadline(ms)'],
    ['-s [MS]', '--slice[=MS]', 'Worst-case execution time(ms). (slice < period)'],
    ['-l [MS]', '--latency[=MS]', 'Scaled period (ms) when domain performs heavy I/O'],
    ['-e [FLAG]', '--extra[=FLAG]', 'Flag (0 or 1) controls if domain can run in extra time.'],
    ['-w [FLOAT]', '--weight[=FLOAT]', 'CPU Period/slice (do not set with --period/--slice)'],
  ],
  'sched-credit': [
    ['-d DOMAIN', '--domain=DOMAIN', 'Domain to modify'],
    ['-w WEIGHT', '--weight=WEIGHT', 'Weight (int)'],
    ['-c CAP', '--cap=CAP', 'Cap (int)'],
  ],
  list: [
    ['-l', '--long', 'Output all VM details in SXP'],
    ['', '--label', 'Include security labels'],
    ['', '--state=<state>', 'Select only VMs with the specified state'],
  ],
  console: [['-q', '--quiet', 'Do not print an error message if the domain does not exist']],
  vncviewer: [
    ['', '--autopass', 'Pass VNC password to viewer via stdin and -autopass'],
    ['', '--vncviewer-autopass', '(consistency alias for --autopass)'],
  ],
  dmesg: [['-c', '--clear', 'Clear dmesg buffer as well as printing it']],
  'vnet-list': [['-l', '--long', 'List Vnets as SXP']],
  'network-list': [['-l', '--long', 'List resources as SXP']],
  'dump-core': [
    ['-L', '--live', 'Dump core without pausing the domain'],
    ['-C', '--crash', 'Crash domain after dumping core'],
    ['-R', '--reset', 'Reset domain after dumping core'],
  ],
  start: [
    ['-p', '--paused', 'Do not unpause domain after starting it'],
    ['-c', '--console_autoconnect', 'Connect to the console after the domain is created'],
    ['', '--vncviewer', 'Connect to display via VNC after the domain is created'],
    ['', '--vncviewer-autopass', 'Pass VNC password to viewer via stdin and -autopass'],
  ],
  resume: [['-p', '--paused', 'Do not unpause domain after resuming it']],
  save: [['-c', '--checkpoint', 'Leave domain running after creating snapshot']],
  restore: [['-p', '--paused', 'Do not unpause domain after restoring it']],
  info: [['-c', '--config', 'List Xend configuration parameters']],
}

const words = (text: string): readonly string[] => text.split(' ')

export const COMMON = words(
  'console vncviewer create new delete destroy dump-core help list mem-set migrate pause reboot reset restore resume save shell shutdown start suspend top unpause uptime vcpu-set',
)

export const ALL = words(
  'console vncviewer create new delete destroy domid domname dump-core list mem-max mem-set migrate pause reboot rename reset restore resume save shutdown start suspend sysrq trigger top unpause uptime vcpu-list vcpu-pin vcpu-set debug-keys dmesg info log serve sched-credit sched-sedf block-attach block-detach block-list block-configure network-attach network-detach network-list vtpm-list pci-attach pci-detach pci-list pci-list-assignable-devices scsi-attach scsi-detach scsi-list vnet-list vnet-create vnet-delete labels addlabel rmlabel getlabel dry-run resources dumppolicy setpolicy resetpolicy getpolicy shell',
)

export const ALIASES: Readonly<Record<string, string>> = {
  balloon: 'mem-set',
  'set-vcpus': 'vcpu-set',
  'vif-list': 'network-list',
  'vbd-create': 'block-attach',
  'vbd-destroy': 'block-detach',
  'vbd-list': 'block-list',
}
