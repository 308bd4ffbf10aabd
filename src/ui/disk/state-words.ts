/** What becomes of the disk, in a sentence. */
import type { DiskState } from '#protocol/disk.ts'

export const stateWords = (disk: DiskState) =>
  disk.kind === 'temporary' ? (`disk.temporary.${disk.why}` as const) : (`disk.${disk.kind}.long` as const)
