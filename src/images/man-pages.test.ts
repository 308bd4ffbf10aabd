/** Manual pages come from the programs' records. */
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Package, Program } from '#user/libc/program.ts'
import { format } from '#user/man/roff.ts'
import { manPage, manPages, summary } from './man-pages.ts'
import { PACKAGES } from './packages.ts'

function* main(): Generator<never, number> {
  return 0
}
const program = (help: string, usage = 'x [-a] FILE...\nx -b'): Program => ({ name: 'x', usage, help, main })

test.each([
  ['Make it so. And more.', 'Make it so'],
  ['Make it\nso', 'Make it so'],
  ['Copy a.out to b; twice.', 'Copy a.out to b'],
  ['Do this:\n  -a  all', 'Do this'],
  ['  -l   list', 'x [-a] FILE...'],
])('summary of %j', (help, wanted) => expect(summary(program(help))).toBe(wanted))

test('a page, and what man makes of it', () => {
  const page = manPage(
    'x',
    1,
    'tools',
    program(
      'Make it so.\n\n  -a, --all   everything\n              there is\n      --help  display this\n\nExample:\n  x .foo \\n',
    ),
  )
  expect(page).toMatchInlineSnapshot(`
    ".TH X 1 "" "tools"
    .SH NAME
    x \\- Make it so
    .SH SYNOPSIS
    .B x
    [\\-a] FILE...
    .br
    .B x
    \\-b
    .SH DESCRIPTION
    .PP
    Make it so.
    .TP
    .B \\-a, \\-\\-all
    everything
    there is
    .PP
    Example:
    .PP
    .nf
      x .foo \\en
    .fi
    "
  `)
  expect(format(page, 60).replace(/.\x08/g, '')).toMatchInlineSnapshot(`
    "X(1)                   User Commands                    X(1)

    NAME
           x - Make it so

    SYNOPSIS
           x [-a] FILE...
           x -b

    DESCRIPTION
           Make it so.

           -a, --all
                  everything there is

           Example:

             x .foo \\n

    tools                                                   X(1)
    "
  `)
})

test('every installed program has its page, and its line in the index', () => {
  const packages = PACKAGES.map(({ pkg }): Package => pkg)
  const files = manPages(packages)
  const index = files.find(({ path }) => path === '/var/cache/man/whatis')!.text
  for (const { programs } of packages)
    for (const [path] of programs) {
      const name = path.slice(path.lastIndexOf('/') + 1)
      if (name === '[') continue
      expect(
        files.some((file) => file.path.endsWith(`/${name}.${path.includes('sbin/') ? 8 : 1}`)),
        path,
      ).toBe(true)
      expect(index).toContain(`${name} (`)
    }
  for (const { path, text } of files) if (path.endsWith('.1')) expect(format(text, 78), path).toMatch(/N\x08NA/)
  // Pages are weight in everybody's first load.
  expect(gzipSync(files.map(({ text }) => text).join('')).length).toBeLessThan(40_000)
})
