/** Programs and kernel modules that mean no good, from the disk, on the whole host: each ends as it should, and nobody else does. */
import { beforeAll, describe, expect, test } from 'vitest'
import { ImageKind } from '#abi/image.ts'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { cc } from '#toolchain/cc.ts'
import { plainImage } from '#toolchain/image.ts'
import { ld } from '#toolchain/ld.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host, freshDisk } from '../dom0-host.ts'
import { ALL_CALLS, MODULES, PROGRAMS, PROLOGUE } from './hostile-programs.ts'

function compile(kind: ImageKind, name: string, source: string): Uint8Array {
  const object = cc('h.ts', source, kind === ImageKind.program ? { preempt: true } : {})
  return plainImage(kind, name.slice(0, 12), ld(new Map([['h.ts', object]]), 'h.ts'))
}

/** Bodies without a main of their own get one. */
const sourceOf = ({ before = '', body }: (typeof PROGRAMS)[number]): string =>
  `${PROLOGUE}${before}\n${/export (function|const) main/.test(before) ? '' : `export function* main() { ${body} }`}`

let host: Dom0Host
beforeAll(async () => {
  const base = await buildDiskAndKnown()
  const disk = freshDisk(base)
  const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 0 })
  fs.mkdir('/root/h', 0o755)
  PROGRAMS.forEach((program, i) => {
    fs.writeFile(`/root/h/p${i}`, compile(ImageKind.program, `p${i}`, sourceOf(program)), 0o755)
  })
  fs.writeFile('/root/h/calls', compile(ImageKind.program, 'calls', ALL_CALLS), 0o755)
  for (const { name, source } of MODULES) fs.writeFile(`/root/h/${name}.ko`, compile(ImageKind.module, name, source))
  fs.writeFile(
    '/root/h/text.ko',
    Uint8Array.from('no module', (letter) => letter.charCodeAt(0)),
  )
  fs.writeFile(
    '/root/h/stays.ko',
    compile(ImageKind.module, 'stays', "export const module = { name: 'stays', license: 'GPL', *init() { } }"),
  )
  fs.unmount()
  host = new Dom0Host({ base, disk })
  host.boot()
}, 120_000)

const alive = (): void => {
  expect(host.run('echo alive; ls /root/h/p0').output).toBe('alive\n/root/h/p0')
}

describe('a program that', () => {
  test.each(PROGRAMS.map((program, i) => [program.name, i] as const))('%s', (_name, i) => {
    const { status, says } = PROGRAMS[i]!
    host.run('dmesg -c > /dev/null')
    const outcome = host.run(`h/p${i}`, 30)
    expect(outcome).toMatchObject({ status })
    if (says) expect(outcome.output + host.run('dmesg').output).toMatch(says)
    expect(host.run('dmesg').output).not.toMatch(/Oops|Unable to handle/)
    alive()
  })

  test('calls everything with arguments of wrong types', () => {
    host.run('dmesg -c > /dev/null')
    expect(host.run('h/calls < /dev/null', 30)).toMatchObject({ status: 0 })
    expect(host.run('dmesg').output).not.toMatch(/Oops|Unable to handle/)
    alive()
  })
})

describe('a module that', () => {
  test.each(MODULES.map((module) => [module.name, module] as const))('%s', (name, { status, says }) => {
    host.run('dmesg -c > /dev/null')
    const outcome = host.run(`insmod h/${name}.ko`, 30)
    expect(outcome).toMatchObject({ status })
    expect(outcome.output + host.run('dmesg').output).toMatch(says)
    expect(host.run('lsmod').output).not.toContain(name)
    alive()
  })

  test('is none is refused; one that has no exit stays', () => {
    expect(host.run('insmod h/text.ko').output).toMatch(/Invalid module format/)
    expect(host.run('insmod h/p0').output).toMatch(/Invalid module format/)
    expect(host.run('h/stays.ko')).toMatchObject({ status: 126 })
    expect(host.run('insmod h/stays.ko').status).toBe(0)
    expect(host.run('insmod h/stays.ko').output).toMatch(/File exists/)
    expect(host.run('rmmod stays').output).toMatch(/Device or resource busy/)
    expect(host.run('lsmod').output).toMatch(/^stays +\d+ +0/m)
    alive()
  })
})
