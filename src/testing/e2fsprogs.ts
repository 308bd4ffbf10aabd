/** Debian's e2fsprogs as an oracle for our ext2. Where it is not installed, tests that need it skip, and say so. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where Debian keeps administrators' programs, whether PATH names it or not. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
const env = { ...process.env, PATH, LC_ALL: 'C', MKE2FS_CONFIG: '/dev/null' }

export const hasE2fsprogs: boolean = ['e2fsck', 'debugfs', 'mke2fs'].every(
  (tool) => spawnSync(tool, ['-V'], { env }).error === undefined,
)
if (!hasE2fsprogs)
  console.warn('SKIPPED: ext2 against e2fsck, debugfs and mke2fs. Install the package e2fsprogs to run these.')

/** A directory for the time of `work`. */
export function withDir<T>(work: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'ext2-'))
  try {
    return work(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** What `e2fsck -fn` makes of an image: exit status 0 says that nothing is wrong. */
export function e2fsck(image: Uint8Array): { status: number | null; output: string } {
  return withDir((dir) => {
    const path = join(dir, 'image')
    writeFileSync(path, image)
    const { status, stdout, stderr } = spawnSync('e2fsck', ['-fn', path], { env, encoding: 'utf8' })
    return { status, output: stdout + stderr }
  })
}

/** A debugfs session on an image: its commands in, their output out. Files dumped to `out/NAME` come back as bytes. */
export function debugfs(
  image: Uint8Array,
  commands: readonly string[],
  dumps: readonly string[] = [],
): { output: string; files: Map<string, Uint8Array> } {
  return withDir((dir) => {
    const path = join(dir, 'image')
    writeFileSync(path, image)
    const lines = dumps.map((file, i) => `dump "${file}" ${join(dir, `dump${i}`)}`)
    writeFileSync(join(dir, 'commands'), [...commands, ...lines, ''].join('\n'))
    const output = execFileSync('debugfs', ['-f', join(dir, 'commands'), path], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 1 << 26,
    })
    const files = new Map(dumps.map((file, i) => [file, new Uint8Array(readFileSync(join(dir, `dump${i}`)))]))
    return { output, files }
  })
}

/** `mke2fs` with `args` on an image of `bytes` bytes, filled from directory `from`. */
export function mke2fs(bytes: number, args: readonly string[], from: string): Uint8Array {
  return withDir((dir) => {
    const path = join(dir, 'image')
    writeFileSync(path, new Uint8Array(bytes))
    execFileSync('mke2fs', ['-q', '-F', '-t', 'ext2', ...args, '-d', from, path], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return new Uint8Array(readFileSync(path))
  })
}
