/** Metal.load: whoever runs others' code (a hypervisor its guests' kernels, a kernel its programs). Whatever that code does wrong comes back, never further. */
import type { Mem } from '#abi/mem.ts'
import type { LoadedCode, LoadRefusal, Outcome } from '#abi/pc/metal.ts'
import { harden } from './realm/harden.ts'
import { crashReport, hasHeader, ImageFault, type ImageLoader, type LoadedImage } from './realm/loader.ts'
import { FUEL_KEPT, FUEL_NS, GUEST_FUEL_MAX, SERVE_FUEL } from './time.ts'

export interface GuestCodePins {
  readonly loader: ImageLoader
  /** So many bytes of an image have been dealt with: virtual time, and real work. */
  paid(bytes: number): void
  /** The machine itself is going away (reset, power off): nobody catches what is thrown then. */
  unwinding(): boolean
}

export function loadGuestCode(pins: GuestCodePins, mem: Mem, at: number): LoadedCode | LoadRefusal {
  let image: LoadedImage
  try {
    image = load(pins, mem, at)
  } catch (error) {
    if (!(error instanceof ImageFault)) throw error
    return { ok: false, isImage: hasHeader(mem, at), why: error.message }
  }
  const { kind, name, bytes } = image
  return harden({
    ok: true,
    kind,
    name,
    bytes,
    instantiate: () => contained(pins, name, () => image.instantiate()),
    call: (body, sliceNs = 0) => contained(pins, name, body, Math.ceil(sliceNs / FUEL_NS)),
    serve: (body) => pins.loader.fuel.outside(SERVE_FUEL, body),
  } satisfies LoadedCode)
}

function load({ loader, paid }: GuestCodePins, mem: Mem, at: number): LoadedImage {
  const steps = loader.load(mem, at)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    paid(value)
  }
}

function contained<T>(
  { loader: { fuel }, unwinding }: GuestCodePins,
  image: string,
  body: () => T,
  slice = 0,
): Outcome<T> {
  try {
    return { ok: true, value: fuel.within(GUEST_FUEL_MAX, FUEL_KEPT, body, slice) }
  } catch (error) {
    if (unwinding()) throw error
    const { message, file, line } = crashReport(error, image, 0, fuel)
    fuel.forgive()
    return { ok: false, fault: { message, file, line } }
  }
}
