/**
 * C programs of programs/, compiled by gcc here: natively, on our vCPU, and on what others have made of the same task, v86 (x86 of 32 bits in WebAssembly) and QEMU's translator. What is not
 * installed is left out, and says so.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { THRESHOLD } from '#cpu/vcpu.ts'
import {
  AREA,
  AREA_BYTES,
  IMAGE,
  IMAGE_BYTES,
  LinuxProcess,
  STACK_BYTES,
  STACK_TOP,
} from '#testing/cpu/linux-process.ts'
import { PagedMachine } from '#testing/cpu/paged-machine.ts'
import type { Figure } from './reference.ts'

const PROGRAMS: readonly (readonly [name: string, what: string])[] = [
  ['integer', 'integers as in CoreMark'],
  ['sha256', 'SHA-256 over 16 MB'],
  ['memcpy', '1 GB copied'],
  ['interpreter', "a bytecode interpreter's loop"],
  ['floating', 'doubles'],
]

const COMMON =
  '-O2 -static -nostdlib -ffreestanding -fno-pic -no-pie -fno-stack-protector -fno-asynchronous-unwind-tables'
const LONG_MODE = '-march=x86-64'
/** The header of a multiboot kernel has to be in its first 8 KiB. */
const MULTIBOOT =
  '-m32 -march=pentium4 -mfpmath=sse -DMULTIBOOT -Wl,-n,-z,noseparate-code,-Ttext=0x100000,--build-id=none,--no-warn-rwx-segments'

function compile(directory: string, name: string, options: string): string {
  const program = join(directory, `${name}-${options.slice(1, 4)}`)
  const source = resolve('bench/programs', `${name}.c`)
  execFileSync('gcc', [...COMMON.split(' '), ...options.split(' '), '-o', program, source])
  return program
}

const has = (program: string): boolean => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0

interface Run {
  readonly output: string
  readonly ms: number
}

function spawned(program: string, ...args: string[]): Run {
  const from = performance.now()
  const { stdout } = spawnSync(program, args)
  return { output: stdout.toString(), ms: performance.now() - from }
}

function ours(program: string): Run {
  const machine = new PagedMachine(THRESHOLD)
  let frame = 0
  for (const [address, bytes] of [
    [IMAGE, IMAGE_BYTES],
    [AREA, AREA_BYTES],
    [STACK_TOP - BigInt(STACK_BYTES), STACK_BYTES],
  ] as const)
    for (let at = 0; at < bytes; at += 4096) machine.map(address + BigInt(at), frame++)
  const { vcpu } = machine
  const process = new LinuxProcess({ cpu: vcpu, run: (budget) => vcpu.run(budget) }, readFileSync(program), ['program'])
  const from = performance.now()
  process.run(Number.MAX_SAFE_INTEGER, 2 ** 24)
  return { output: process.output, ms: performance.now() - from }
}

interface V86 {
  add_listener(event: string, listener: (byte: number) => void): void
  destroy(): Promise<void>
}

/** Until the kernel's line is complete; it begins to count behind its first character. */
async function v86(path: string, program: string): Promise<Run> {
  const { V86: Emulator } = (await import(/* @vite-ignore */ path)) as { V86: new (options: object) => V86 }
  const file = readFileSync(program)
  const emulator = new Emulator({
    wasm_path: join(path, '..', 'v86.wasm'),
    memory_size: 32 << 20,
    vga_memory_size: 2 << 20,
    autostart: true,
    disable_speaker: true,
    multiboot: { buffer: file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) },
  })
  let output = ''
  let from = 0
  const ms = await new Promise<number>((done) => {
    emulator.add_listener('serial0-output-byte', (byte) => {
      const character = String.fromCharCode(byte)
      if (character === '>') from = performance.now()
      else output += character
      if (character === '\n') done(performance.now() - from)
    })
  })
  await emulator.destroy()
  return { output, ms }
}

function v86Path(): string | undefined {
  try {
    return createRequire(resolve('package.json')).resolve('v86')
  } catch {
    return undefined
  }
}

export async function benchPrograms(): Promise<Figure[]> {
  if (!has('gcc') || process.arch !== 'x64') {
    console.warn('no C programs: they need gcc, and an x86-64 processor to be compared with')
    return []
  }
  const qemu = has('qemu-x86_64')
  if (!qemu) console.warn("no comparison with QEMU's translator: there is no qemu-x86_64 (Debian's package qemu-user)")
  const emulator = v86Path()
  if (!emulator) console.warn('no comparison with v86: its npm package is not installed')
  const directory = mkdtempSync(join(tmpdir(), 'bench-'))
  const figures: Figure[] = []
  for (const [name, what] of PROGRAMS) {
    const program = compile(directory, name, LONG_MODE)
    const native = spawned(program)
    const runs: [string, Run][] = [['our vCPU', ours(program)]]
    if (emulator) runs.push(['v86', await v86(emulator, compile(directory, name, MULTIBOOT))])
    if (qemu) runs.push(['QEMU', spawned('qemu-x86_64', program)])
    figures.push({ name: `${what}: natively`, unit: 'ms', value: native.ms })
    for (const [who, { output, ms }] of runs) {
      if (output !== native.output) throw new Error(`${name}: ${output} instead of ${native.output} by ${who}`)
      figures.push({
        name: `${what}: ${who}`,
        unit: 'ms',
        value: ms,
        note: `${(ms / native.ms).toFixed(1)} times native`,
      })
    }
  }
  rmSync(directory, { recursive: true })
  return figures
}
