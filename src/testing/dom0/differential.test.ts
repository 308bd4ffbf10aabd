/**
 * All snippets of ../differential once more, not in the rig but in domain 0 of the real host: its kernel, its ext2, its pipes, its /bin/sh. They
 * lie on the disk before it boots, a script runs each as the harness does, and what they said is read from the platter.
 */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { groups } from '../differential/groups.ts'
import type { Recorded } from '../differential/native.ts'
import type { Snippet } from '../differential/snippet.ts'
import { Dom0Host, freshDisk } from '../dom0-host.ts'

const recorded = JSON.parse(readFileSync(new URL('../differential/recorded.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, Recorded>
>

/** The recordings were made on blocks of 4 KiB; the default disk's have 1 KiB, which two snippets show. */
const ON_SMALL_BLOCKS: Readonly<Record<string, readonly [said: string, here: string]>> = {
  'cp -a keeps': ['total 8', 'total 2'],
  'ls -l': ['2 root root 4096', '2 root root 1024'],
}

const HOME = '/home/differential'
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))

/** One directory per snippet: `sh` and `in` before, `out`, `err` and `status` after; it runs in `work`. */
const RUNNER = `#!/bin/sh
umask 022
for dir in ${HOME}/*/; do
  cd $dir/work
  env -i PATH=/usr/bin:/bin HOME=/root LC_ALL=C TZ=UTC sh -c "$(cat ../sh)" <../in >../out 2>../err
  echo $? >../status
done
cd /
sync
echo "all have run"
`

const rows = Object.entries(groups).flatMap(([group, snippets]) => snippets.map((snippet) => ({ group, snippet })))
const directory = (index: number): string => `${HOME}/${1000 + index}`

function place(fs: Ext2, dir: string, { sh, stdin = '', files = {} }: Snippet): void {
  const made = new Set<string>()
  fs.mkdir(dir, 0o755)
  fs.mkdir(`${dir}/work`, 0o700)
  fs.writeFile(`${dir}/sh`, bytes(sh))
  fs.writeFile(`${dir}/in`, bytes(stdin))
  for (const [path, text] of Object.entries(files)) {
    const parts = path.split('/')
    for (let depth = 1; depth < parts.length; depth++) {
      const parent = `${dir}/work/${parts.slice(0, depth).join('/')}`
      if (!made.has(parent)) fs.mkdir(parent, 0o755)
      made.add(parent)
    }
    fs.writeFile(`${dir}/work/${path}`, bytes(text))
  }
}

let platter: Ext2
const said = (path: string): string => Buffer.from(platter.readFile(path)).toString('latin1')

beforeAll(async () => {
  const base = await buildDiskAndKnown()
  const disk = freshDisk(base)
  const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 1242109972 })
  fs.mkdir(HOME, 0o755)
  for (const [index, { snippet }] of rows.entries()) place(fs, directory(index), snippet)
  fs.writeFile('/root/differential', bytes(RUNNER), 0o755)
  fs.unmount()
  const host = new Dom0Host({ base, disk })
  host.boot()
  host.type('./differential\r')
  host.waitFor('all have run', 3600)
  host.type('halt\r')
  host.waitFor(/System halted|Power down/)
  platter = Ext2.mount(host.partition(), { now: () => 0, readOnly: true })
}, 240_000)

describe('domain 0 as Debian’s dash and coreutils', () => {
  test.each(rows.map((row, index) => ({ ...row, index, name: `${row.group}: ${row.snippet.name}` })))(
    '$name',
    ({ group, snippet, index }) => {
      const dir = directory(index)
      const [there, here] = ON_SMALL_BLOCKS[snippet.name] ?? ['', '']
      const wanted = recorded[group]![snippet.name]!
      const stderr = said(`${dir}/err`)
      expect({
        stdout: said(`${dir}/out`),
        stderr: snippet.stderr ? stderr : stderr === '' ? '' : '*',
        status: Number(said(`${dir}/status`)),
      }).toEqual({ ...wanted, stdout: wanted.stdout.replace(there, here) })
    },
  )
})
