/**
 * Debian's kernel from its first instruction to its shell, with and without its self-tests of cryptography: on our vCPU, once more with what that has translated (as after
 * `npm run guests:debian`), and bare on QEMU's translator.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Library } from '#cpu/translate/library.ts'
import { PvGuest } from '#testing/x86/direct-boot.ts'
import type { Figure } from './reference.ts'

const LIST = resolve('.cache/guests/guests.json')
/** What its initramfs says before the shell, on whatever console. */
const READY = 'to end the guest say poweroff'
const MEMORY_MIB = 256
const VIRTUAL_SECONDS = 60
const REAL_MS = 240_000

const COMMAND_LINES = [
  ['to its shell', ''],
  ['to its shell without self-tests', 'cryptomgr.notests=1'],
] as const

function ours(kernel: string, initrd: string, cmdline: string, library: Library): number {
  const [image, archive] = [kernel, initrd].map((path) => new Uint8Array(readFileSync(path))) as [
    Uint8Array,
    Uint8Array,
  ]
  const guest = new PvGuest({
    kernel: image,
    initrd: archive,
    cmdline: `console=hvc0 ${cmdline}`,
    memoryMiB: MEMORY_MIB,
    host: { ring3: { library } },
  })
  const from = performance.now()
  guest.expect(READY, VIRTUAL_SECONDS * 1e9)
  return performance.now() - from
}

function qemu(kernel: string, initrd: string, cmdline: string): Promise<number> {
  const from = performance.now()
  const options = [
    '-accel',
    'tcg',
    '-m',
    `${MEMORY_MIB}`,
    '-nodefaults',
    '-nographic',
    '-serial',
    'stdio',
    '-no-reboot',
  ]
  const append = ['-kernel', kernel, '-initrd', initrd, '-append', `console=ttyS0 ${cmdline}`]
  const child = spawn('qemu-system-x86_64', [...options, ...append], { stdio: ['ignore', 'pipe', 'ignore'] })
  return new Promise((done, fail) => {
    let text = ''
    const timer = setTimeout(() => end(() => fail(new Error(`no shell in QEMU: ${text.slice(-1000)}`))), REAL_MS)
    const end = (then: () => void): void => {
      clearTimeout(timer)
      child.removeAllListeners('exit')
      child.kill('SIGKILL')
      then()
    }
    child.on('exit', () => end(() => fail(new Error(`QEMU ended: ${text.slice(-1000)}`))))
    child.stdout.on('data', (part: Buffer) => {
      text += part.toString('latin1')
      if (text.includes(READY)) end(() => done(performance.now() - from))
    })
  })
}

export async function benchDebian(): Promise<Figure[]> {
  if (!existsSync(LIST)) {
    console.warn("no boot of Debian's kernel: it takes `npm run guests:debian`")
    return []
  }
  const hasQemu = spawnSync('qemu-system-x86_64', ['--version'], { stdio: 'ignore' }).status === 0
  if (!hasQemu) console.warn('no comparison of the boot: there is no qemu-system-x86_64')
  const { kernels } = JSON.parse(readFileSync(LIST, 'utf8')) as { kernels: { kernel: string; initrd: string }[] }
  const [{ kernel, initrd }] = kernels as [{ kernel: string; initrd: string }]
  const [kernelPath, initrdPath] = [kernel, initrd].map((name) => resolve('.cache/guests', name)) as [string, string]
  const figures: Figure[] = []
  for (const [what, cmdline] of COMMAND_LINES) {
    const library = new Library()
    const ms = ours(kernelPath, initrdPath, cmdline, library)
    figures.push({ name: `Debian's kernel ${what}: our vCPU`, unit: 'ms', value: ms })
    const again = ours(kernelPath, initrdPath, cmdline, library)
    figures.push({ name: `Debian's kernel ${what}: our vCPU, translated before`, unit: 'ms', value: again })
    if (!hasQemu) continue
    const theirs = await qemu(kernelPath, initrdPath, cmdline)
    const note = `ours takes ${(ms / theirs).toFixed(1)} times as long, translated before ${(again / theirs).toFixed(1)}`
    figures.push({ name: `Debian's kernel ${what}: bare on QEMU`, unit: 'ms', value: theirs, note })
  }
  return figures
}
