/**
 * A browser for the tests: one that is already here, else Debian's package, else Playwright's download.
 * `node scripts/browser.mjs` prints where it is; `--install` gets one when there is none.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { argv, env, exit, getuid, platform, stderr, stdout } from 'node:process'
import { pathToFileURL } from 'node:url'

const require = createRequire(import.meta.url)

/** Chromium and its kin under the names that Linux distributions give them. */
const commands = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'microsoft-edge-stable']

function usualPlaces() {
  if (platform === 'darwin') {
    return ['Google Chrome', 'Chromium', 'Microsoft Edge'].flatMap((name) => [
      `/Applications/${name}.app/Contents/MacOS/${name}`,
      join(env.HOME ?? '', `Applications/${name}.app/Contents/MacOS/${name}`),
    ])
  }
  if (platform === 'win32') {
    return [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA]
      .filter((folder) => folder)
      .flatMap((folder) => [
        join(folder, 'Google/Chrome/Application/chrome.exe'),
        join(folder, 'Chromium/Application/chrome.exe'),
        join(folder, 'Microsoft/Edge/Application/msedge.exe'),
      ])
  }
  return []
}

function runnable(path) {
  try {
    accessSync(path, platform === 'win32' ? constants.F_OK : constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Path of a browser to test with, or undefined. CHROMIUM_PATH wins, and must then be right. */
export function findBrowser() {
  if (env.CHROMIUM_PATH) {
    if (!runnable(env.CHROMIUM_PATH)) throw new Error(`CHROMIUM_PATH: no program at ${env.CHROMIUM_PATH}`)
    return env.CHROMIUM_PATH
  }
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder)
  const names = platform === 'win32' ? [] : commands
  const inPath = names.flatMap((name) => folders.map((folder) => join(folder, name)))
  const found = [...inPath, ...usualPlaces()].find((path) => existsSync(path) && runnable(path))
  if (found) return found
  const downloaded = require('@playwright/test').chromium.executablePath()
  return downloaded && existsSync(downloaded) ? downloaded : undefined
}

/** The same, getting one first when there is none. */
export function ensureBrowser() {
  const found = findBrowser()
  if (found) return found
  if (platform === 'linux' && getuid?.() === 0 && existsSync('/etc/debian_version')) {
    const apt = (...args) =>
      spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
      }).status === 0
    const install = () => apt('install', '-y', '--no-install-recommends', 'chromium')
    if (!install() && apt('update')) install()
  } else {
    const cli = join(require.resolve('@playwright/test/package.json'), '../cli.js')
    try {
      execFileSync(process.execPath, [cli, 'install', 'chromium'], { stdio: ['ignore', 'ignore', 'inherit'] })
    } catch {
      // Reported below, in one line.
    }
  }
  return findBrowser()
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) {
  const path = argv.includes('--install') ? ensureBrowser() : findBrowser()
  if (path) stdout.write(`${path}\n`)
  else {
    stderr.write('No Chromium found. Set CHROMIUM_PATH, or run `npm run setup:browser`.\n')
    exit(1)
  }
}
