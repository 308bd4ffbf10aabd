import { describe, expect, test } from 'vitest'
import { type Options, parseOptions, UsageError } from './options.ts'

const nothing: Options = {
  turbo: false,
  seed: undefined,
  memoryMiB: undefined,
  disk: undefined,
  guests: undefined,
  translations: undefined,
  writeTranslations: undefined,
  exportDisk: undefined,
  tape: undefined,
  com1: { kind: 'stdio' },
  forwards: [],
  digest: false,
  record: undefined,
  replay: undefined,
  help: false,
}

test.each<[string, Partial<Options>]>([
  ['', {}],
  ['--turbo', { turbo: true }],
  ['--seed 7 --memory=512', { seed: 7, memoryMiB: 512 }],
  ['--seed=0', { seed: 0 }],
  ['--disk a.img --export-disk b.img', { disk: 'a.img', exportDisk: 'b.img' }],
  ['--guests auto', { guests: 'auto' }],
  ['--guests=a.img', { guests: 'a.img' }],
  ['--translations a --write-translations b', { translations: 'a', writeTranslations: 'b' }],
  ['--tape x.tape --digest', { tape: 'x.tape', digest: true }],
  ['--com1 tcp:4000', { com1: { kind: 'tcp', port: 4000 } }],
  ['--com1=unix:/tmp/s:1', { com1: { kind: 'unix', path: '/tmp/s:1' } }],
  ['--com1 stdio', {}],
  [
    '--forward unix:/tmp/a=b=dom0:/var/run/xenstored/socket --for tcp:0=dom0:/s',
    {
      forwards: [
        { listen: { kind: 'unix', path: '/tmp/a=b' }, to: '/var/run/xenstored/socket' },
        { listen: { kind: 'tcp', port: 0 }, to: '/s' },
      ],
    },
  ],
  ['--tu --mem 64', { turbo: true, memoryMiB: 64 }],
  ['--rec a', { record: 'a' }],
  ['--seed 1 --seed 2', { seed: 2 }],
  ['--tape --turbo', { tape: '--turbo' }],
  ['--help --seed 3', { help: true, seed: 3 }],
  ['--', {}],
])('%j', (line, options) => {
  expect(parseOptions(line.split(' ').filter(Boolean))).toEqual({ ...nothing, ...options })
})

describe('refusals', () => {
  test.each([
    [['--foo'], "unrecognized option '--foo'"],
    [['--foo=1'], "unrecognized option '--foo'"],
    [['--=1'], "unrecognized option '--'"],
    [['-t'], "invalid option -- 't'"],
    [['x.tape'], "extra operand 'x.tape'"],
    [['-'], "extra operand '-'"],
    [['--', 'x'], "extra operand 'x'"],
    [['--seed'], "option '--seed' requires an argument"],
    [['--turbo=yes'], "option '--turbo' doesn't allow an argument"],
    [['--d', '1'], "option '--d' is ambiguous; possibilities: '--digest' '--disk'"],
    [['--re', '1'], "option '--re' is ambiguous; possibilities: '--record' '--replay'"],
    [['--seed', 'x'], "invalid argument 'x' for '--seed': a whole number from 0 to 9007199254740991"],
    [['--seed', '-1'], "invalid argument '-1' for '--seed': a whole number from 0 to 9007199254740991"],
    [['--seed', '1.5'], "invalid argument '1.5' for '--seed': a whole number from 0 to 9007199254740991"],
    [['--memory', '0'], "invalid argument '0' for '--memory': a whole number from 16 to 3008"],
    [['--memory', '4096'], "invalid argument '4096' for '--memory': a whole number from 16 to 3008"],
    [['--memory', '1e3'], "invalid argument '1e3' for '--memory': a whole number from 16 to 3008"],
    [['--tape', ''], "invalid argument '' for '--tape': a file name"],
    ...[
      ['', 'unix:PATH=dom0:SOCKET or tcp:PORT=dom0:SOCKET'],
      ['tcp:1', 'unix:PATH=dom0:SOCKET or tcp:PORT=dom0:SOCKET'],
      ['tcp:1=dom1:/s', 'unix:PATH=dom0:SOCKET or tcp:PORT=dom0:SOCKET'],
      ['tcp:70000=dom0:/s', 'unix:PATH=dom0:SOCKET or tcp:PORT=dom0:SOCKET'],
      ['unix:=dom0:/s', 'unix:PATH=dom0:SOCKET or tcp:PORT=dom0:SOCKET'],
      ['/tmp/s=dom0:/s', 'unix:PATH=dom0:SOCKET or tcp:PORT=dom0:SOCKET'],
      ['tcp:1=dom0:8006', 'domain 0 has no network yet, only sockets: dom0:/PATH'],
      ['tcp:1=dom0:', 'a socket in domain 0 is an absolute path: dom0:/PATH'],
      ['tcp:1=dom0:s', 'a socket in domain 0 is an absolute path: dom0:/PATH'],
      [`tcp:1=dom0:/${'x'.repeat(107)}`, 'a socket in domain 0 is an absolute path: dom0:/PATH'],
    ].map(([value, why]): [string[], string] => [
      ['--forward', value!],
      `invalid argument '${value}' for '--forward': ${why}`,
    ]),
    [['--tape', 'x', '--forward', 'tcp:1=dom0:/s'], "options '--tape' and '--forward' cannot be used together"],
    [['--replay', 'x', '--forward', 'tcp:1=dom0:/s'], "options '--replay' and '--forward' cannot be used together"],
    [['--com1', 'tcp:'], "invalid argument 'tcp:' for '--com1': stdio, tcp:PORT or unix:PATH"],
    [['--com1', 'tcp:70000'], "invalid argument 'tcp:70000' for '--com1': stdio, tcp:PORT or unix:PATH"],
    [['--com1', 'unix:'], "invalid argument 'unix:' for '--com1': stdio, tcp:PORT or unix:PATH"],
    [['--com1', 'pty'], "invalid argument 'pty' for '--com1': stdio, tcp:PORT or unix:PATH"],
    [['--tape', 'a', '--replay', 'b'], "options '--tape' and '--replay' cannot be used together"],
    [['--tape', 'a', '--com1', 'tcp:1'], "options '--tape' and '--com1' cannot be used together"],
    [['--replay', 'a', '--seed', '1'], "options '--replay' and '--seed' cannot be used together"],
    [['--replay', 'a', '--memory', '64'], "options '--replay' and '--memory' cannot be used together"],
  ])('%j', (argv, message) => {
    expect(() => parseOptions(argv)).toThrow(new UsageError(message))
  })
})
