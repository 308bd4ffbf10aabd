/** How long the machine takes from its power button to GRUB's menu, and from Enter to Xen's panic, without a page around it. */
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { ImageLoader } from '#world/realm/loader.ts'
import { createWorld } from '#world/world.ts'
import { type Figure, millis } from './reference.ts'

const MENU = 'will be booted automatically'
const PANIC = 'Reboot in five seconds'

export function benchBoot(container: Uint8Array, known: readonly string[]): Figure[] {
  const figures: Figure[] = []
  const loader = new ImageLoader(known)
  for (const round of ['first', 'again']) {
    const disk = SparseDisk.decode(container)
    const world = createWorld({ disk, diskHash: disk.hash(), memoryMiB: 1024, seed: 1, build: 'bench', loader })
    let text = ''
    world.onSerial((_, byte) => {
      text += String.fromCharCode(byte)
    })
    let worst = 0
    const until = (wanted: string): number =>
      millis(() => {
        for (let result = ''; result !== 'stopped'; ) {
          worst = Math.max(
            worst,
            millis(() => {
              result = world.runUntil(60e9, () => text.endsWith(wanted))
            }),
          )
          if (result === 'deadline') throw new Error(`no '${wanted}' in ${text}`)
        }
      })
    world.powerOn()
    figures.push({ name: `power button to GRUB's menu, ${round}`, unit: 'ms', value: until(MENU) })
    world.input({ kind: 'serial', line: 'com1', bytes: [13] })
    figures.push({ name: `Enter to Xen's panic, ${round}`, unit: 'ms', value: until(PANIC) })
    figures.push({ name: `longest slice, ${round}`, unit: 'ms', value: worst })
  }
  return figures
}
