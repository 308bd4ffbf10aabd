/** Cases on the host's own processor, where that is an x86-64 one and gcc is there. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Case, IN_BYTES, OUT_BYTES, writeCase } from './layout.ts'

/** Cases for one process. */
const BATCH = 10_000

export const hasNative = process.arch === 'x64' && process.platform === 'linux' && works('gcc', '--version')

function works(command: string, ...args: string[]): boolean {
  return spawnSync(command, args).status === 0
}

let runner: string | undefined

function compiled(): string {
  if (runner === undefined) {
    runner = join(mkdtempSync(join(tmpdir(), 'native-runner-')), 'native-runner')
    execFileSync('gcc', ['-O2', '-o', runner, fileURLToPath(new URL('native-runner.c', import.meta.url))])
  }
  return runner
}

/** A result for every case, laid out as layout.ts says. */
export function runNatively(cases: readonly Case[]): Uint8Array[] {
  const results: Uint8Array[] = []
  for (let from = 0; from < cases.length; from += BATCH) results.push(...runBatch(cases.slice(from, from + BATCH)))
  return results
}

function runBatch(cases: readonly Case[]): Uint8Array[] {
  const input = new Uint8Array(4 + cases.length * IN_BYTES)
  new DataView(input.buffer).setUint32(0, cases.length, true)
  for (const [i, case_] of cases.entries()) writeCase(case_, input, 4 + i * IN_BYTES)
  const { status, stdout, stderr } = spawnSync(compiled(), { input, maxBuffer: cases.length * OUT_BYTES + 4096 })
  if (status !== 0 || stdout.length !== cases.length * OUT_BYTES) {
    throw new Error(`the runner ended with ${status} after ${stdout.length} bytes: ${stderr}`)
  }
  return cases.map((_, i) => new Uint8Array(stdout.subarray(i * OUT_BYTES, (i + 1) * OUT_BYTES)))
}
