declare module 'virtual:machine' {
  /** The worker as one classic script. */
  export const workerUrl: string
  /** The default disk: a gzipped lib/ondisk container. */
  export const diskUrl: string
}
