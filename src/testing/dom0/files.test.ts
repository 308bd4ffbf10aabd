/** Files outlive reboots and power cuts. */
import { beforeAll, describe, expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { type DefaultDiskBytes, Dom0Host } from '../dom0-host.ts'
import { e2fsck, hasE2fsprogs } from '../e2fsprogs.ts'
import { campaign } from '../soak.ts'

let base: DefaultDiskBytes
beforeAll(async () => {
  base = await buildDiskAndKnown()
}, 120_000)

const CUTS = campaign(20, 3)

/** Makes, moves, grows and removes files; every so often syncs, and says how far it has come. The contents tell what they must be. */
const WORKLOAD = [
  '#!/bin/sh',
  'mkdir -p /root/w; cd /root/w; i=0',
  'while :; do',
  '  i=$((i+1)); d=d$((i%5)); mkdir -p $d',
  '  seq 1 $((i*17%900)) > $d/tmp; echo "end $i" >> $d/tmp; mv $d/tmp $d/f$i',
  '  [ $i -gt 12 ] && rm -f d$(((i-12)%5))/f$((i-12))',
  '  ln -s f$i $d/last$i; dd if=/dev/zero of=$d/hole bs=1024 seek=$((i*3)) count=1 2>/dev/null',
  '  if [ $((i%4)) = 0 ]; then sync; echo "synced $i."; fi',
  'done',
].join('\n')

const expected = (i: number): string => {
  let text = ''
  for (let n = 1; n <= (i * 17) % 900; n++) text += `${n}\n`
  return `${text}end ${i}\n`
}

describe('files', () => {
  test('what was written is there after a reboot, and the disk is clean', () => {
    const host = new Dom0Host({ base })
    host.boot()
    host.run('mkdir -p /root/a/b && echo kept > /root/a/b/c && chmod 640 /root/a/b/c && ln /root/a/b/c /root/d')
    host.type('reboot\r')
    host.waitFor('Restarting system.')
    host.toLogin()
    expect(host.text).toMatch(/: clean, \d+\/\d+ files, \d+\/\d+ blocks/)
    host.login()
    expect(host.run('cat /root/d; stat -c "%a %h" /root/a/b/c').output).toBe('kept\n640 2')
    host.type('halt\r')
    host.waitFor(/System halted|Power down/)
    if (hasE2fsprogs) expect(e2fsck(host.partition())).toMatchObject({ status: 0 })
  }, 120_000)

  test(`${CUTS} power cuts: fsck repairs, nothing synced is lost, e2fsck has nothing to say`, () => {
    const host = new Dom0Host({ base })
    host.boot()
    host.type(`cat > w.sh << 'EOF'\r${WORKLOAD.replaceAll('\n', '\r')}\rEOF\r`)
    host.waitFor(/# $/)
    host.run('sync')
    host.type('sh w.sh\r')
    host.waitFor('synced 4.')
    const rng = createRng(20090512).fork('power cuts')
    for (let cut = 0; cut < CUTS; cut++) {
      host.runFor(0.01 + rng.below(1000) / 20_000)
      // The plug of a twin is pulled at this very moment.
      const disk = host.disk.clone()
      const synced = Number([...host.text.matchAll(/synced (\d+)\./g)].at(-1)![1])
      const twin = new Dom0Host({ base, disk })
      twin.toLogin()
      expect(twin.text).toMatch(/was not cleanly unmounted, check forced/)
      twin.login()
      for (let i = Math.max(1, synced - 7); i <= synced; i++)
        expect(twin.run(`cat /root/w/d${i % 5}/f${i}`).output).toBe(expected(i).trimEnd())
      twin.type('halt\r')
      twin.waitFor(/System halted|Power down/)
      if (hasE2fsprogs) expect(e2fsck(twin.partition())).toMatchObject({ status: 0 })
    }
  }, 600_000)
})
