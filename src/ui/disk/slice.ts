/** Whether what the machine writes outlives the page, and whether the page itself needs the network any more. */
import type { DiskState } from '#protocol/disk.ts'
import { defineSlice } from '../store/slice.ts'

/** What a person should know of the disk's storage; `message`: why, in words of whoever refused. */
export interface DiskNotice {
  readonly kind: 'base-changed' | 'import-refused' | 'full' | 'denied' | 'failed' | 'other-tab' | 'lost-lock'
  readonly message: string
}

export interface DiskSlice {
  readonly disk: DiskState
  readonly diskNotice: DiskNotice | undefined
  /** The browser has network, as far as it knows. */
  readonly online: boolean
  /** All of the page is kept in the browser: it starts without network. */
  readonly offlineReady: boolean
  /** A newer page is here, and is used when all tabs of this one are closed. */
  readonly newVersion: boolean
}

export const diskSlice = defineSlice<DiskSlice>(
  {
    disk: { kind: 'temporary', why: 'asked' },
    diskNotice: undefined,
    online: true,
    offlineReady: false,
    newVersion: false,
  },
  {
    'disk-state': (_, { state }) => ({ disk: state }),
    'disk-notice': (_, { notice }) => ({ diskNotice: notice }),
    network: (_, { type, ...facts }) => facts,
  },
)
