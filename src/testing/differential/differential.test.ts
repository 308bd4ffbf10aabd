import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { groups } from './groups.ts'
import { dashIsHere, type Recorded, runNatively } from './native.ts'
import { runSnippet } from './rig.ts'

const recorded = JSON.parse(readFileSync(new URL('./recorded.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, Recorded>
>

for (const [group, snippets] of Object.entries(groups)) {
  describe(`${group} as Debian's dash and coreutils`, () => {
    for (const snippet of snippets)
      test(snippet.name, () => {
        const said = recorded[group]?.[snippet.name]
        expect(said, 'not recorded: node scripts/record-differential.mjs').toBeDefined()
        const { stdout, stderr, status } = runSnippet(snippet)
        expect({ stdout, stderr: snippet.stderr ? stderr : stderr === '' ? '' : '*', status }).toEqual(said)
      })

    // Every eighth is run anew where dash is installed: a recording must not go stale unseen.
    test.runIf(dashIsHere())('the recording is what dash says', () => {
      for (const [i, snippet] of snippets.entries())
        if (i % 8 === 0) expect(runNatively(snippet), snippet.name).toEqual(recorded[group]?.[snippet.name])
    })
  })
}
