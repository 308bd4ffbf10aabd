/**
 * The default disk, built from the sources as they are: `node scripts/disk.mjs --out FILE [--raw]`, and `buildDisk()` for the page's build.
 * FILE is the container of src/lib/ondisk/sparse-disk.ts, gzipped; with --raw it is the disk itself, sector by sector.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'
import zopfli from '@gfx/zopfli'
import { keepNewest, loadTs } from './load-ts.mjs'

const root = resolve(import.meta.dirname, '..')
const imagesDir = join(root, 'src', 'images')
const cacheDir = join(root, '.cache', 'disk')
const CACHED_DISKS = 8

/** 2009-05-12T06:32:52Z (design D13). */
export const EPOCH_SECONDS = 1242109972
const SEED = 1

/** Files below `dir`, as paths with '/', sorted the same everywhere. */
function walk(dir) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => relative(dir, join(item.parentPath, item.name)).split(sep).join('/'))
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

/** Layers that are outside the machine: a change of theirs is none of the disk's. */
const outside = ['api', 'headless', 'tape', 'ui', 'worker']

/** All of src/ that images may be made of: path relative to src/ -> text. Tests are none of it. */
export function readSources() {
  const src = join(root, 'src')
  const paths = walk(src).filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !outside.includes(path.split('/')[0]),
  )
  // A checkout on Windows may have other line ends; the images must not.
  return new Map(paths.map((path) => [path, readFileSync(join(src, path), 'utf8').replaceAll('\r\n', '\n')]))
}

/** The files of a disk, by their path on it: the host's (`default`), or what guests have instead (`domu`, `minimal`). */
export function readDiskFiles(disk = 'default') {
  const dir = join(imagesDir, disk, 'files')
  return new Map(
    walk(dir).map((path) => [
      `/${path}`,
      new TextEncoder().encode(readFileSync(join(dir, path), 'utf8').replaceAll('\r\n', '\n')),
    ]),
  )
}

/** zopfli's gzip, which calls back at once when it has been loaded. It takes seconds and saves a fourteenth of what every page fetches first. */
async function zopfliGzip() {
  await zopfli.gzipAsync(new Uint8Array(1), {})
  return (bytes) => {
    let packed
    zopfli.gzip(bytes, { numiterations: 3 }, (_, result) => {
      packed = result
    })
    return packed
  }
}

/** `buildDefaultDisk` with the sources as they are now. */
export async function buildDefaultDiskNow(sources = readSources()) {
  const { buildDefaultDisk } = await loadTs('src/images/build.ts')
  return buildDefaultDisk({
    sources,
    gzip: await zopfliGzip(),
    files: readDiskFiles(),
    guestFiles: readDiskFiles('domu'),
    minimalFiles: readDiskFiles('minimal'),
    epochSeconds: EPOCH_SECONDS,
    seed: SEED,
  })
}

/** The default disk's container, gzipped. */
export const buildDisk = async () => (await buildDiskAndKnown()).bytes

/** The same in two parts: what is needed up to a login, and the rest. */
export async function buildDiskParts() {
  const { bytes, known, path } = await buildDiskAndKnown()
  return kept([`${path}.first`, `${path}.rest`], async () => {
    const { firstPart } = await loadTs('src/images/first-part.ts')
    const { packDiskParts, unpackDisk } = await loadTs('src/lib/ondisk/disk-container.ts')
    const disk = unpackDisk(gunzipSync(bytes))
    const first = firstPart(disk, known)
    // They are made once and fetched often: zopfli takes seconds and saves a thirtieth.
    return Promise.all(
      packDiskParts(disk, (chunk) => first.has(chunk)).map((part) => zopfli.gzipAsync(part, { numiterations: 3 })),
    )
  })
}

const zip = (bytes) => gzipSync(bytes, { level: 9, memLevel: 9 })

/** The contents of `paths`, made by `make` where one is not there. Several processes may build at once: whole files appear, or none. */
async function kept(paths, make) {
  try {
    return paths.map((path) => new Uint8Array(readFileSync(path)))
  } catch {
    const contents = await make()
    mkdirSync(cacheDir, { recursive: true })
    for (const [i, path] of paths.entries()) {
      writeFileSync(`${path}.${process.pid}`, contents[i])
      renameSync(`${path}.${process.pid}`, path)
    }
    keepNewest(cacheDir, 4 * CACHED_DISKS)
    return contents.map((content) => new Uint8Array(content))
  }
}

/**
 * The default disk's container, gzipped, and the hashes of the code on it that this build has verified (`known` of the machine's loader).
 * Kept in .cache until a source changes.
 */
export async function buildDiskAndKnown() {
  const sources = readSources()
  const files = ['default', 'domu', 'minimal'].flatMap((disk) => [...readDiskFiles(disk)])
  const hash = createHash('sha256')
  for (const script of ['scripts/disk.mjs', 'scripts/load-ts.mjs', 'package-lock.json'])
    hash.update(readFileSync(join(root, script)))
  for (const [path, content] of [...sources, ...files]) hash.update(path).update('\0').update(content).update('\0')
  const path = join(cacheDir, hash.digest('hex').slice(0, 32))
  const [json, bytes] = await kept([`${path}.json`, `${path}.gz`], async () => {
    const { disk, known } = await buildDefaultDiskNow(sources)
    const { packDisk } = await loadTs('src/lib/ondisk/disk-container.ts')
    return [new TextEncoder().encode(JSON.stringify(known)), zip(packDisk(disk))]
  })
  return { bytes, known: JSON.parse(new TextDecoder().decode(json)), path }
}

async function main() {
  const { values } = parseArgs({ options: { out: { type: 'string' }, raw: { type: 'boolean' } } })
  if (values.out === undefined) {
    console.error('usage: node scripts/disk.mjs --out FILE [--raw]')
    return 2
  }
  const bytes = values.raw ? (await buildDefaultDiskNow()).disk.toRaw() : await buildDisk()
  writeFileSync(values.out, bytes)
  console.log(`${values.out}: ${bytes.length} bytes`)
  return 0
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = await main()
