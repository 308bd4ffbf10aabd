/** What IDENTIFY DEVICE told, and what 2.6.18 says about it (Linux: ide/ide-disk.c, ide-dma.c; ATA-6, 8.15). */

export interface Identity {
  readonly model: string
  readonly sectors: number
  readonly lba48: boolean
  readonly dma: boolean
  readonly writeCache: boolean
  /** FLUSH CACHE, FLUSH CACHE EXT. */
  readonly flush: boolean
  readonly flushExt: boolean
  /** 512-byte units of the drive's cache; 0: not told. */
  readonly bufferSectors: number
  readonly cylinders: number
  readonly heads: number
  readonly sectorsPerTrack: number
  readonly words: Uint16Array
}

export function parseIdentity(data: Uint8Array): Identity {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const words = new Uint16Array(256)
  for (let i = 0; i < 256; i++) words[i] = view.getUint16(2 * i, true)
  const word = (n: number): number => words[n]!
  let model = ''
  // Bytes are swapped within each word.
  for (let n = 27; n < 47; n++) model += String.fromCharCode(word(n) >> 8, word(n) & 0xff)
  const valid83 = (word(83) & 0xc000) === 0x4000
  const lba48 = valid83 && (word(83) & 0x0400) !== 0 && word(100) + word(101) + word(102) + word(103) > 0
  const lba28 = word(60) + word(61) * 65536
  const chs = word(1) * word(3) * word(6)
  const sectors = lba48
    ? word(100) + word(101) * 2 ** 16 + word(102) * 2 ** 32
    : word(49) & 0x0200 && lba28 > 0
      ? lba28
      : chs
  // idedisk_setup: with 48 bits fdisk's customary geometry, and as many cylinders as there are.
  const heads = lba48 ? 255 : word(3)
  const sectorsPerTrack = lba48 ? 63 : word(6)
  const fitting = heads * sectorsPerTrack === 0 ? 0 : Math.min(65535, Math.floor(sectors / (heads * sectorsPerTrack)))
  return {
    model: model.replace(/[\0 ]+/g, ' ').trim(),
    sectors,
    lba48,
    dma: (word(49) & 0x0100) !== 0,
    writeCache: (word(85) & 0x20) !== 0,
    flush: valid83 && (word(83) & 0x1000) !== 0,
    flushExt: valid83 && (word(83) & 0x2000) !== 0,
    bufferSectors: word(21),
    cylinders: Math.max(word(1), fitting),
    heads,
    sectorsPerTrack,
    words,
  }
}

const UDMA_80_WIRES: readonly (readonly [bit: number, text: string])[] = [
  [15, 'UDMA(mode 7)'],
  [14, 'UDMA(133)'],
  [13, 'UDMA(100)'],
  [12, 'UDMA(66)'],
  [11, 'UDMA(44)'],
]
const UDMA_40_WIRES: readonly (readonly [bit: number, text: string])[] = [
  [10, 'UDMA(33)'],
  [9, 'UDMA(25)'],
  [8, 'UDMA(16)'],
]

/** ide_dma_verbose. */
export function dmaText({ words }: Identity, ultraMask: number): string {
  const valid = words[53]! & 4
  const ultra = words[88]!
  const multiword = words[63]!
  if (!valid) return multiword & 0x0f00 ? ', DMA' : ''
  if ((ultra & (ultra >> 8) & ultraMask) === 0) return ', (U)DMA'
  const wires80 = (words[93]! & 0x2000) !== 0
  for (const [bit, text] of wires80 && ultra >> 11 ? UDMA_80_WIRES : UDMA_40_WIRES)
    if (ultra & (1 << bit)) return `, ${text}`
  return ', (U)DMA'
}

/** The lines of idedisk_setup. */
export function diskLines(name: string, id: Identity, requestSectors: number, dma: string): string {
  const cache = id.bufferSectors > 0 ? ` w/${Math.floor(id.bufferSectors / 2)}KiB Cache` : ''
  const megabytes = Math.floor((id.sectors * 512) / 1_000_000)
  const geometry = `CHS=${id.cylinders}/${id.heads}/${id.sectorsPerTrack}`
  return (
    `<6>${name}: max request size: ${requestSectors / 2}KiB\n` +
    `<6>${name}: ${id.sectors} sectors (${megabytes} MB)${cache}, ${geometry}${dma}\n` +
    (id.writeCache ? `<6>${name}: cache flushes ${id.flush ? '' : 'not '}supported\n` : '')
  )
}
