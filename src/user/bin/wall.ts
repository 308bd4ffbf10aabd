/** wall of sysvinit: a message to everybody who is logged in. */
import { broadcast } from '../account/broadcast.ts'
import { program } from '../libc/program.ts'
import { readAll, STDIN } from '../libc/stdio.ts'

const LINES_MAX = 20

export const wall = program({
  name: 'wall',
  usage: 'wall [-n] [MESSAGE...]',
  help: 'Write MESSAGE, or standard input, on the terminals of all users.',
  *main(argv) {
    const words = argv[1] === '-n' ? argv.slice(2) : argv.slice(1)
    const text = words.length > 0 ? `${words.join(' ')}\n` : yield* readAll(STDIN)
    const lines = text.replace(/\n$/, '').split('\n').slice(0, LINES_MAX)
    yield* broadcast(lines.map((line) => `${line}\r\n`).join(''))
    return 0
  },
})
