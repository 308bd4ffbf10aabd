/**
 * npm run guests:debian: Debian's own kernel as a guest. Fetches, by name and with apt, linux-image-cloud-amd64's kernel and busybox-static (with
 * --general also linux-image-amd64's), unpacks them in .cache without installing anything, and makes of them an initramfs and a second disk
 * (src/images/debian) that `npm run dev`, `npm run build` and `npm run headless -- --guests auto` offer. `npm run guests:debian -- --help` lists the options.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { loadTs } from './load-ts.mjs'
import { machineCodeVersion, recordTranslations } from './translations.mjs'

const CACHE = resolve(import.meta.dirname, '..', '.cache')
const GUESTS = join(CACHE, 'guests')
/** Says what there is; names are relative to it. */
const LIST = 'guests.json'
const BUSYBOX = 'busybox-static'
const KERNELS = [
  { name: 'debian', meta: 'linux-image-cloud-amd64', wanted: () => true },
  { name: 'debian-general', meta: 'linux-image-amd64', wanted: ({ general }) => general },
]
const SEED = 1

const USAGE = `Usage: npm run guests:debian -- [OPTION]...
Fetch Debian's kernel and busybox with apt, and make a second disk with a guest of them.

      --general     also the general kernel (linux-image-amd64), as the guest debian-general
      --translate   nothing but translate again what a newer version of this project cannot use any more
      --from DIR    take the packages (*.deb) that lie in DIR instead of fetching them
      --help        show this and exit
`

/** What was made last: the list, with whole paths; undefined: nothing. */
export function madeGuests() {
  const at = join(GUESTS, LIST)
  if (!existsSync(at)) return undefined
  const { busybox, kernels, data, disk, translations } = JSON.parse(readFileSync(at, 'utf8'))
  const path = (name) => join(GUESTS, name)
  return {
    busybox: path(busybox),
    kernels: kernels.map(({ name, version, kernel, initrd, modules }) => ({
      name,
      version,
      kernel: path(kernel),
      initrd: path(initrd),
      modules: modules.map(path),
    })),
    data: path(data),
    disk: path(disk),
    translations: translations && { file: path(translations.file), version: translations.version },
  }
}

/** The second disk's container, gzipped: a file. */
export const guestsDisk = () => madeGuests()?.disk

/** What has been translated of its kernels, gzipped: a file; undefined: nothing that this version can use. */
export function guestsTranslations() {
  const made = madeGuests()?.translations
  return made?.version === machineCodeVersion() ? made.file : undefined
}

/** Boot each kernel once, and keep what was translated. */
function translate() {
  const at = join(GUESTS, LIST)
  if (!existsSync(at)) throw new Missing('there is nothing to translate yet')
  const list = JSON.parse(readFileSync(at, 'utf8'))
  console.log('translating: each kernel boots once')
  const version = machineCodeVersion()
  const file = 'translations.gz'
  recordTranslations(
    join(GUESTS, list.disk),
    list.kernels.map(({ name }) => name),
    join(GUESTS, file),
  )
  writeFileSync(at, `${JSON.stringify({ ...list, translations: { file, version } }, null, 2)}\n`)
}

class Missing extends Error {}

const zip = (bytes) => gzipSync(bytes, { level: 9, memLevel: 9 })
const hasTool = (name) => spawnSync(name, ['--version']).error === undefined

/** The package that a meta package stands for now. */
function packageOf(meta) {
  const text = execFileSync('apt-cache', ['depends', meta], { encoding: 'utf8' })
  const name = /Depends: (linux-image-\d[\w.+-]*)/.exec(text)?.[1]
  if (name === undefined) throw new Missing(`apt knows no ${meta}: is its list of packages there? apt-get update`)
  return name
}

/** Some mirror's hiccup is no reason to give up. */
function download(names, folder) {
  const apt = ['download', '-q', '-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Retries=3', ...names]
  execFileSync('apt-get', apt, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Unpack every package of `from` into `to`. */
function unpack(from, to) {
  const packages = readdirSync(from).filter((name) => name.endsWith('.deb'))
  if (packages.length === 0) throw new Missing(`there is no package in ${from}`)
  for (const name of packages.sort()) execFileSync('dpkg-deb', ['-x', join(from, name), to])
}

/** The kernels of an unpacked root, named by their flavour. */
function kernelsIn(root) {
  const versions = readdirSync(join(root, 'boot')).flatMap((name) => /^vmlinuz-(.+)$/.exec(name)?.[1] ?? [])
  const nameOf = (version) => (version.includes('-cloud-') ? 'debian' : 'debian-general')
  const found = versions.map((version) => ({ version, name: nameOf(version) }))
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** A kernel's modules by their names, read when they are asked for. */
function modulesOf(root, version, nameOf) {
  const dir = [join(root, 'lib/modules', version), join(root, 'usr/lib/modules', version)].find(existsSync)
  if (!dir) throw new Missing(`the package of kernel ${version} has no modules`)
  const paths = readdirSync(dir, { recursive: true }).filter((path) => path.endsWith('.ko'))
  const byName = new Map(paths.map((path) => [nameOf(path), path]))
  return (name) => {
    const path = byName.get(name)
    return path && { path, bytes: new Uint8Array(readFileSync(join(dir, path))) }
  }
}

/** Make everything of an unpacked root, in `to`. Returns what the list says. */
export async function makeGuests(root, to) {
  const { guestModules, initramfs } = await loadTs('src/images/debian/initramfs.ts')
  const { moduleName } = await loadTs('src/images/debian/modules.ts')
  const { buildGuestsDisk } = await loadTs('src/images/debian/guests-disk.ts')
  const { packDisk } = await loadTs('src/lib/ondisk/disk-container.ts')
  const { EPOCH_SECONDS } = await import('./disk.mjs')
  const file = (path) => new Uint8Array(readFileSync(join(root, path)))
  const path = ['bin/busybox', 'usr/bin/busybox'].find((each) => existsSync(join(root, each)))
  if (path === undefined) throw new Missing(`there is no ${BUSYBOX} among the packages`)
  const busybox = file(path)
  const kernels = kernelsIn(root).map(({ name, version }) => {
    const modules = guestModules(modulesOf(root, version, moduleName))
    const archive = initramfs({ version, busybox, modules, epochSeconds: EPOCH_SECONDS })
    return { name, version, modules, vmlinuz: file(`boot/vmlinuz-${version}`), initrd: new Uint8Array(zip(archive)) }
  })
  if (kernels.length === 0) throw new Missing('there is no kernel among the packages')
  const { disk, data } = buildGuestsDisk({ kernels, epochSeconds: EPOCH_SECONDS, seed: SEED })
  const write = (name, bytes) => {
    mkdirSync(dirname(join(to, name)), { recursive: true })
    writeFileSync(join(to, name), bytes)
    return name
  }
  return {
    busybox: write('busybox', busybox),
    kernels: kernels.map(({ name, version, modules, vmlinuz, initrd }) => ({
      name,
      version,
      kernel: write(`vmlinuz-${version}`, vmlinuz),
      initrd: write(`initrd.img-${version}`, initrd),
      // In the order in which they are loaded.
      modules: modules.map(({ path, bytes }) => write(`modules-${version}/${basename(path)}`, bytes)),
    })),
    data: write('debian.img', data.toRaw()),
    disk: write('guests.gz', zip(packDisk(disk))),
  }
}

/** Everything anew, in one piece: an interrupted run leaves what was there. */
async function make(options) {
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, 'guests-'))
  try {
    const packages = options.from ?? join(folder, 'packages')
    if (options.from === undefined) {
      const missing = ['apt-get', 'apt-cache', 'dpkg-deb'].filter((name) => !hasTool(name))
      if (missing.length > 0) throw new Missing(`this machine has no ${missing.join(', ')}`)
      const names = [BUSYBOX, ...KERNELS.filter(({ wanted }) => wanted(options)).map(({ meta }) => packageOf(meta))]
      console.log(`fetching ${names.join(', ')}`)
      mkdirSync(packages)
      download(names, packages)
    } else if (!hasTool('dpkg-deb')) throw new Missing('this machine has no dpkg-deb')
    const root = join(folder, 'root')
    unpack(packages, root)
    const made = join(folder, 'made')
    mkdirSync(made)
    const list = await makeGuests(root, made)
    writeFileSync(join(made, LIST), `${JSON.stringify(list, null, 2)}\n`)
    rmSync(GUESTS, { recursive: true, force: true })
    renameSync(made, GUESTS)
    for (const { name, version } of list.kernels) console.log(`${name}: kernel ${version}`)
    console.log(`the disk is ${relative(process.cwd(), join(GUESTS, list.disk))}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      general: { type: 'boolean' },
      translate: { type: 'boolean' },
      from: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    process.stdout.write(USAGE)
    return 0
  }
  try {
    if (!values.translate) await make({ general: values.general ?? false, from: values.from && resolve(values.from) })
  } catch (error) {
    process.stderr.write(`no guests of Debian's: ${error.message}\n`)
    if (!(error instanceof Missing)) process.stderr.write('The list of packages may be old: apt-get update\n')
    return 1
  }
  try {
    translate()
    return 0
  } catch (error) {
    process.stderr.write(`the guests will start slowly, since nothing is translated: ${error.message}\n`)
    return 1
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = await main()
