/** Made by scripts/vite-plugin-machine.mjs. */
declare module 'virtual:known-images' {
  /** Hashes of the code of the default disk's images, which this build has verified. */
  export const known: readonly string[]
}
