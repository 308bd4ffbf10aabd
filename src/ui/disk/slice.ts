/** Whether what the machine writes outlives the page. */
import type { DiskState } from '#protocol/disk.ts'
import { defineSlice } from '../store/slice.ts'

export interface DiskSlice {
  readonly disk: DiskState
}

export const diskSlice = defineSlice<DiskSlice>(
  { disk: { kind: 'temporary', why: 'asked' } },
  { 'disk-state': (_, { state }) => ({ disk: state }) },
)
