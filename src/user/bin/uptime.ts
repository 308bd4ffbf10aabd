/** uptime(1): procps 3.2.7. */
import { utility } from '../libc/utility.ts'
import { uptimeLine } from './procps/uptime-line.ts'

export const uptime = utility({
  name: 'uptime',
  usage: 'uptime [-V]',
  help: `    -V    display version
Tell how long the system has been running, how many users are logged on and the load averages.
`,
  version: 'procps version 3.2.7',
  short: 'V',
  *main(run) {
    yield* run.out.line(run.has('V') ? 'procps version 3.2.7' : yield* uptimeLine())
    return 0
  },
})
