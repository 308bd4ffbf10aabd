/**
 * node scripts/pv-boot.mjs: boot a paravirtual kernel on the bench, without dom0's tools: the hypervisor's source, a domain built at once, its console here
 * (src/testing/x86/direct-boot.ts). Without arguments it is the kernel that `npm run guests:debian` has fetched.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { madeGuests } from './guests-debian.mjs'
import { loadTs } from './load-ts.mjs'

const USAGE = `Usage: node scripts/pv-boot.mjs [OPTION]...
      --kernel FILE      a bzImage or an ELF kernel
      --initrd FILE      gunzipped by the kernel, if it is gzipped
      --cmdline WORDS    default: console=hvc0
      --memory MIB       default: 128
      --vcpus N          default: 1
      --seconds S        of virtual time, at most; default: 60
      --input TEXT       typed when the console has said --prompt (default: '# '); \\n is Enter
`
const { values } = parseArgs({
  options: Object.fromEntries(
    ['kernel', 'initrd', 'cmdline', 'memory', 'vcpus', 'seconds', 'input', 'prompt'].map((name) => [
      name,
      { type: 'string' },
    ]),
  ),
})
const fetched = madeGuests()?.kernels[0]
const kernel = values.kernel ?? fetched?.kernel
if (kernel === undefined) {
  process.stderr.write(USAGE)
  process.exit(2)
}
const initrd = values.initrd ?? (values.kernel === undefined ? fetched?.initrd : undefined)
const bytes = (path) => path && new Uint8Array(readFileSync(path))

const { PvGuest } = await loadTs('src/testing/x86/direct-boot.ts')
const guest = new PvGuest({
  kernel: bytes(kernel),
  initrd: bytes(initrd),
  cmdline: values.cmdline ?? 'console=hvc0',
  memoryMiB: Number(values.memory ?? 128),
  vcpus: Number(values.vcpus ?? 1),
})
guest.console.onText = (text) => process.stdout.write(text)
const prompt = values.prompt ?? '# '
let input = values.input?.replaceAll('\\n', '\n')
const from = performance.now()
const fromNs = guest.host.nowNs
guest.runUntil(
  () => {
    if (input !== undefined && guest.console.text.includes(prompt)) {
      guest.console.type(input)
      input = undefined
    }
    return false
  },
  Number(values.seconds ?? 60) * 1e9,
)
const seconds = (ns) => (ns / 1e9).toFixed(2)
process.stdout.write(
  `\n${seconds((performance.now() - from) * 1e6)} s; virtual time ${seconds(guest.host.nowNs - fromNs)} s\n`,
)
if (guest.domain.shuttingDown) {
  process.stdout.write(`it has shut down, reason ${guest.domain.shutdownCode}\n`)
  guest.host.runFor(2e9)
  const { serial } = guest.host
  process.stdout.write(serial.slice(serial.indexOf('init memory.') + 12))
}
process.exit(0)
