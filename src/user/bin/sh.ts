/** The shell by both its names. */
import { program } from '../libc/program.ts'
import { shellMain } from '../sh/main.ts'

export const sh = program({
  name: 'sh',
  usage: 'sh [-abCefhilmnsuvx] [-o OPTION] [FILE [ARGUMENT...]]\nsh [OPTIONS] -c COMMAND [NAME [ARGUMENT...]]',
  help: `The POSIX shell: commands from FILE, from COMMAND, or from standard input.

  -c  the first operand is the commands
  -i  interactive   -l  a login shell   -s  commands come from standard input
  -e  exit when a command fails         -u  unset variables are errors
  -x  print commands as they run        -v  print input as it is read
  -f  no pathname expansion             -n  read commands, do not run them
  -a  export what is assigned           -C  > does not overwrite
  -m  job control                       -b  tell of ended jobs at once

Builtins: . : [ alias bg break cd command continue echo eval exec exit export
false fg getopts hash jobs kill local printf pwd read readonly return set
shift test times trap true type ulimit umask unalias unset wait`,
  main: shellMain,
})

export const bash = program({
  name: 'bash',
  usage: 'bash [OPTIONS] [FILE [ARGUMENT...]]\nbash [OPTIONS] -c COMMAND [NAME [ARGUMENT...]]',
  help: `The shell with some of bash's conveniences: [[ ]], (( )), {a,b}, +=, &>, <<<, $'..',
\${v/p/r}, \${v:o:l}, function, source, history; PS1 with \\u \\h \\w \\$ and their like.
Arrays it has none. All else is as in sh.

  --login  --norc  --noprofile  and the options of sh`,
  main: shellMain,
})
