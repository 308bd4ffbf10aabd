/** The theme's colours as canvases need them. */
import { TRACE_FREE, TRACE_NO_RAM } from '#abi/tracer.ts'
import { DOMID_XEN } from '#abi/xen/xen.ts'
import { colourToken, pixelOf } from '../../colours.ts'
import { hueToken } from '../xenstore/hue.ts'

export interface Palette {
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly lineStrong: string
  readonly surface: string
  readonly raised: string
  readonly machine: string
  readonly xen: string
  readonly xenSoft: string
  readonly fontUi: string
  readonly domain: (domid: number) => string
  /** Of a frame's owner. */
  readonly ownerPixel: (owner: number) => number
  readonly textPixel: number
}

/** A mixture of two pixels, `share` (0 to 1) of `b` in it. */
export function mixPixels(a: number, b: number, share: number): number {
  let mixed = 0
  for (let shift = 0; shift < 32; shift += 8) {
    const [from, to] = [(a >>> shift) & 0xff, (b >>> shift) & 0xff]
    mixed += Math.round(from + (to - from) * share) * 2 ** shift
  }
  return mixed
}

/** Large areas are calmer when they are not quite as strong as a line or a letter. */
const AREA_SHARE = 0.82

export function readPalette(): Palette {
  const surface = colourToken('surface-2')
  const paper = pixelOf(surface)
  const pixels = new Map<number, number>([
    [TRACE_FREE, pixelOf(colourToken('surface-3'))],
    [TRACE_NO_RAM, paper],
    [DOMID_XEN, mixPixels(paper, pixelOf(colourToken('hue-xen')), AREA_SHARE)],
  ])
  const text = colourToken('text')
  const domain = (domid: number): string => colourToken(hueToken(domid))
  return {
    text,
    muted: colourToken('text-muted'),
    line: colourToken('line'),
    lineStrong: colourToken('line-strong'),
    surface,
    raised: colourToken('surface-3'),
    machine: colourToken('hue-machine'),
    xen: colourToken('hue-xen'),
    xenSoft: colourToken('hue-xen-soft'),
    fontUi: getComputedStyle(document.body).fontFamily,
    domain: remembered(domain),
    ownerPixel(owner) {
      let pixel = pixels.get(owner)
      if (pixel === undefined) {
        pixel = mixPixels(paper, pixelOf(domain(owner)), AREA_SHARE)
        pixels.set(owner, pixel)
      }
      return pixel
    },
    textPixel: pixelOf(text),
  }
}

function remembered(make: (key: number) => string): (key: number) => string {
  const known = new Map<number, string>()
  return (key) => {
    const found = known.get(key) ?? make(key)
    known.set(key, found)
    return found
  }
}
