/**
 * What machine code is executed with where some of it has been translated before: by another process, which has recorded it (ADR 0013). It makes no difference to what the
 * code does, only to how soon.
 */
import { Library } from '#cpu/translate/library.ts'
import { readTranslations, writeTranslations } from '#cpu/translate/translations.ts'
import { type CreateRing3s, createRing3s } from './ring3.ts'

/** Of a recording's modules, which nobody waits for. */
const RECORDED_REGIONS = 64

/** `file`: what `recordTranslations` has given. Throws where it is something else. */
export function withTranslations(file: Uint8Array<ArrayBuffer>): CreateRing3s {
  const library = new Library(readTranslations(file))
  return (machine, clock, options) => createRing3s(machine, clock, { library, ...options })
}

export interface Recording {
  readonly createRing3s: CreateRing3s
  /** All that has been translated so far. */
  file(): Uint8Array<ArrayBuffer>
}

/** `before`: a file, of which all comes into the new one. */
export function recordTranslations(before?: Uint8Array<ArrayBuffer>): Recording {
  const library = new Library(before && readTranslations(before), true)
  return {
    createRing3s: (machine, clock, options) =>
      createRing3s(machine, clock, { library, batch: RECORDED_REGIONS, ...options }),
    file: () => writeTranslations(library),
  }
}
