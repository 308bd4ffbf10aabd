/** What begins at an address: an image, an image that is wrong, or something else. */
import { expect, test } from 'vitest'
import { type Mem, memOf } from '#abi/mem.ts'
import { cc } from '#toolchain/cc.ts'
import { bootSectorImage } from '#toolchain/image.ts'
import { sectorBody } from '#toolchain/sector.ts'
import { loadGuestCode } from './guest-code.ts'
import { ImageLoader } from './realm/loader.ts'

const sector = (): Uint8Array => bootSectorImage('test', sectorBody(cc('test.ts', 'export function start() {}')))

const machineCode = (): Uint8Array => new Uint8Array(512).fill(0x90)

function changed(bytes: Uint8Array, at: number): Uint8Array {
  bytes[at]! ^= 1
  return bytes
}

const nothingThere: Mem = {
  ...memOf(new Uint8Array(0)),
  copyOut() {
    throw new Error('not mapped')
  },
}

test.each<[string, Mem, boolean | undefined]>([
  ['an image', memOf(sector()), undefined],
  ['one whose checksum is wrong', memOf(changed(sector(), 16)), true],
  ['one of another ABI', memOf(changed(sector(), 6)), true],
  ['one that is cut short', memOf(sector().slice(0, 60)), true],
  ['machine code', memOf(machineCode()), false],
  ['all but an image', memOf(changed(sector(), 0)), false],
  ['what ends within a header', memOf(sector().slice(0, 16)), false],
  ['nothing', nothingThere, false],
])('%s', (_, mem, isImage) => {
  const found = loadGuestCode({ loader: new ImageLoader(), paid: () => {}, unwinding: () => false }, mem, 0)
  expect(found.ok ? undefined : found.isImage).toBe(isImage)
})
