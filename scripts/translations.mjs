/**
 * Machine code of the guests' kernels, translated before anybody boots them (ADR 0013): a run of each on the headless host, up to its shell and off again, records it.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'

const root = resolve(import.meta.dirname, '..')
/** What translated code is made by, and what it relies on. */
const SOURCES = ['src/cpu', 'src/abi/pc/ring3.ts']

const filesOf = (path) =>
  path.endsWith('.ts')
    ? [path]
    : readdirSync(join(root, path), { recursive: true })
        .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
        .map((name) => join(path, name))

/** Of what the sources say now: what another version has translated is of no use. */
export function machineCodeVersion() {
  const hash = createHash('sha256')
  for (const path of SOURCES.flatMap(filesOf).sort())
    hash
      .update(path.replaceAll(sep, '/'))
      .update('\0')
      .update(readFileSync(join(root, path)))
      .update('\0')
  return hash.digest('hex').slice(0, 16)
}

const tapeOf = (guest) => `Set WaitTimeout 600s
Wait+Screen /GNU GRUB  version 0\\.97[^]*highlighted entry will be booted/
Enter
Wait /^xenhost login:$/
Type "root"
Enter
Wait /^\\[root@xenhost ~\\]#$/
Type "xm create ${guest} -c"
Enter
Wait /^root@debian:.*#$/
Type "ls -l /; free; dmesg | tail -n 1; mount -t ext2 /dev/xvda /mnt && cat /mnt/README && umount /mnt"
Enter
Wait /^root@debian:.*#$/
Type "poweroff"
Enter
Wait /^\\[root@xenhost ~\\]#$/
`

/** Record what the guests of these names need, from the disk `disk`, into `file`. Throws what the host said if that fails. */
export function recordTranslations(disk, guests, file) {
  const folder = mkdtempSync(join(tmpdir(), 'translations-'))
  try {
    let before = []
    for (const guest of guests) {
      const tape = join(folder, `${guest}.tape`)
      writeFileSync(tape, tapeOf(guest))
      const host = ['--turbo', '--guests', disk, '--tape', tape, '--write-translations', file, ...before]
      const options = { encoding: 'utf8', maxBuffer: 2 ** 30 }
      const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/headless.mjs'), ...host], options)
      if (status !== 0) throw new Error(`${relative(root, disk)}: ${guest} did not boot: ${stderr}`)
      before = ['--translations', file]
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
