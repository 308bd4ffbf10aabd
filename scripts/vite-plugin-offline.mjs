/**
 * The page without a network: a service worker that holds every file of the build but the guests' disk (many megabytes, and not everybody's),
 * made when all of them are there. A new version installs beside the old one and takes its place when no tab uses that any more, so that page,
 * worker and disk are always of one build. Not in development.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { guestsNames } from './vite-plugin-machine.mjs'

const workerName = 'offline.js'

/** Runs as the service worker; `files` are relative to it, so that the page may lie in any folder. */
const workerText = (name, files) => `'use strict'
const name = ${JSON.stringify(name)}
const files = ${JSON.stringify(files)}
const prefix = 'xen-playground' + new URL('.', location).pathname
const cacheName = prefix + '@' + name
addEventListener('install', (event) => {
  const add = (cache) => cache.addAll(files.map((file) => new Request(file, { cache: 'no-cache' })))
  event.waitUntil(caches.open(cacheName).then(add))
})
addEventListener('activate', (event) => {
  const stale = (names) => names.filter((other) => other.startsWith(prefix + '@') && other !== cacheName)
  const drop = async () => Promise.all(stale(await caches.keys()).map((other) => caches.delete(other)))
  event.waitUntil(drop().then(() => clients.claim()))
})
addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  const here = new URL('.', location)
  if (request.method !== 'GET' || !url.href.startsWith(here.href)) return
  const options = { ignoreVary: true, ignoreSearch: true }
  const path = url.href === here.href || url.pathname === here.pathname ? new URL('index.html', here) : url
  const find = async () => (await (await caches.open(cacheName)).match(path, options)) ?? fetch(request)
  event.respondWith(find())
})
`

export function offline() {
  let outDir
  return {
    name: 'offline',
    apply: 'build',
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir)
    },
    /** At generateBundle index.html is not there yet. */
    closeBundle: {
      // After all who write files then.
      order: 'post',
      sequential: true,
      handler: () => write(outDir),
    },
  }
}

/** `guests-HASH.gz` and `translations-HASH.gz`, as Vite names assets. */
const isGuests = (path) =>
  Object.values(guestsNames).some((name) => path.replace(/-[\w-]{8}(?=\.\w+$)/, '') === `assets/${name}`)

function write(outDir) {
  const found = readdirSync(outDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== workerName)
    .map((entry) => relative(outDir, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !isGuests(path))
    .sort()
  const hash = createHash('sha256')
  for (const file of found) hash.update(file).update(readFileSync(join(outDir, file)))
  writeFileSync(join(outDir, workerName), workerText(hash.digest('hex').slice(0, 16), found))
}
