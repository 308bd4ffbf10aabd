/**
 * npm run setup:xenstored: brings Debian's own xenstored and oxenstored (package xen-utils-4.17), which `npm run bench -- xenstore` and tests
 * compare ours with. The package and the libraries that it needs are unpacked in .cache, not installed: no service starts, and nobody need be root.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

const PACKAGE = 'xen-utils-4.17'
const CACHE = resolve(import.meta.dirname, '..', '.cache', 'xenstored-real')
const ROOT = join(CACHE, 'root')

function fail(why) {
  process.stderr.write(`no xenstored of Debian's: ${why}\n`)
  process.exitCode = 1
}

/** The package, and of what it depends on the libraries that are of Xen's own source. */
function wanted() {
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((kind) => `--no-${kind}`)
  const text = execFileSync('apt-cache', ['depends', '--recurse', ...only, PACKAGE], { encoding: 'utf8' })
  return [PACKAGE, ...new Set([...text.matchAll(/Depends: (libxen[\w.+-]+)/g)].map(([, name]) => name))]
}

const hasTool = (name) => spawnSync(name, ['--version']).error === undefined

function unpack() {
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, 'packages-'))
  try {
    execFileSync('apt-get', ['download', '-q', '-o', 'APT::Sandbox::User=root', ...wanted()], {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    for (const name of readdirSync(folder).filter((name) => name.endsWith('.deb')))
      execFileSync('dpkg-deb', ['-x', name, 'root'], { cwd: folder })
    renameSync(join(folder, 'root'), ROOT)
    console.log(`${PACKAGE} is unpacked in ${ROOT}`)
  } catch (error) {
    fail(`${error.message} (is the list of packages there? apt-get update)`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const missing = ['apt-get', 'dpkg-deb', 'gcc'].filter((name) => !hasTool(name))
if (existsSync(`/usr/lib/${PACKAGE.replace('utils-', '')}/bin/oxenstored`) || existsSync(ROOT))
  console.log("Debian's xenstored is there already")
else if (missing.length > 0) fail(`this machine has no ${missing.join(', ')}`)
else unpack()
