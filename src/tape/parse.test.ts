import { describe, expect, test } from 'vitest'
import { describeError, type ParseOptions, parseTape } from './parse.ts'

/** A tape's commands in short, or what is wrong with it. */
function read(text: string, options?: ParseOptions): string[] {
  const { tape, errors } = parseTape(text, options)
  if (errors) return errors.map((error) => describeError('t', error))
  return tape.commands.map(({ step }) => {
    switch (step.kind) {
      case 'type':
        return `type ${step.text} ${step.speedNs === undefined ? '' : step.speedNs / 1e6}`.trimEnd()
      case 'keys': {
        const chords = step.chords.map(
          ({ key, ctrl, alt, shift }) => `${ctrl ? 'C-' : ''}${alt ? 'A-' : ''}${shift ? 'S-' : ''}${key}`,
        )
        const speed = step.speedNs ? ` @${step.speedNs / 1e6}` : ''
        return `${chords.join(' ')}${step.count === 1 ? '' : ` x${step.count}`}${speed}`
      }
      case 'sleep':
      case 'set-speed':
      case 'set-timeout':
        return `${step.kind} ${step.ns / 1e6}`
      case 'wait':
        return `wait ${step.scope} ${step.pattern?.source ?? '-'} ${step.timeoutNs === undefined ? '-' : step.timeoutNs / 1e6}`
      case 'set-pattern':
        return `pattern ${step.pattern.source}`
      case 'target':
        return `target ${step.console}`
      case 'paste':
        return `paste ${step.text}`
      case 'screenshot':
        return `screenshot ${step.path}`
      default:
        return step.kind
    }
  })
}

describe('commands', () => {
  test.each<[string, string[]]>([
    ['', []],
    ['# only a comment\n\n   # and another', []],
    ['Type "echo hi"', ['type echo hi']],
    ['Type \'single\' "double" `back "\'`', ['type single double back "\'']],
    ['Type bare words', ['type bare words']],
    ['Type "x" Sleep 300ms Enter', ['type x', 'sleep 300', 'Enter']],
    ['Type@500ms "slow"', ['type slow 500']],
    ['Type@.5 "slow"', ['type slow 500']],
    ['Type "# no comment"', ['type # no comment']],
    ['Sleep 0.5', ['sleep 500']],
    ['Sleep .5', ['sleep 500']],
    ['Sleep 2', ['sleep 2000']],
    ['Sleep 100ms', ['sleep 100']],
    ['Sleep 1s', ['sleep 1000']],
    ['Sleep 1m', ['sleep 60000']],
    ['Enter', ['Enter']],
    ['Enter 2', ['Enter x2']],
    ['Backspace@0.1 5', ['Backspace x5 @100']],
    ['Tab@500ms 2', ['Tab x2 @500']],
    ['Delete Insert Space Escape', ['Delete', 'Insert', 'Space', 'Escape']],
    [
      'Up 2 Down Left Right PageUp PageDown Home End',
      ['Up x2', 'Down', 'Left', 'Right', 'PageUp', 'PageDown', 'Home', 'End'],
    ],
    ['Ctrl+R', ['C-R']],
    ['Ctrl+a 2', ['t:1:8: Invalid command: 2']],
    ['Ctrl+Alt+Shift+p', ['C-A-S-p']],
    ['Ctrl+Shift+Left', ['C-S-Left']],
    ['Ctrl+a+b', ['C-a C-b']],
    ['Ctrl+]', ['C-]']],
    ['Ctrl+[ Ctrl+\\ Ctrl+^ Ctrl+@ Ctrl+- Ctrl+/', ['C-[', 'C-\\', 'C-^', 'C-@', 'C--', 'C-/']],
    ['Ctrl+Space Ctrl+Enter Ctrl+Backspace', ['C-Space', 'C-Enter', 'C-Backspace']],
    ['Alt+.', ['A-.']],
    ['Alt+1', ['A-1']],
    ['Alt+Tab', ['A-Tab']],
    ['Alt+foo', ['A-f A-o A-o']],
    ['Shift+a Shift+Tab Shift+Enter', ['S-a', 'S-Tab', 'S-Enter']],
    ['Wait', ['wait line - -']],
    ['Wait /World/', ['wait line /World/ -']],
    ['Wait+Screen /World/', ['wait screen /World/ -']],
    ['Wait+Line@10ms /World/', ['wait line /World/ 10']],
    ['Wait@1m', ['wait line - 60000']],
    ['Wait+Screen /^login: $/m', ['wait screen /^login: $/m -']],
    ['Wait /a\\/b\\\\/', ['wait line /a\\/b\\\\/ -']],
    ['Wait /x/im Type "y"', ['wait line /x/im -', 'type y']],
    ['Wait /(?i)x/', ['wait line /(?i)x/ -']],
    ['Set TypingSpeed 0.1', ['set-speed 100']],
    ['Set TypingSpeed 10ms', ['set-speed 10']],
    ['Set WaitTimeout 1m', ['set-timeout 60000']],
    ['Set WaitPattern /foo/', ['pattern /foo/']],
    ['Set WaitPattern "foo"', ['pattern /foo/']],
    ['Hide Show', ['hide', 'show']],
    ['Copy "https://x" Paste', ['nothing', 'paste https://x']],
    ['Screenshot shots/a.txt', ['screenshot shots/a.txt']],
    [
      'Target com2\nTarget monitor\nTarget domain:sebastian',
      ['target com2', 'target monitor', 'target domain:sebastian'],
    ],
    ['Enter\r\nEnter\r\n', ['Enter', 'Enter']],
  ])('%s', (text, commands) => {
    expect(read(text)).toEqual(commands)
  })
})

test('what only changes a picture is accepted, and listed once', () => {
  const { tape } = parseTape(`
Output demo.gif
Output demo.mp4
Output frames/
Output golden.ascii
Output "serial.log"
Output /tmp/golden.txt
Require xm
Require "gum"
Set Shell bash
Set FontSize 22
Set FontSize 23
Set FontFamily "DejaVu Sans Mono"
Set Height 600
Set LetterSpacing 1
Set LineHeight 1.2
Set Theme { "name": "Whimsy",
  "black": "#535178" }
Set Theme "Catppuccin Frappe"
Set Padding 50
Set Margin 60
Set MarginFill "#6B50FF"
Set WindowBar Colorful
Set WindowBarSize 40
Set BorderRadius 10
Set Framerate 60
Set PlaybackSpeed 0.5
Set LoopOffset 60.4%
Set LoopOffset 5
Set CursorBlink false
Env HELLO "WORLD"
Screenshot a.png
ScrollUp@100ms 4
Enter`)
  expect(tape?.ignored).toEqual([
    'Output demo.gif',
    'Output demo.mp4',
    'Output frames/',
    'Require',
    'Set Shell',
    'Set FontSize',
    'Set FontFamily',
    'Set Height',
    'Set LetterSpacing',
    'Set LineHeight',
    'Set Theme',
    'Set Padding',
    'Set Margin',
    'Set MarginFill',
    'Set WindowBar',
    'Set WindowBarSize',
    'Set BorderRadius',
    'Set Framerate',
    'Set PlaybackSpeed',
    'Set LoopOffset',
    'Set CursorBlink',
    'Env HELLO',
    'Screenshot a.png',
    'ScrollUp',
  ])
  expect(tape?.outputs).toEqual([
    { path: 'golden.ascii', format: 'golden' },
    { path: 'serial.log', format: 'transcript' },
    { path: '/tmp/golden.txt', format: 'golden' },
  ])
  expect(tape?.commands.at(-1)).toMatchObject({ line: 34, name: 'Enter' })
})

describe('refusals, with line and column', () => {
  test.each<[string, string[]]>([
    ['Foo', ['1:1: Invalid command: Foo']],
    ['enter', ['1:1: Invalid command: enter']],
    ['5', ['1:1: Invalid command: 5']],
    ['"x"', ['1:1: Invalid command: x']],
    ['\u2318', ['1:1: Invalid command: \u2318']],
    ['constructor', ['1:1: Invalid command: constructor']],
    ['Type Enter', ['1:6: Type expects string']],
    ['Type', ['1:1: Type expects string']],
    ['Type "x"\nFoo', ['2:1: Invalid command: Foo']],
    ['Type "a"\n"b"', ['2:1: Invalid command: b']],
    ['Type\n"b"', ['1:1: Type expects string', '2:1: Invalid command: b']],
    ['Enter\n5', ['2:1: Invalid command: 5']],
    ['Wait\n/x/', ['2:1: Invalid command: x']],
    ['Set FontSize\n5', ['1:5: Expected a value after FontSize', '2:1: Invalid command: 5']],
    ['Sleep\nFoo', ['1:1: Expected time after Sleep', '2:1: Invalid command: Foo']],
    ['Sleep\nEnter', ['1:1: Expected time after Sleep']],
    ['Type 5', ['1:6: Type expects string']],
    ['\n\n  Type "open', ['3:8: Unterminated string: no closing " on this line']],
    ['Sleep Bar\nFoo', ['1:7: Expected time after Sleep', '2:1: Invalid command: Foo']],
    ['Sleep 1.2.3', ['1:7: Not a number: 1.2.3']],
    ['Sleep 5h', ['1:8: Invalid command: h']],
    ['Sleep 1 toString', ['1:9: Invalid command: toString']],
    ['Sleep -1', ['1:7: Expected time after Sleep']],
    ['Sleep 999999m', ['1:7: Time longer than 168 hours']],
    ['Type@ "x"', ['1:7: Expected time after @']],
    ['Enter 1.5', ['1:7: Not a whole number: 1.5']],
    ['Enter 99999', ['1:7: Count greater than 10000']],
    ['Ctrl', ['1:1: Expected a key after Ctrl+']],
    ['Ctrl+', ['1:6: Expected a key after Ctrl+']],
    ['Ctrl+Foo', ['1:6: No such key: Foo']],
    ['Ctrl+Alt', ['1:6: Expected a key after Ctrl+']],
    ['Ctrl+a+Shift', ['1:8: Modifiers must come before other characters']],
    ['Alt+Sleep', ['1:5: No such key: Sleep']],
    ['Shift+', ['1:7: Expected a key after Shift+']],
    ['Wait+Foo /x/', ['1:6: Wait+ expects Line or Screen']],
    ['Wait@0 /x/', ['1:5: Wait expects positive duration']],
    ['Wait /(/', ["1:6: Invalid regular expression '('"]],
    ['Wait /x/g', ['1:6: Unknown flag of a regular expression: g']],
    ['Wait /(?U)x/', ['1:6: Unknown flag of a regular expression: U']],
    ['Wait /x', ['1:6: Unterminated regular expression: no closing / on this line']],
    [`Wait /${'x'.repeat(1001)}/`, ['1:6: Regular expression longer than 1000 characters']],
    ['Set Foo 1', ['1:5: Unknown setting: Foo']],
    ['Set toString 1', ['1:5: Unknown setting: toString']],
    ['Set', ['1:1: Unknown setting: ']],
    ['Set FontSize', ['1:5: Expected a value after FontSize']],
    ['Set FontSize big', ['1:14: expected a whole number, got big']],
    ['Set PlaybackSpeed fast', ['1:19: expected a number, got fast']],
    ['Set CursorBlink maybe', ['1:17: expected boolean value.']],
    ['Set WindowBar Square', ['1:15: Square is not a valid bar style.']],
    ['Set MarginFill "#12"', ['1:16: "#12" is not a valid color.']],
    ['Set TypingSpeed fast', ['1:17: Expected time after TypingSpeed']],
    ['Set WaitTimeout 0', ['1:5: WaitTimeout expects positive duration']],
    ['Set WaitPattern /(/', ["1:17: Invalid regular expression '('"]],
    ['Set Theme { "name"', ['1:11: Unterminated JSON: no closing }']],
    ['Output', ['1:1: Expected file path after output']],
    ['Output frames', ['1:1: Expected folder with trailing slash']],
    ['Screenshot a.jpg', ['1:12: Expected file with .png or .txt extension']],
    ['Screenshot', ['1:1: Expected path after Screenshot']],
    ['Require', ['1:1: Require expects one string']],
    ['Paste', ['1:1: Nothing to paste: no Copy before']],
    ['Copy', ['1:1: Copy expects string']],
    ['Env', ['1:1: Env expects a name']],
    ['Env HELLO', ['1:5: HELLO expects string']],
    ['Target', ['1:1: Expected a console after Target']],
    ['Target com3', ['1:8: No such target: com3 (com1, com2, monitor or domain:NAME)']],
    ['Target domain:', ['1:8: No such target: domain: (com1, com2, monitor or domain:NAME)']],
    ['Target monitor\nType "né"', ["2:1: No key of the monitor's keyboard types é"]],
    ['Source other.tape', ['1:8: Source: there are no files here']],
    ['Source', ['1:1: Expected path after Source']],
  ])('%s', (text, errors) => {
    expect(read(text)).toEqual(errors.map((error) => `t:${error}`))
  })

  test('too long, too many commands, too many mistakes', () => {
    expect(read('#'.repeat(1_000_001))).toEqual(['t:1:1: Tape longer than 1000000 characters'])
    expect(read('Enter\n'.repeat(10_001))).toEqual(['t:10001:1: More than 10000 commands'])
    expect(read('Foo\n'.repeat(1000))).toHaveLength(20)
  })
})

describe('Source', () => {
  const files: Record<string, string> = {
    'login.tape': 'Output x.txt\nSet FontSize 3\nType "root"\nEnter',
    'nested.tape': 'Source login.tape',
    'bad.tape': 'Enter\nFoo',
    'empty.tape': '',
  }
  const source = (path: string) => files[path]

  test('puts the other tape in its place, without its outputs', () => {
    const { tape } = parseTape('Tab\nSource login.tape\nTab', { source })
    expect(tape?.commands.map(({ file, line, name }) => [file, line, name])).toEqual([
      [undefined, 1, 'Tab'],
      ['login.tape', 2, 'Set FontSize'],
      ['login.tape', 3, 'Type'],
      ['login.tape', 4, 'Enter'],
      [undefined, 3, 'Tab'],
    ])
    expect(tape?.outputs).toEqual([])
    expect(tape?.ignored).toEqual(['Set FontSize'])
  })

  test.each([
    ['nested.tape', 'nested.tape:1:8: Nested Source detected'],
    ['bad.tape', 'bad.tape:2:1: Invalid command: Foo'],
    ['empty.tape', 't:1:8: Source tape: empty.tape is empty'],
    ['none.tape', 't:1:8: File none.tape not found'],
    ['login.txt', 't:1:8: Expected file with .tape extension'],
  ])('%s is refused', (path, error) => {
    expect(read(`Source ${path}`, { source })).toEqual([error])
  })
})
