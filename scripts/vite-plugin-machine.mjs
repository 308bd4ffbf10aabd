/**
 * `virtual:machine`: where the page finds what it gives to the sandboxed frame (design D2): the worker as one classic script, what it
 * executes machine code with as another (which no first load waits for), the default disk in two parts, and, where
 * `npm run guests:debian` has made them, the second disk and what is translated of its kernels. All are assets of the build; in development they are made on request, and anew when a source has changed.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { build } from 'vite'
import { buildDiskAndKnown, buildDiskParts } from './disk.mjs'
import { guestsDisk, guestsTranslations } from './guests-debian.mjs'

const id = 'virtual:machine'
const resolvedId = `\0${id}`
const root = resolve(import.meta.dirname, '..')
const workerName = 'machine.js'
const machineCodeName = 'machine-code.js'
const diskName = 'disk.gz'
const restName = 'disk-rest.gz'
/** Fetched only by who asks for it, and not kept for pages without a network: vite-plugin-offline.mjs knows it by this name. */
export const guestsNames = { disk: 'guests.gz', translations: 'translations.gz' }
const workerPath = '/@machine/worker.js'
const machineCodePath = '/@machine/machine-code.js'
const diskPath = '/@machine/disk.gz'
const restPath = '/@machine/disk-rest.gz'
const guestsPath = '/@machine/guests.gz'
const translationsPath = '/@machine/translations.gz'

/** Sources that only the page is made of: they change neither the worker nor the disk. */
const pageOnly = ['ui', 'headless'].map((layer) => `src${sep}${layer}${sep}`)

/** `virtual:known-images`: what the worker's loader need not verify again, since this build has. */
const knownImages = {
  name: 'known-images',
  resolveId: (source) => (source === 'virtual:known-images' ? '\0known-images' : undefined),
  async load(source) {
    if (source !== '\0known-images') return undefined
    return `export const known = ${JSON.stringify((await buildDiskAndKnown()).known)}`
  },
}

/** Which disk this is: by its content, since one content may be gzipped in many ways. */
function idOf(parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(gunzipSync(part))
  return hash.digest('hex').slice(0, 32)
}

/** An entry as one IIFE, since a module worker does not start from a blob: URL in an opaque origin. */
const buildWorker = (minify) => buildScript('src/worker/main.ts', 'machine', minify)
const buildMachineCode = (minify) => buildScript('src/worker/machine-code.ts', 'machineCode', minify)

async function buildScript(entry, name, minify) {
  const output = await build({
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    plugins: [knownImages],
    define: { 'process.env.NODE_ENV': JSON.stringify(minify ? 'production' : 'development') },
    build: {
      write: false,
      target: 'es2022',
      minify,
      lib: { entry: resolve(root, entry), formats: ['iife'], name, fileName: 'script' },
    },
  })
  const [{ output: chunks }] = Array.isArray(output) ? output : [output]
  if (chunks.length !== 1) throw new Error(`${entry} must become one script, not ${chunks.length}`)
  // Bundling took the modules' strictness away, and the world relies on it.
  return `'use strict';\n${chunks[0].code}`
}

export function machine() {
  let serving = false
  /** What development serves, as promises: several requests share one build. */
  const made = { worker: undefined, machineCode: undefined, disk: undefined }

  return {
    name: 'machine',
    configResolved(config) {
      serving = config.command === 'serve'
    },
    resolveId: (source) => (source === id ? resolvedId : undefined),
    async load(source) {
      if (source !== resolvedId) return undefined
      if (serving) {
        // In development the disk is another after each change of a source: none is worth keeping.
        const guestsUrl = guestsDisk() && guestsPath
        const translationsUrl = guestsTranslations() && translationsPath
        const scripts = { workerUrl: workerPath, machineCodeUrl: machineCodePath }
        const disks = { diskUrl: diskPath, diskRestUrl: restPath, guestsUrl, translationsUrl, diskId: undefined }
        return Object.entries({ ...scripts, ...disks })
          .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)}\n`)
          .join('')
      }
      const [worker, machineCode, [disk, rest]] = await Promise.all([
        buildWorker(true),
        buildMachineCode(true),
        buildDiskParts(),
      ])
      const scripts = { workerUrl: [workerName, worker], machineCodeUrl: [machineCodeName, machineCode] }
      const files = { ...scripts, diskUrl: [diskName, disk], diskRestUrl: [restName, rest] }
      const urls = Object.entries(files).map(([variable, [name, source]]) => {
        const reference = this.emitFile({ type: 'asset', name, source })
        return `export const ${variable} = import.meta.ROLLUP_FILE_URL_${reference}\n`
      })
      const translations = guestsTranslations()
      if (guestsDisk() && !translations)
        this.warn(
          "Debian's kernels will start slowly: `npm run guests:debian -- --translate` translates them for this version",
        )
      const optional = {
        guestsUrl: [guestsNames.disk, guestsDisk()],
        translationsUrl: [guestsNames.translations, translations],
      }
      for (const [variable, [name, path]] of Object.entries(optional)) {
        const reference = path && this.emitFile({ type: 'asset', name, source: readFileSync(path) })
        const url = reference ? `import.meta.ROLLUP_FILE_URL_${reference}` : 'undefined'
        urls.push(`export const ${variable} = ${url}\n`)
      }
      return `${urls.join('')}export const diskId = ${JSON.stringify(idOf([disk, rest]))}\n`
    },
    /** The browser fetches worker and disk while it still reads the page's own script. */
    transformIndexHtml(_html, { bundle }) {
      return Object.values(bundle ?? {})
        .filter((file) => file.names?.some((name) => name === workerName || name === diskName))
        .map((file) => ({
          tag: 'link',
          injectTo: 'head',
          attrs: { rel: 'preload', as: 'fetch', crossorigin: 'anonymous', href: `./${file.fileName}` },
        }))
    },
    configureServer(server) {
      const changed = (path) => {
        const source = relative(root, path)
        const ours = source.startsWith(`src${sep}`) || source === join('scripts', 'disk.mjs')
        if (!ours || pageOnly.some((folder) => source.startsWith(folder)) || /\.test\.tsx?$/.test(source)) return
        made.worker = undefined
        made.machineCode = undefined
        made.disk = undefined
        server.ws.send({ type: 'full-reload' })
      }
      for (const event of ['change', 'add', 'unlink']) server.watcher.on(event, changed)
      const serve = (type, make) => async (_request, response) => {
        try {
          const body = await make()
          response.setHeader('Content-Type', type)
          response.setHeader('Cache-Control', 'no-store')
          response.end(body)
        } catch (error) {
          server.config.logger.error(String(error?.stack ?? error))
          response.statusCode = 500
          response.end(String(error?.message ?? error))
        }
      }
      const once = (what, make) => () => {
        made[what] ??= make()
        // A failed build is tried again by the next request.
        made[what].catch(() => (made[what] = undefined))
        return made[what]
      }
      server.middlewares.use(
        workerPath,
        serve(
          'text/javascript',
          once('worker', () => buildWorker(false)),
        ),
      )
      server.middlewares.use(
        machineCodePath,
        serve(
          'text/javascript',
          once('machineCode', () => buildMachineCode(false)),
        ),
      )
      server.middlewares.use(
        guestsPath,
        serve('application/octet-stream', async () => readFileSync(guestsDisk())),
      )
      server.middlewares.use(
        translationsPath,
        serve('application/octet-stream', async () => readFileSync(guestsTranslations())),
      )
      for (const [i, path] of [diskPath, restPath].entries()) {
        const parts = once('disk', () => buildDiskParts())
        server.middlewares.use(
          path,
          serve('application/octet-stream', async () => (await parts())[i]),
        )
      }
    },
  }
}
