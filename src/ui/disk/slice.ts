/** Whether what the machine writes outlives the page, and whether the page itself needs the network any more. */
import type { DiskState } from '#protocol/disk.ts'
import { defineSlice } from '../store/slice.ts'
import type { KernelAdd } from './add-kernel.ts'

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
  /** A kernel from a file, on its way to the machine or there; undefined: nobody has asked for one. */
  readonly kernelAdd: KernelAdd | undefined
}

export const diskSlice = defineSlice<DiskSlice>(
  {
    disk: { kind: 'temporary', why: 'asked' },
    diskNotice: undefined,
    online: true,
    offlineReady: false,
    newVersion: false,
    kernelAdd: undefined,
  },
  {
    'disk-state': (_, { state }) => ({ disk: state }),
    'disk-notice': (_, { notice }) => ({ diskNotice: notice }),
    // What was added may not be on the next machine's disk.
    powering: () => ({ kernelAdd: undefined }),
    'kernel-add': (_, { add }) => ({ kernelAdd: add }),
    network: (_, { type, ...facts }) => facts,
  },
)
