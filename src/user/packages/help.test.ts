/** Every installed program answers --help and --version where the real one does. */
import { expect, test } from 'vitest'
import { PACKAGES } from '#images/packages.ts'
import { posixRig } from '#testing/posix-rig.ts'

/** GNU's and those in its manner; sysvinit's, e2fsprogs' and most of util-linux' answer with their usage and an error, as the real ones. */
const LONG_OPTIONS = new Set([
  'sh',
  'coreutils',
  'coreutils-usr',
  'textutils',
  'textutils-usr',
  'editors',
  'procps',
  'accounts',
  'module-init-tools',
  'archive',
])
/** dash has no long options, POSIX's test takes them for strings, /proc/modules' reader has none. */
const NO_SUCH_OPTIONS = new Set(['sh', 'test', 'lsmod'])
const NO_VERSION = new Set(['passwd', 'hostname'])

const ETC = { '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n', '/etc/group': 'root:x:0:\n' }

const rows = PACKAGES.filter(({ pkg }) => LONG_OPTIONS.has(pkg.name))
  .flatMap(({ pkg }) => pkg.programs.map(([path]) => ({ pkg, path, name: path.slice(path.lastIndexOf('/') + 1) })))
  .filter(({ name }) => !NO_SUCH_OPTIONS.has(name))

test.each(rows)('$path', ({ pkg, path, name }) => {
  const rig = posixRig({ packages: [pkg], files: ETC })
  // Also false says it, and fails as ever.
  const status = name === 'false' ? 1 : 0
  const help = rig.run([path, '--help'])
  // hostname of net-tools writes it to standard error.
  expect(name === 'hostname' ? help.stderr : help.stdout).toMatch(/^ *usage:\s/im)
  expect(help.status).toBe(status)
  if (NO_VERSION.has(name)) return
  const version = rig.run([path, '--version'])
  expect(version).toMatchObject({ status, stderr: '' })
  expect(version.stdout).toMatch(/\d/)
})
