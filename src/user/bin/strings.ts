/** strings of binutils 2.17. */

import { eachInput } from '../coreutils/inputs.ts'
import { CHUNK } from '../libc/stdio.ts'
import { read } from '../libc/syscall.ts'
import { Exit, utility } from '../libc/utility.ts'

/** A run of characters this long is cut: it would have to be kept. */
const RUN_MAX = 65536

export const strings = utility({
  name: 'strings',
  usage: 'strings [OPTION]... [FILE]...',
  help: `Display printable strings in FILEs (standard input by default)

  -a, -, --all              Scan the entire file: what is done in any case
  -f, --print-file-name     Print the name of the file before each string
  -n, --bytes=NUMBER        Print any sequence of at least NUMBER characters
  -NUMBER                   (default 4)
  -t, --radix={o,d,x}       Print the location of the string in base 8, 10 or 16
  -o                        An alias for --radix=o
`,
  version: '2.17.50.0.6',
  short: 'afn:ot:',
  long: { all: 'a', 'print-file-name': 'f', 'bytes:': 'n', 'radix:': 't' },
  prepare: (args) => args.filter((arg) => arg !== '-').map((arg) => (/^-\d+$/.test(arg) ? `-n${arg.slice(1)}` : arg)),
  *main(run) {
    const text = run.value('n') ?? '4'
    const least = /^\d{1,5}$/.test(text) ? Number(text) : 0
    if (least < 1) throw new Exit(1, `invalid number ${text}`)
    const radix = run.has('o') ? 8 : { o: 8, d: 10, x: 16 }[run.value('t') ?? '']
    if (run.has('t') && radix === undefined) throw new Exit(1, `invalid radix ${run.value('t')}`)
    yield* eachInput(run, function* (fd, file) {
      let found = ''
      let position = 0
      const end = function* () {
        if (found.length >= least) {
          const at = radix === undefined ? '' : `${(position - found.length).toString(radix).padStart(7)} `
          yield* run.out.line(`${run.has('f') ? `${file === '-' ? '{standard input}' : file}: ` : ''}${at}${found}`)
        }
        found = ''
      }
      for (let part = yield* read(fd, CHUNK); part.length > 0; part = yield* read(fd, CHUNK))
        for (let i = 0; i < part.length; i++, position++) {
          const byte = part[i]!
          if ((byte >= 32 && byte < 127) || byte === 9) {
            found += String.fromCharCode(byte)
            if (found.length < RUN_MAX) continue
            position++
            yield* end()
            position--
          } else if (found !== '') yield* end()
        }
      yield* end()
    })
    return run.status
  },
})
