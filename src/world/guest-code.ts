/** Metal.load: the hypervisor starts a guest's kernel. Whatever that code does wrong comes back to the hypervisor, never further. */
import type { Mem } from '#abi/mem.ts'
import type { CodeFault, LoadedCode, LoadRefusal } from '#abi/pc/metal.ts'
import { crashReport, ImageFault, type ImageLoader, type LoadedImage } from './realm/loader.ts'
import { GUEST_FUEL_MAX, LOAD_NS_PER_BYTE, XEN_FUEL_KEPT } from './time.ts'

type CallOutcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: CodeFault }

export interface GuestCodePins {
  readonly loader: ImageLoader
  /** Spend virtual time. */
  charge(ns: number): void
  /** The machine itself is going away (reset, power off): nobody catches what is thrown then. */
  unwinding(): boolean
}

export function loadGuestCode(pins: GuestCodePins, mem: Mem, at: number): LoadedCode | LoadRefusal {
  let image: LoadedImage
  try {
    image = load(pins, mem, at)
  } catch (error) {
    if (!(error instanceof ImageFault)) throw error
    return { ok: false, why: error.message }
  }
  const { kind, name } = image
  const entry = contained(pins, name, () => image.instantiate())
  if (!entry.ok) return { ok: false, why: entry.fault.message }
  return { ok: true, kind, name, exports: entry.value, call: (body) => contained(pins, name, body) }
}

function load({ loader, charge }: GuestCodePins, mem: Mem, at: number): LoadedImage {
  const steps = loader.load(mem, at)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    charge(value * LOAD_NS_PER_BYTE)
  }
}

function contained<T>({ loader: { fuel }, unwinding }: GuestCodePins, image: string, body: () => T): CallOutcome<T> {
  try {
    return { ok: true, value: fuel.within(GUEST_FUEL_MAX, XEN_FUEL_KEPT, body) }
  } catch (error) {
    if (unwinding()) throw error
    const { message, file, line } = crashReport(error, image, 0, fuel)
    fuel.forgive()
    return { ok: false, fault: { message, file, line } }
  }
}
