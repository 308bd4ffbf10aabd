/** Runs snippets on our shell and our commands, in the rig. */
import { posixRig, type RigFile, type RunResult } from '../posix-rig.ts'
import { PACKAGES } from './packages.ts'
import type { Snippet } from './snippet.ts'

/** Where Debian's commands are, too: a recording may print a path. */
export function runSnippet({ sh, stdin = '', files = {} }: Snippet): RunResult {
  const placed: Record<string, RigFile> = {
    '/work/': '',
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
    '/etc/group': 'root:x:0:root\n',
  }
  for (const [path, text] of Object.entries(files)) placed[`/work/${path}`] = text
  const rig = posixRig({ packages: PACKAGES, files: placed })
  return rig.run(['sh', '-c', sh], {
    stdin,
    cwd: '/work',
    env: { PATH: '/usr/bin:/bin', HOME: '/root', LC_ALL: 'C', TZ: 'UTC' },
  })
}
