/**
 * Static programs that gcc compiles here give the same output and status on our processors as natively: on the interpreter over flat memory, and on a vCPU with page tables that
 * translates soon.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { FlatCpu } from '#cpu/flat-cpu.ts'
import { Interpreter } from '#cpu/interpret/interpreter.ts'
import {
  AREA,
  AREA_BYTES,
  IMAGE,
  IMAGE_BYTES,
  LinuxProcess,
  type Machine,
  plainCpuid,
  STACK_BYTES,
  STACK_TOP,
} from './linux-process.ts'
import { hasNative } from './native.ts'
import { PagedMachine } from './paged-machine.ts'

const PROGRAMS = ['integer', 'control', 'sha256', 'floating']
const BUDGET = 50_000_000
const THRESHOLD = 16

const PIECES = [
  { address: IMAGE, bytes: IMAGE_BYTES },
  { address: AREA, bytes: AREA_BYTES },
  { address: STACK_TOP - BigInt(STACK_BYTES), bytes: STACK_BYTES },
]

class ProgramCpu extends FlatCpu {
  override cpuid(leaf: number): readonly [number, number, number, number] {
    return plainCpuid(leaf)
  }
}

function flat(): Machine {
  const cpu = new ProgramCpu(PIECES)
  const interpreter = new Interpreter(cpu)
  return { cpu, run: (budget) => interpreter.run(budget) }
}

function paged(): Machine {
  const machine = new PagedMachine(THRESHOLD, { cpuid: plainCpuid })
  let frame = 0
  for (const { address, bytes } of PIECES) {
    for (let at = 0; at < bytes; at += 4096) machine.map(address + BigInt(at), frame++)
  }
  const { vcpu } = machine
  return { cpu: vcpu, run: (budget) => vcpu.run(budget) }
}

const directory = hasNative ? mkdtempSync(join(tmpdir(), 'programs-')) : ''

function compile(name: string, ...options: string[]): string {
  const source = fileURLToPath(new URL(`programs/${name}.c`, import.meta.url))
  const program = join(directory, `${name}${options.join('')}`)
  execFileSync('gcc', ['-static', '-march=x86-64', ...options, '-o', program, source, '-lm'])
  return program
}

if (!hasNative) console.warn('static programs are not tried: this is no x86-64 Linux host with gcc')

describe.skipIf(!hasNative).each(PROGRAMS)('%s.c', (name) => {
  test.each([
    ['-O0', 'interpreted', flat],
    ['-O2', 'interpreted', flat],
    ['-O2', 'translated', paged],
  ] as const)('compiled with %s and %s', { timeout: 300_000 }, (option, _, machine) => {
    const program = compile(name, option)
    const native = spawnSync(program, ['one'], { argv0: name })
    const process = new LinuxProcess(machine(), readFileSync(program), [name, 'one'])
    process.run(BUDGET)
    expect(process.output).toBe(native.stdout.toString())
    expect(process.status).toBe(native.status)
    expect(process.output).not.toBe('')
  })
})
