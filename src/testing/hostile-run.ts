/** The whole table of hostile images, run in a realm of its own that it locks first. For e2e/hostile.spec.ts: the text of a worker in the page's sandboxed frame. */
import { HOSTILE_IMAGES, mismatch, runHostile } from '#world/realm/hostile.ts'
import { ImageLoader } from '#world/realm/loader.ts'
import { lockdown } from '#world/realm/lockdown.ts'

/** What is not as the table says, by image; and how many images there were. */
export function runAll(): { readonly images: number; readonly faults: readonly string[] } {
  lockdown()
  const loader = new ImageLoader()
  const faults: string[] = []
  for (const image of HOSTILE_IMAGES) {
    const fault = mismatch(image, runHostile(image, loader)) ?? mismatch(image, runHostile(image, loader))
    if (fault !== undefined) faults.push(`${image.name}: ${fault}`)
  }
  return { images: HOSTILE_IMAGES.length, faults }
}
