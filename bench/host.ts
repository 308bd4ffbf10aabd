/** A host to be timed: stepped as fast as it goes, spoken to over COM1. */
import { unpackDisk } from '#lib/ondisk/disk-container.ts'
import type { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import type { ImageLoader } from '#world/realm/loader.ts'
import { createRing3s } from '#world/ring3.ts'
import { createWorld } from '#world/world.ts'
import { millis } from './reference.ts'

/** A wait gives up after so much virtual time. */
const PATIENCE_NS = 600e9

export class BenchHost {
  readonly #world: ReturnType<typeof createWorld>
  text = ''
  /** Real ms of the longest slice. */
  worst = 0

  constructor(
    container: Uint8Array,
    loader: ImageLoader,
    prepare: (disk: SparseDisk) => void = () => {},
    memoryMiB = 1024,
  ) {
    const disk = unpackDisk(container)
    prepare(disk)
    this.#world = createWorld({
      disk,
      diskHash: disk.hash(),
      memoryMiB,
      seed: 1,
      build: 'bench',
      loader,
      createRing3s: () => createRing3s,
    })
    this.#world.onSerial((line, byte) => {
      if (line === 'com1') this.text += String.fromCharCode(byte)
    })
    this.#world.powerOn()
  }

  /** Real ms until what was sent ends with `wanted`. */
  until(wanted: string): number {
    const deadline = this.#world.nowNs() + PATIENCE_NS
    return millis(() => {
      for (let result = ''; result !== 'stopped'; ) {
        const slice = millis(() => {
          result = this.#world.runUntil(deadline, () => this.text.endsWith(wanted))
        })
        this.worst = Math.max(this.worst, slice)
        if (result === 'deadline' || result === 'idle') throw new Error(`no '${wanted}' in ${this.text.slice(-2000)}`)
      }
    })
  }

  type(text: string): void {
    this.#world.input({ kind: 'serial', line: 'com1', bytes: [...text].map((letter) => letter.charCodeAt(0)) })
  }

  /** Real ms for so much virtual time. */
  pass(seconds: number): number {
    const deadline = this.#world.nowNs() + seconds * 1e9
    return millis(() => {
      while (this.#world.runUntil(deadline, () => false) === 'slice');
    })
  }

  /** From the power button to root's prompt. */
  logIn(): void {
    this.until('will be booted automatically')
    this.type('\r')
    this.until('xenhost login: ')
    this.type('root\r')
    this.until('# ')
  }

  /** Real ms from the command's Enter to the next prompt. */
  run(command: string): number {
    this.type(`${command}\r`)
    return this.until(']# ')
  }
}
