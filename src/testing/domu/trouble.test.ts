/** Guests that misbehave, and many of them: domain 0 lives, and nothing is lost for good. */
import { beforeAll, describe, expect, test } from 'vitest'
import { ImageKind } from '#abi/image.ts'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { cc } from '#toolchain/cc.ts'
import { plainImage } from '#toolchain/image.ts'
import { ld } from '#toolchain/ld.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host, freshDisk } from '../dom0-host.ts'
import { holdings, row, rows } from './host-facts.ts'

/** Its first step touches what nobody has mapped. */
const FAULTY =
  "export const module = { name: 'faulty', license: 'GPL', *init(kernel) { kernel.mem.write8(0x1234, 1) } }"

let host: Dom0Host
let before: ReturnType<typeof holdings>
beforeAll(async () => {
  const base = await buildDiskAndKnown()
  const disk = freshDisk(base)
  const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 0 })
  const faulty = plainImage(ImageKind.module, 'faulty', ld(new Map([['f.ts', cc('f.ts', FAULTY, {})]]), 'f.ts'))
  fs.writeFile('/root/faulty.ko', faulty)
  fs.unmount()
  host = new Dom0Host({ base, disk })
  host.boot()
  const image = '/var/lib/xen/images/sebastian.img'
  expect(host.run(`mount -o loop ${image} /mnt && cp faulty.ko /mnt/root && umount /mnt`).status).toBe(0)
  host.run('xm list')
  before = holdings(host)
}, 120_000)

const nothingIsLeft = (): void => {
  expect(rows(host).map(({ name }) => name)).toEqual(['Domain-0'])
  expect(holdings(host)).toEqual(before)
}

/** Leave a guest that says no more. */
function detach(): void {
  host.type('\x1d')
  host.waitFor(/\[root@xenhost [^\]]*\]# $/)
}

test('a guest that does nothing but run', () => {
  host.run('xm create sebastian')
  host.type('xm console sebastian\r')
  host.waitFor('sebastian login: ')
  host.type('root\r')
  host.waitFor(/\[root@sebastian [^\]]*\]# $/)
  host.type('while :; do :; done\r')
  detach()
  // First on a processor of its own, then on the one that domain 0 has.
  for (const command of ['xm vcpu-pin sebastian 0 1', 'xm vcpu-pin sebastian 0 0; xm vcpu-pin 0 0 0']) {
    expect(host.run(command)).toEqual({ output: '', status: 0 })
    const first = row(host, 'sebastian')!.time
    const start = host.world.nowNs()
    for (let i = 0; i < 5; i++) expect(host.run('echo $((6*7))').output).toBe('42')
    expect((host.world.nowNs() - start) / 1e9).toBeLessThan(1)
    host.runFor(1)
    const seconds = (host.world.nowNs() - start) / 1e9
    const used = row(host, 'sebastian')!.time - first
    expect(used).toBeGreaterThan(seconds * 0.8)
    expect(used).toBeLessThan(seconds * 1.05 + 0.1)
  }
  expect(host.run('xm vcpu-pin 0 0 all; xm destroy sebastian')).toEqual({ output: '', status: 0 })
  host.runFor(1)
  nothingIsLeft()
})

/** Times that xend's log has said so. */
const logged = (words: string): number =>
  Number(/^\d+$/m.exec(host.run(`grep -c '${words}' /var/log/xen/xend.log`).output))

describe('a guest whose init ends', () => {
  const create = (action: string): void => {
    expect(host.run(`xm create sebastian extra="init=/bin/true" on_crash=${action}`).status).toBe(0)
    host.runFor(3)
  }
  test('is kept as it is with on_crash=preserve', () => {
    create('preserve')
    expect(row(host, 'sebastian')?.state).toBe('----c-')
    host.type('xm console sebastian\r')
    host.waitFor('Kernel panic - not syncing: Attempted to kill init!')
    detach()
    expect(host.run('xm destroy sebastian').status).toBe(0)
    host.runFor(1)
    nothingIsLeft()
  })

  test('is gone with on_crash=destroy', () => {
    const crashes = logged('Domain has crashed: name=sebastian')
    create('destroy')
    expect(logged('Domain has crashed: name=sebastian')).toBe(crashes + 1)
    nothingIsLeft()
  })

  test('is started once more with on_crash=restart, and not again so soon', () => {
    const crashes = logged('Domain has crashed: name=sebastian')
    create('restart')
    expect(logged('Domain has crashed: name=sebastian')).toBe(crashes + 2)
    expect(logged('VM sebastian restarting too fast')).toBe(1)
    nothingIsLeft()
  })

  test('is kept under another name with on_crash=rename-restart', () => {
    create('rename-restart')
    const kept = rows(host).filter(({ name }) => /^Domain-[0-9a-f]{8}-/.test(name))
    expect(kept).toHaveLength(1)
    expect(kept[0]!.state).toBe('----c-')
    expect(host.run(`xm destroy ${kept[0]!.id}`).status).toBe(0)
    host.runFor(1)
    nothingIsLeft()
  })
})

describe('a guest whose kernel module faults', () => {
  const create = (settings: string): number => {
    expect(host.run(`xm create sebastian ${settings}`).status).toBe(0)
    return row(host, 'sebastian')!.id
  }
  const insert = (): void => {
    host.type('xm console sebastian\r')
    host.waitFor('sebastian login: ')
    host.type('root\r')
    host.waitFor(/\[root@sebastian [^\]]*\]# $/)
    host.type('insmod faulty.ko\r')
  }

  test('loses the process, and goes on', () => {
    create('')
    insert()
    host.waitFor(/Oops: 0000 \[1\][\s\S]*comm: insmod Not tainted[\s\S]*\[root@sebastian [^\]]*\]# $/)
    detach()
    expect(row(host, 'sebastian')?.state).toMatch(/^[r-][b-]----$/)
    expect(host.run('xm destroy sebastian').status).toBe(0)
    host.runFor(1)
    nothingIsLeft()
  })

  test('crashes with oops=panic: kept, or started anew, as on_crash says', () => {
    const id = create('extra="oops=panic" on_crash=preserve')
    insert()
    host.waitFor(/Oops: 0000 \[1\][\s\S]*Kernel panic - not syncing: Oops/)
    detach()
    expect(row(host, 'sebastian')).toMatchObject({ id, state: '----c-' })
    expect(host.run('xm destroy sebastian').status).toBe(0)
    host.runFor(1)
    nothingIsLeft()

    expect(create('extra="oops=panic" on_crash=restart')).toBe(id + 1)
    insert()
    // The console ends with the domain.
    host.waitFor(/\[root@xenhost [^\]]*\]# /)
    host.runFor(3)
    expect(row(host, 'sebastian')?.id).toBe(id + 2)
    host.inGuest('sebastian', 'sebastian', () => expect(host.run('uname -n').output).toBe('sebastian'))
    expect(host.run('xm destroy sebastian').status).toBe(0)
    host.runFor(1)
    nothingIsLeft()
  })
})

test('twenty small guests, listed and destroyed', () => {
  const numbers = Array.from({ length: 20 }, (_, i) => i + 1)
  const create = host.run('for n in $(seq 20); do xm create minimal name=m$n > /dev/null || echo failed $n; done')
  expect(create).toEqual({ output: '', status: 0 })
  expect(
    rows(host)
      .map(({ name, mem }) => `${name} ${mem}`)
      .sort(),
  ).toEqual(['Domain-0 256', ...numbers.map((n) => `m${n} 8`)].sort())
  host.type('xm console m7\r')
  host.waitFor('minimal login: ')
  host.type('root\r')
  // It has nothing in /etc that would make a longer prompt.
  host.waitFor(/\n# $/)
  host.type('uname -n\r')
  host.waitFor(/\nminimal\n# $/)
  detach()
  expect(host.run('for n in $(seq 20); do xm destroy m$n || echo failed $n; done').output).toBe('')
  host.runFor(3)
  nothingIsLeft()
})
