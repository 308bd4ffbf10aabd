/** Runs snippets on this machine's dash. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Snippet } from './snippet.ts'

export interface Recorded {
  readonly stdout: string
  readonly stderr: string
  readonly status: number
}

const DASH = '/bin/dash'
export const dashIsHere = (): boolean => existsSync(DASH)

/** Byte strings: Latin-1 keeps each byte. Standard error is kept only where it counts, else whether there was any. */
export function runNatively({ sh, stdin = '', files = {}, stderr }: Snippet): Recorded {
  const dir = mkdtempSync(join(tmpdir(), 'differential-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, path)), { recursive: true })
      writeFileSync(join(dir, path), text, 'latin1')
    }
    // `sh` as its name: messages begin with it.
    const result = spawnSync(DASH, ['-c', sh], {
      argv0: 'sh',
      cwd: dir,
      input: Buffer.from(stdin, 'latin1'),
      env: { PATH: '/usr/bin:/bin', HOME: '/root', LC_ALL: 'C', TZ: 'UTC' },
      timeout: 20_000,
    })
    const told = result.stderr.toString('latin1')
    return {
      stdout: result.stdout.toString('latin1'),
      stderr: stderr ? told : told === '' ? '' : '*',
      status: result.status ?? 128,
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
