/** What domains may have of nodes, bytes, watches and transactions, with a daemon that allows few (SMALL). Domain 1's directory is there before it is introduced. */
import type { Case } from './cases.ts'

export const SMALL = ['-E', '5', '-S', '100', '-W', '2', '-t', '1']

export const QUOTA_SETUP = `
  s MKDIR /local/domain/1| => OK|
  s CHMOD /local/domain/1|n1| => OK|
`

export const QUOTA_CASES: readonly Case[] = [
  [
    'nodes',
    '1 WRITE a/b/c|1 => OK|\n 1 WRITE d|1 => OK|\n 1 WRITE e|1 => OK|\n 1 WRITE f|1 => !ENOENT\n 1 RM e| => OK|\n 1 WRITE f|1 => OK|',
  ],
  [
    'nodes on the way count, and nothing stays of a refusal',
    '1 WRITE a/b/c/d/e/f|1 => !ENOENT\n 1 DIR /local/domain/1| => _\n 1 WRITE a/b/c/d/e|1 => OK|',
  ],
  [
    'nodes in a transaction count too',
    '1 START | => 1|\n 1#1 WRITE a/b/c/d/e|1 => OK|\n 1#1 WRITE f|1 => !ENOENT\n 1#1 END T| => OK|\n 1 WRITE f|1 => !ENOENT',
  ],
  [
    'an aborted transaction has made none',
    '1 START | => 1|\n 1#1 WRITE a/b/c/d/e|1 => OK|\n 1#1 END F| => OK|\n 1 WRITE a/b/c/d/e|1 => OK|',
  ],
  ['nodes made by dom0 for a domain count', 's WRITE /local/domain/1/a/b/c/d/e|1 => OK|\n 1 WRITE f|1 => !ENOENT'],
  [
    'nodes given to a domain count',
    's WRITE /l/1|1 => OK|\n s CHMOD /l|b1| => OK|\n 1 WRITE a/b/c/d|1 => OK|\n 1 WRITE e|1 => !ENOENT',
  ],
  ['dom0 has no quota', '0 WRITE a/b/c/d/e/f/g/h/i|1 => OK|\n s WRITE /a/b/c/d/e/f/g/h/i|1 => OK|'],
  [
    'the size of a node',
    `1 WRITE x|${'v'.repeat(79)} => OK|\n 1 WRITE x|${'v'.repeat(80)} => !ENOSPC\n 1 WRITE y|${'v'.repeat(80)} => !ENOSPC`,
  ],
  [
    'the size counts permissions',
    `1 WRITE x|${'v'.repeat(79)} => OK|\n 1 CHMOD x|n1|r2| => !ENOSPC\n 1 PERMS x| => n1|`,
  ],
  [
    'the size counts names of children',
    `1 MKDIR d/${'n'.repeat(78)}| => OK|\n 1 MKDIR d/m| => !ENOSPC\n 1 MKDIR e/${'n'.repeat(79)}| => !ENOSPC`,
  ],
  [
    'dom0 writes more than a domain may then remove from',
    `s WRITE /local/domain/1/x/a|1 => OK|\n s WRITE /local/domain/1/x|${'v'.repeat(90)} => OK|\n 1 RM x/a| => !EINVAL`,
  ],
  [
    'watches: one more than the number',
    '1 WATCH a|t| => OK| ~a|t|\n 1 WATCH b|t| => OK| ~b|t|\n 1 WATCH c|t| => OK| ~c|t|\n 1 WATCH d|t| => !EINVAL\n 1 UNWATCH a|t| => OK|\n 1 WATCH d|t| => OK| ~d|t|',
  ],
  [
    'transactions: one more than the number',
    '1 START | => 1|\n 1 START | => 2|\n 1 START | => !ENOSPC\n 1#1 END F| => OK|\n 1 START | => 3|',
  ],
  [
    'a new beginning frees watches and transactions',
    '1 WATCH a|t| => OK| ~a|t|\n 1 WATCH b|t| => OK| ~b|t|\n 1 WATCH c|t| => OK| ~c|t|\n 1 START | => 1|\n 1 START | => 2|\n s INTRO 1|1001|9| => OK|\n 1 WATCH d|t| => OK| ~d|t|\n 1 START | => 3|',
  ],
  ['sockets have no quota of transactions', 's START | => 1|\n s START | => 2|\n s START | => 3|'],

  [
    'what exists is written and made all the same',
    '1 WRITE a/b/c/d/e|1 => OK|\n 1 WRITE a|2 => OK|\n 1 MKDIR a/b| => OK|\n 1 MKDIR f| => !ENOENT',
  ],
  [
    'nodes that dom0 removes are given back',
    '1 WRITE a/b/c/d/e|1 => OK|\n s RM /local/domain/1/a/b| => OK|\n 1 WRITE f/g/h/i|1 => OK|\n 1 WRITE j|1 => !ENOENT',
  ],
  [
    'nodes that dom0 takes over are given back',
    '1 WRITE a/b/c/d/e|1 => OK|\n s CHMOD /local/domain/1/a/b/c/d/e|n0| => OK|\n 1 WRITE f|1 => OK|\n 1 WRITE g|1 => !ENOENT',
  ],
  [
    'nodes removed in a transaction are given back at its end',
    '1 WRITE a/b/c/d/e|1 => OK|\n 1 START | => 1|\n 1#1 RM a| => OK|\n 1 WRITE f|1 => !ENOENT\n 1#1 END T| => OK|\n 1 WRITE f|1 => OK|',
  ],
  [
    'nodes of a transaction that fails are not counted',
    '1 START | => 1|\n 1#1 WRITE a/b/c/d/e|1 => OK|\n s WRITE /x|1 => OK|\n 1#1 END T| => !EAGAIN\n 1 WRITE a/b/c/d/e|1 => OK|',
  ],
  [
    'a watch that is there counts before there are too many',
    '1 WATCH a|t| => OK| ~a|t|\n 1 WATCH b|t| => OK| ~b|t|\n 1 WATCH c|t| => OK| ~c|t|\n 1 WATCH a|t| => !EEXIST',
  ],
  [
    'too many watches, and a bad one',
    '1 WATCH a|t| => OK| ~a|t|\n 1 WATCH b|t| => OK| ~b|t|\n 1 WATCH c|t| => OK| ~c|t|\n 1 WATCH /d/|t| => !EINVAL',
  ],
  ['nested counts before there are too many', '1 START | => 1|\n 1 START | => 2|\n 1#1 START | => !EBUSY'],
  [
    "sockets and dom0's ring have no quota of watches",
    '* WATCH /a|t| => OK| ~/a|t|\n * WATCH /b|t| => OK| ~/b|t|\n * WATCH /c|t| => OK| ~/c|t|\n * WATCH /d|t| => OK| ~/d|t|',
    's0',
  ],
  ['nor of bytes', `* WRITE /a|${'v'.repeat(2000)} => OK|\n * CHMOD /a|n0|r1|r2|r3|r4|r5|r6|r7| => OK|`, 's0'],
  ['nor of transactions', '* START | => 1|\n * START | => 2|\n * START | => 3|\n * START | => 4|', 's0'],
  [
    'a value in a transaction is measured too',
    `1 START | => 1|\n 1#1 WRITE x|${'v'.repeat(80)} => !ENOSPC\n 1#1 WRITE x|${'v'.repeat(79)} => OK|\n 1#1 END T| => OK|`,
  ],
  [
    'the parent is measured too',
    `s WRITE /local/domain/1/x|${'v'.repeat(80)} => OK|\n 1 MKDIR x/y| => !ENOSPC\n 1 WRITE x|1 => OK|\n 1 MKDIR x/y| => OK|`,
  ],
]
