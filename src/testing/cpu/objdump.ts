/** GNU objdump, where the host has it: what it says of instructions. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Mode } from '#cpu/isa/insn.ts'

export interface Dumped {
  readonly address: bigint
  readonly bytes: Uint8Array
  /** Without symbols: `call   401000`, not `call   401000 <main>`. */
  readonly text: string
}

/** Debian 12's, that is: others write some things otherwise. */
export function hasObjdump(): boolean {
  try {
    return /^GNU objdump .* 2\.40$/m.test(execFileSync('objdump', ['--version'], { encoding: 'utf8' }))
  } catch {
    return false
  }
}

/** Of an ELF file's code. */
export const dumpFile = (path: string): Dumped[] => objdump(['-d', path])

/** Of bare bytes, from address 0. */
export function dumpBytes(bytes: Uint8Array, mode: Mode): Dumped[] {
  const directory = mkdtempSync(join(tmpdir(), 'objdump-'))
  try {
    const path = join(directory, 'code')
    writeFileSync(path, bytes)
    return objdump(['-D', '-b', 'binary', '-m', mode === 64 ? 'i386:x86-64' : 'i386', path])
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function objdump(args: string[]): Dumped[] {
  const text = execFileSync('objdump', ['--insn-width=16', ...args], { encoding: 'latin1', maxBuffer: 2 ** 30 })
  const dumped: Dumped[] = []
  for (const line of text.split('\n')) {
    const [at, bytes, instruction] = line.split('\t')
    if (bytes === undefined || !/^ *[0-9a-f]+:$/.test(at!)) continue
    dumped.push({
      address: BigInt(`0x${at!.trim().slice(0, -1)}`),
      bytes: Uint8Array.from(bytes.trim().split(' '), (byte) => Number.parseInt(byte, 16)),
      text: withoutSymbols(instruction ?? ''),
    })
  }
  return dumped
}

/** Bare files have no symbols, and targets with 0x. */
const withoutSymbols = (text: string): string =>
  text
    .replace(/ +<[^>]*>/g, '')
    .replace(/^(\S.*? )0x([0-9a-f]+)$/, (whole, before: string, target: string) =>
      /(?:^|\s)(?:j[a-z]+|call|loop[a-z]*)w? *(?:,p[nt])? *$/.test(before) ? before + target : whole,
    )
    .replace(/(# )0x/, '$1')
    .trimEnd()
