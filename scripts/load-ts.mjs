/**
 * Run TypeScript of src/ under any Node that we support (Node 20 does not strip types): bundle an entry with Vite into one ES module in
 * .cache/ts and import that. A bundle is made anew when one of the files that went into it has changed. npm packages stay imports.
 * Bundled code must not use import.meta: it would mean the bundle's place.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = resolve(import.meta.dirname, '..')
const cacheDir = join(root, '.cache', 'ts')
/** Bundles, maps and records that are kept. */
const CACHED_FILES = 120

const sha = (...parts) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex')
}
const read = (path) => {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}
/** Changes of these change every bundle: the bundler, this file. */
const toolsHash = () => sha(readFileSync(join(root, 'package-lock.json')), readFileSync(import.meta.filename))

/** Several processes may write at once: whole files appear, or none. */
function writeWhole(path, text) {
  const part = `${path}.${process.pid}`
  writeFileSync(part, text)
  renameSync(part, path)
}

/** Remove all but the `count` newest files of a cache. Another process may do the same, so what is gone is gone. */
export function keepNewest(dir, count) {
  const files = readdirSync(dir).map((name) => {
    const path = join(dir, name)
    return { path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }
  })
  for (const { path } of files.sort((a, b) => b.at - a.at).slice(count)) rmSync(path, { force: true })
}

/** The bundle that is still right for `entry`, or undefined. */
function cached(recordPath) {
  const record = JSON.parse(read(recordPath)?.toString() ?? 'null')
  if (record?.tools !== toolsHash() || !read(record.bundle)) return undefined
  for (const [path, hash] of Object.entries(record.inputs)) {
    const bytes = read(join(root, path))
    if (!bytes || sha(bytes) !== hash) return undefined
  }
  return record.bundle
}

async function bundle(entry, recordPath) {
  const { build } = await import('vite')
  // Not the chunk's own list: that leaves out modules of which only constants were left.
  let moduleIds = []
  const inputsPlugin = {
    name: 'load-ts-inputs',
    buildEnd() {
      moduleIds = [...this.getModuleIds()]
    },
  }
  const { output } = await build({
    configFile: false,
    root,
    logLevel: 'silent',
    publicDir: false,
    plugins: [inputsPlugin],
    ssr: { target: 'node' },
    build: {
      ssr: entry,
      write: false,
      target: 'node20',
      minify: false,
      sourcemap: true,
      rollupOptions: { output: { format: 'es', codeSplitting: false } },
    },
  })
  const chunks = output.filter((item) => item.type === 'chunk')
  if (chunks.length !== 1) throw new Error(`${entry}: ${chunks.length} chunks instead of one`)
  const [{ code, map }] = chunks
  const inputs = {}
  for (const id of moduleIds) {
    const bytes = id.startsWith('\0') ? undefined : read(id)
    if (bytes) inputs[relative(root, id)] = sha(bytes)
  }
  const name = `${basename(entry).replace(/\.[^.]*$/, '')}-${sha(entry, code).slice(0, 16)}.mjs`
  const path = join(cacheDir, name)
  mkdirSync(cacheDir, { recursive: true })
  writeWhole(`${path}.map`, JSON.stringify(map))
  writeWhole(path, `${code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '')}\n//# sourceMappingURL=${name}.map\n`)
  writeWhole(recordPath, JSON.stringify({ tools: toolsHash(), bundle: path, inputs }))
  keepNewest(cacheDir, CACHED_FILES)
  return path
}

/** The file of the ES module that the TypeScript module at `entry` (a path, relative to the project or absolute) is bundled into. */
export async function bundleTs(entry) {
  const path = resolve(root, entry)
  const recordPath = join(cacheDir, `${sha(path).slice(0, 16)}.json`)
  return cached(recordPath) ?? (await bundle(path, recordPath))
}

/** Import the TypeScript module at `entry`. Every call after a change gives the module as it is now; without one, Node's own module of before. */
export async function loadTs(entry) {
  return import(pathToFileURL(await bundleTs(entry)).href)
}
