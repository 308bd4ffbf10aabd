import { expect, test } from 'vitest'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { posixRig } from '#testing/posix-rig.ts'
import { LogFile } from './log-file.ts'

/** What is in the log after `parts`; the rig's clock starts at 06:32:52 on 2009-05-12. */
function logged(stamps: boolean, ...parts: readonly string[]): string | undefined {
  const rig = posixRig({
    files: { '/var/log/': '', '/var/log/x': 'before\n' },
    programs: {
      *'/bin/log'(): Sys<number> {
        const log = yield* LogFile.open('/var/log/x', stamps)
        for (const part of parts) yield* log.write(bytesOfString(part))
        yield* log.close()
        return 0
      },
    },
  })
  expect(rig.run(['/bin/log'])).toMatchObject({ status: 0, output: '' })
  return rig.read('/var/log/x')
}

test('without stamps the bytes go as they are, behind what there is', () => {
  expect(logged(false, 'a\r\nb', '\xff\n')).toBe('before\na\r\nb\xff\n')
})

test('with stamps each line begins with the time, however it comes in pieces', () => {
  const stamp = '[2009-05-12 06:32:52] '
  expect(logged(true, '\n', 'one\r\ntw', 'o\nthree')).toBe(
    `before\n${stamp}Logfile Opened\n${stamp}one\r\n${stamp}two\n${stamp}three`,
  )
  expect(logged(true, '\nx\n\r\ry\n')).toBe(`before\n${stamp}Logfile Opened\n${stamp}x\n${stamp}y\n`)
})
