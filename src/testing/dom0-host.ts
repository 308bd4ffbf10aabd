/**
 * For system tests: the whole host from the default disk (or one that a test brings), stepped by hand, spoken to over COM1. Everything is the
 * real thing: images from the disk, GRUB, Xen, the kernel, its programs.
 */

import { gunzipSync } from 'node:zlib'
import { unpackDisk } from '#lib/ondisk/disk-container.ts'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import type { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import type { MachineState } from '#protocol/machine.ts'
import { Screen } from '#tape/screen.ts'
import { ImageLoader } from '#world/realm/loader.ts'
import { type CreateRing3s, createRing3s as createFresh } from '#world/ring3.ts'
import { createWorld, type World } from '#world/world.ts'

const SECOND_NS = 1e9
const HOST = 'xenhost'
/** bash's, as /etc/bashrc sets it. */
const promptOf = (hostname: string): RegExp => new RegExp(`\\[root@${hostname} [^\\]\\n]*\\]# $`)
/** What leaves `xm console`. */
const ESCAPE = '\x1d'
/** A wait gives up after so much virtual time. */
const PATIENCE_SECONDS = 300

export interface DefaultDiskBytes {
  /** The container of lib/ondisk/sparse-disk.ts, gzipped. */
  readonly bytes: Uint8Array
  readonly known: readonly string[]
}

export interface HostOptions {
  /** What scripts/disk.mjs's buildDiskAndKnown gives. */
  readonly base: DefaultDiskBytes
  /** Instead of the default disk. */
  readonly disk?: SparseDisk
  /** In the second drive bay. */
  readonly secondDisk?: SparseDisk
  readonly seed?: number
  readonly memoryMiB?: number
  /** What executes machine code, if not what begins with nothing. */
  readonly createRing3s?: CreateRing3s
}

export const freshDisk = (base: DefaultDiskBytes): SparseDisk => unpackDisk(new Uint8Array(gunzipSync(base.bytes)))

/** Hosts of one test share what has been compiled, as the machines of one page do. */
const loaders = new WeakMap<DefaultDiskBytes, ImageLoader>()
function loaderOf(base: DefaultDiskBytes): ImageLoader {
  const loader = loaders.get(base) ?? new ImageLoader(base.known)
  loaders.set(base, loader)
  return loader
}

export class Dom0Host {
  readonly world: World
  readonly disk: SparseDisk
  readonly states: MachineState[] = []
  readonly #screen = new Screen()
  /** Everything that COM1 has sent, without carriage returns. */
  text = ''
  /** `text` before this has been looked at. */
  #seen = 0
  /** Of the shell that COM1 speaks to. */
  #prompt = promptOf(HOST)

  constructor({ base, disk, secondDisk, seed = 1, memoryMiB = 1024, createRing3s = createFresh }: HostOptions) {
    this.disk = disk ?? freshDisk(base)
    this.world = createWorld({
      disk: this.disk,
      diskHash: this.disk.hash(),
      secondDisk,
      secondDiskHash: secondDisk?.hash(),
      memoryMiB,
      seed,
      build: 'test',
      loader: loaderOf(base),
      createRing3s: () => createRing3s,
    })
    this.world.onState((state) => this.states.push(state))
    this.world.onCrash(({ image, message, stack }) => {
      throw new Error(`${image}: ${message}\n${stack.join('\n')}`)
    })
    this.world.onSerial((line, byte) => {
      if (line !== 'com1') return
      // A terminal cannot tell one carriage return from several.
      if (byte !== 13) this.text += String.fromCharCode(byte)
      this.#screen.byte(byte)
    })
    this.world.powerOn()
  }

  /** What COM1's terminal shows. */
  screen(): string {
    return this.#screen.rows().join('\n')
  }

  /** What has come since the last wait was met. */
  unseen(): string {
    return this.text.slice(this.#seen)
  }

  /** Run until what has come since the last wait matches; what comes after the match is for the next wait. */
  waitFor(wanted: string | RegExp, patienceSeconds = PATIENCE_SECONDS): RegExpExecArray {
    const pattern = typeof wanted === 'string' ? new RegExp(wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : wanted
    const deadline = this.world.nowNs() + patienceSeconds * SECOND_NS
    let length = -1
    const met = (): boolean => {
      // Looked at once a line, and at the end: a prompt has no line end.
      if (this.text.length === length) return false
      length = this.text.length
      return pattern.test(this.unseen())
    }
    for (;;) {
      const match = pattern.exec(this.unseen())
      if (match) {
        this.#seen += match.index + match[0].length
        return match
      }
      const reason = this.world.runUntil(deadline, met, false)
      if (reason === 'slice' || reason === 'stopped') continue
      throw new Error(
        `no ${String(wanted)} within ${patienceSeconds} virtual seconds (${reason}). Last:\n${this.text.slice(-2000)}`,
      )
    }
  }

  type(text: string): void {
    this.world.input({ kind: 'serial', line: 'com1', bytes: [...text].map((letter) => letter.charCodeAt(0) & 0xff) })
  }

  /** So much virtual time, whatever happens. */
  runFor(seconds: number): void {
    const deadline = this.world.nowNs() + seconds * SECOND_NS
    while (this.world.runUntil(deadline, () => false) === 'slice');
  }

  /** Through GRUB's menu (entry by its number) to the login prompt. */
  toLogin(entry = 0): void {
    this.waitFor('highlighted entry will be booted')
    this.type(`${'\x0e'.repeat(entry)}\r`)
    this.waitFor('xenhost login: ')
  }

  /** Log in as root, from the login prompt. */
  login(): void {
    this.type('root\r')
    this.waitFor(this.#prompt)
  }

  /** On the console of a guest, at its login: log in, do `body` there (`run` is the guest's shell then), log out, leave by ^]. */
  inGuest<T>(name: string, hostname: string, body: () => T): T {
    this.type(`xm console ${name}\r`)
    this.#seen = this.text.length
    // What is typed before it has the terminal is thrown away.
    this.runFor(0.5)
    this.type('\r')
    this.waitFor(`${hostname} login: `)
    this.#prompt = promptOf(hostname)
    this.login()
    const result = body()
    this.type('exit\r')
    this.waitFor(`${hostname} login: `)
    this.type(ESCAPE)
    this.#prompt = promptOf(HOST)
    this.waitFor(this.#prompt)
    return result
  }

  boot(entry = 0): void {
    this.toLogin(entry)
    this.login()
  }

  /** Run one command line in root's shell: what it prints, and its status. */
  run(command: string, patienceSeconds = PATIENCE_SECONDS): { readonly output: string; readonly status: number } {
    this.type(`${command}\r`)
    const start = this.#seen
    const prompt = this.waitFor(this.#prompt, patienceSeconds)
    const whole = this.text.slice(start, this.#seen - prompt[0].length)
    this.type('echo "st""atus=$?"\r')
    const status = Number(this.waitFor(/\nstatus=(\d+)\n/)[1])
    this.waitFor(this.#prompt)
    // First comes the echo of the command.
    return { output: whole.slice(whole.indexOf('\n') + 1).replace(/\n$/, ''), status }
  }

  /** The plug is pulled: what the drive has not written is gone. */
  powerCut(): void {
    if (this.world.state() !== 'off') this.world.input({ kind: 'button', button: 'power' })
    this.runFor(0.001)
  }

  powerOn(): void {
    this.world.powerOn()
  }

  /** A file of the first partition as it is on the platter. */
  file(path: string): Uint8Array {
    const fs = Ext2.mount(this.partition(), { now: () => 0, readOnly: true })
    return fs.readFile(path)
  }

  partition(): ReturnType<typeof partition> {
    return partition(this.disk, readPartitions(this.disk)![0]!)
  }
}
