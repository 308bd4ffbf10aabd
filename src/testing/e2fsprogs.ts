/** Debian's e2fsprogs as an oracle for our ext2. Where it is not installed, tests that need it skip, and say so. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BlockStore, SECTOR_BYTES } from '#lib/ondisk/block-store.ts'

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

const PIECE_SECTORS = 128

/** The store as a file of `dir`, with holes where there are only zeros. */
function imageFile(dir: string, store: Pick<BlockStore, 'read' | 'sectors'>): string {
  const path = join(dir, 'image')
  const file = openSync(path, 'w')
  ftruncateSync(file, store.sectors * SECTOR_BYTES)
  const zeros = Buffer.alloc(PIECE_SECTORS * SECTOR_BYTES)
  for (let lba = 0; lba < store.sectors; lba += PIECE_SECTORS) {
    const piece = store.read(lba, Math.min(PIECE_SECTORS, store.sectors - lba))
    if (Buffer.compare(piece, zeros.subarray(0, piece.length)) !== 0)
      writeSync(file, piece, 0, piece.length, lba * SECTOR_BYTES)
  }
  closeSync(file)
  return path
}

/** What `e2fsck -fn` (and `options`) makes of an image: exit status 0 says that nothing is wrong. */
export function e2fsck(
  image: Pick<BlockStore, 'read' | 'sectors'>,
  options: readonly string[] = [],
): { status: number | null; output: string } {
  return withDir((dir) => {
    const path = imageFile(dir, image)
    const { status, stdout, stderr } = spawnSync('e2fsck', ['-fn', ...options, path], { env, encoding: 'utf8' })
    return { status, output: stdout + stderr }
  })
}

/** `e2fsck -fy` on the store itself: exit status 0 and 1 say that it is sound now, from 4 on that it is not. */
export function e2fsckRepair(store: BlockStore): { status: number | null; output: string } {
  return withDir((dir) => {
    const path = imageFile(dir, store)
    const { status, stdout, stderr } = spawnSync('e2fsck', ['-fy', path], { env, encoding: 'utf8' })
    const bytes = new Uint8Array(readFileSync(path))
    for (let lba = 0; lba < store.sectors; lba += PIECE_SECTORS) {
      const count = Math.min(PIECE_SECTORS, store.sectors - lba)
      store.write(lba, bytes.subarray(lba * SECTOR_BYTES, (lba + count) * SECTOR_BYTES))
    }
    return { status, output: stdout + stderr }
  })
}

/** A debugfs session on an image: its commands in, their output out. Files dumped to `out/NAME` come back as bytes. */
export function debugfs(
  image: Pick<BlockStore, 'read' | 'sectors'>,
  commands: readonly string[],
  dumps: readonly string[] = [],
): { output: string; files: Map<string, Uint8Array> } {
  return withDir((dir) => {
    const path = imageFile(dir, image)
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
