declare module 'virtual:machine' {
  /** The worker as one classic script. */
  export const workerUrl: string
  /** What it executes machine code with, as another. */
  export const machineCodeUrl: string
  /** The default disk, in two parts of a lib/ondisk container, each gzipped: what is needed up to a login, and the rest. */
  export const diskUrl: string
  export const diskRestUrl: string
  /** The second disk's container, gzipped; undefined where there is none (`npm run guests:debian`). */
  export const guestsUrl: string | undefined
  /** What is translated of its kernels, gzipped; undefined where nothing is, or not for this version. */
  export const translationsUrl: string | undefined
  /** Of the default disk's content: another disk has another. Undefined in development, where it is made on request. */
  export const diskId: string | undefined
}
