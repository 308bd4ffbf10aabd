/** `npm run -s headless -- --help`: the machine in a terminal. The work is src/headless/main.ts; this loads it and lends it the process. */
import { guestsDisk, guestsTranslations } from './guests-debian.mjs'
import { loadTs } from './load-ts.mjs'

// Whoever read our output (`| head`) has left: there is nobody to work for.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const { main } = await loadTs('src/headless/main.ts')
process.exitCode = await main(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  nowMs: () => performance.now(),
  // Only who needs the default disk pays for the tools that build it.
  defaultDisk: async () => (await import('./disk.mjs')).buildDiskAndKnown(),
  guestsDisk,
  guestsTranslations,
})
