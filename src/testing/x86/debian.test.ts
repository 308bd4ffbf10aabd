/**
 * Debian's own kernel as a guest, on the whole host: xm create, its console, processors, memory, disk and end. It needs what `npm run guests:debian` fetches; without it, it is
 * skipped, and says so.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { createRing3s } from '#world/ring3.ts'
import { withTranslations } from '#world/translations.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { guestsTranslations, madeGuests } from '../../../scripts/guests-debian.mjs'
import { Dom0Host, freshDisk } from '../dom0-host.ts'
import { info, row } from '../domu/host-facts.ts'
import { e2fsck, hasE2fsprogs } from '../e2fsprogs.ts'
import { campaign } from '../soak.ts'

const guests = madeGuests()
if (!guests) console.warn("SKIPPED: Debian's kernel as a guest. Run `npm run guests:debian` to run these.")

/** The cloud kernel; at length the general one as well, where it has been fetched (`npm run guests:debian -- --general`). */
const kernels: { name: string; version: string }[] = guests ? campaign(guests.kernels, guests.kernels.slice(0, 1)) : []
const translations = guestsTranslations()
/** As the page has it, and the command line. */
const executing = translations ? withTranslations(new Uint8Array(gunzipSync(readFileSync(translations)))) : createRing3s
const SECONDS = 400
const PROMPT = /root@debian:[^\n]*# $/
const DOM0_PROMPT = /\[root@xenhost [^\]\n]*\]# $/
const ESCAPE = '\x1d'
const SECTOR_BYTES = 512

interface Processor {
  readonly vcpu: string
  readonly cpu: string
  readonly state: string
  readonly seconds: number
}

/** `xm vcpu-list` of one domain. */
function processors(host: Dom0Host, name: string): Processor[] {
  const [, ...lines] = host.run(`xm vcpu-list ${name}`).output.split('\n')
  return lines.map((line) => {
    const [, , vcpu = '', cpu = '', state = '', seconds] = line.split(/\s+/)
    return { vcpu, cpu, state, seconds: Number(seconds) }
  })
}

/** A shell on the guest's console, which has the serial line. */
class GuestShell {
  readonly #host: Dom0Host
  constructor(host: Dom0Host) {
    this.#host = host
  }
  ready(): void {
    this.#host.waitFor(PROMPT, SECONDS)
  }
  run(command: string): string {
    const from = this.#host.text.length
    this.#host.type(`${command}\r`)
    this.ready()
    const { text } = this.#host
    return text.slice(text.indexOf('\n', from) + 1, text.lastIndexOf('\n') + 1)
  }
  get processors(): number {
    return Number(this.run('nproc'))
  }
  /** MemTotal as the kernel has it, MiB. */
  get totalMiB(): number {
    return Math.round(Number(/MemTotal: +(\d+)/.exec(this.run('grep MemTotal /proc/meminfo'))?.[1]) / 1024)
  }
}

describe.skipIf(!guests)("Debian's kernel", () => {
  let base: { bytes: Uint8Array; known: string[] }
  beforeAll(async () => {
    base = await buildDiskAndKnown()
  }, 120_000)

  test.each(kernels)(
    '$name boots to a shell, gives processors and memory back and takes them, mounts its disk, and powers off',
    {
      timeout: SECONDS * 1000,
    },
    ({ name, version }) => {
      const secondDisk = freshDisk({ bytes: new Uint8Array(readFileSync(guests!.disk)), known: [] })
      const host = new Dom0Host({ base, secondDisk, createRing3s: executing })
      const shell = new GuestShell(host)
      const dom0 = <T>(body: () => T): T => {
        host.type(ESCAPE)
        host.waitFor(DOM0_PROMPT)
        const result = body()
        host.type(`xm console ${name}\r`)
        // What is typed before it has the terminal is thrown away.
        host.runFor(0.5)
        host.type('\r')
        shell.ready()
        return result
      }
      host.boot()
      host.type(`xm create ${name} vcpus=2 -c\r`)
      shell.ready()
      expect(shell.run('uname -r').trim()).toBe(version)

      const log = shell.run('dmesg')
      expect(log).toContain('Hypervisor detected: Xen PV')
      expect(log).not.toMatch(/WARNING:|Oops|BUG:|Call Trace/)

      expect(shell.processors).toBe(2)
      // A process of each: taskset takes masks, stat's 39th word is the processor.
      for (const [processor, mask] of [1, 2].entries())
        expect(shell.run(`taskset ${mask} cut -d' ' -f39 /proc/self/stat`)).toBe(`${processor}\n`)
      dom0(() => {
        const [first, second] = processors(host, name)
        expect(first).toMatchObject({ vcpu: '0', state: expect.stringMatching(/^[rb-]+$/) })
        expect(second).toMatchObject({ vcpu: '1', state: expect.stringMatching(/^[rb-]+$/) })
        for (const { seconds } of [first!, second!]) expect(seconds).toBeGreaterThan(0)
        expect(host.run(`xm vcpu-set ${name} 1`).status).toBe(0)
        host.runFor(1)
        expect(processors(host, name)[1]).toMatchObject({ cpu: '-', state: '--p' })
        expect(row(host, name)).toMatchObject({ vcpus: 1 })
      })
      expect(shell.processors).toBe(1)
      dom0(() => {
        expect(host.run(`xm vcpu-set ${name} 2`).status).toBe(0)
        host.runFor(1)
      })
      // Linux leaves it to the guest's user to begin with one that is there.
      shell.run('echo 1 > /sys/devices/system/cpu/cpu1/online')
      expect(shell.processors).toBe(2)

      const before = shell.totalMiB
      const free = dom0(() => {
        expect(row(host, name)).toMatchObject({ mem: 256, vcpus: 2 })
        const free = Number(info(host, 'free_memory'))
        expect(host.run(`xm mem-set ${name} 128`).status).toBe(0)
        host.runFor(2)
        expect(row(host, name)?.mem).toBe(128)
        expect(Number(info(host, 'free_memory')) - free).toBe(128)
        return free
      })
      expect(before - shell.totalMiB).toBe(128)
      dom0(() => {
        expect(host.run(`xm mem-set ${name} 256`).status).toBe(0)
        host.runFor(2)
        expect(Number(info(host, 'free_memory'))).toBe(free)
      })
      expect(shell.totalMiB).toBe(before)

      expect(shell.run('mount -t ext2 /dev/xvda /mnt && cat /mnt/README')).toContain('This disk is yours')
      shell.run('dmesg > /mnt/log; mkdir /mnt/folder; echo hello > /mnt/folder/file; sync; umount /mnt')
      host.type('poweroff\r')
      host.waitFor(DOM0_PROMPT, SECONDS)
      expect(host.run(`xm list ${name}`).output).toContain('does not exist')

      host.run('sync')
      const store = partition(secondDisk, readPartitions(secondDisk)![0]!)
      const image = Ext2.mount(store, { now: () => 0, readOnly: true }).readFile('/images/debian.img')
      const read = (lba: number, count: number): Uint8Array =>
        image.subarray(lba * SECTOR_BYTES, (lba + count) * SECTOR_BYTES)
      if (hasE2fsprogs) expect(e2fsck({ sectors: image.length / SECTOR_BYTES, read })).toMatchObject({ status: 0 })
    },
  )
})
