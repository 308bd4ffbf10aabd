/** Watches and transactions, by those who may and those who may not. */
import type { Case } from './cases.ts'

export const WATCH_CASES: readonly Case[] = [
  // WATCH, UNWATCH
  ['a watch tells at once', '* WATCH /a|t| => OK| ~/a|t|'],
  ['a watch of what is missing tells at once', '* WATCH /none|t| => OK| ~/none|t|'],
  ['a watch tells of a write, before the answer', '* WATCH /a|t| => OK| ~/a|t|\n * WRITE /a|1 => ~/a|t| OK|'],
  ['a watch tells of a write of the same value', '* WATCH /a|t| => OK| ~/a|t|\n * WRITE /a|x => ~/a|t| OK|'],
  ['a watch tells of what is below', '* WATCH /a|t| => OK| ~/a|t|\n * WRITE /a/b/c|1 => ~/a/b/c|t| OK|'],
  ['parents made on the way are not told', '* WATCH /p|t| => OK| ~/p|t|\n * WRITE /p/q/r|1 => ~/p/q/r|t| OK|'],
  ['a watch does not tell of what is above', '* WATCH /a/b|t| => OK| ~/a/b|t|\n * WRITE /a|1 => OK|'],
  ['a watch does not tell of what only begins alike', '* WATCH /a|t| => OK| ~/a|t|\n * WRITE /ab|1 => OK|'],
  ['a watch tells of permissions', '* WATCH /a|t| => OK| ~/a|t|\n * CHMOD /a|r0| => ~/a|t| OK|'],
  [
    'a watch tells of a new directory only',
    '* WATCH /m|t| => OK| ~/m|t|\n * MKDIR /m| => ~/m|t| OK|\n * MKDIR /m| => OK|',
  ],
  ['a watch tells of a removal', '* WATCH /a|t| => OK| ~/a|t|\n * RM /a/b| => ~/a/b|t| OK|'],
  ['a watch tells its own path when more is removed', '* WATCH /a/b|t| => OK| ~/a/b|t|\n * RM /a| => ~/a/b|t| OK|'],
  ['also of what was not there', '* WATCH /a/z/y|t| => OK| ~/a/z/y|t|\n * RM /a| => ~/a/z/y|t| OK|'],
  ['removing what is missing is no event', '* WATCH /none|t| => OK| ~/none|t|\n * RM /none| => OK|'],
  ['a failed write is no event', 's WATCH /a|t| => OK| ~/a|t|\n 1 WRITE /a|1 => !EACCES\n s =>'],
  ['a watch of the root tells all', '* WATCH /|t| => OK| ~/|t|\n * WRITE /a/b|1 => ~/a/b|t| OK|'],
  [
    'a watch of the root tells special events too',
    '* WATCH /|t| => OK| ~/|t|\n * INTRO 5|100|3| => ~@introduceDomain|t| OK|',
    's0',
  ],
  [
    'two watches, two events',
    '* WATCH /a|t| => OK| ~/a|t|\n * WATCH /a|u| => OK| ~/a|u|\n * WRITE /a|1 => ~/a|t| ~/a|u| OK|',
  ],
  [
    'watches tell in the order of registering',
    '* WATCH /a/b|t| => OK| ~/a/b|t|\n * WATCH /|u| => OK| ~/|u|\n * WRITE /a/b|1 => ~/a/b|t| ~/a/b|u| OK|',
  ],
  ['the same watch twice', '* WATCH /a|t| => OK| ~/a|t|\n * WATCH /a|t| => !EEXIST'],
  ['an empty token', '* WATCH /a|| => OK| ~/a||'],
  ['a token of any bytes', '* WATCH /a|\xff ^| => OK| ~/a|\xff ^|'],
  ['a watch without token', '* WATCH /a| => !EINVAL', 'sr01'],
  ['a watch with three words', '* WATCH /a|t|u| => !EINVAL', 'sr01'],
  ['what is behind the token is not looked at', '* WATCH /a|t|zzz => OK| ~/a|t|'],
  ['a watch of nothing', '* WATCH _ => !EINVAL', 'sr01'],
  ['a watch of a bad path', '* WATCH /a/|t| => !EINVAL', 'sr01'],
  ['a watch relative on a socket', 's WATCH a|t| => !EINVAL'],
  [
    'a watch relative on a ring tells relative paths',
    '1 WATCH dev|t| => OK| ~dev|t|\n 1 WRITE dev/x|1 => ~dev/x|t| OK|\n s WRITE /local/domain/1/dev/y|1 => OK|\n 1 => ~dev/y|t|',
  ],
  [
    "a domain's absolute watch tells absolute paths",
    '1 WATCH /local/domain/1/dev|t| => OK| ~/local/domain/1/dev|t|\n 1 WRITE dev|1 => ~/local/domain/1/dev|t| OK|',
  ],
  [
    'relative and absolute are the same watch',
    '1 WATCH dev|t| => OK| ~dev|t|\n 1 WATCH /local/domain/1/dev|t| => !EEXIST',
  ],
  ['relative, and more is removed', '1 WATCH dev|t| => OK| ~dev|t|\n s RM /local/domain/1| => OK|\n 1 => ~dev|t|'],
  [
    'a domain watches what it may not read, and hears when it changes',
    '1 WATCH /a|t| => OK| ~/a|t|\n s WRITE /a|1 => OK|\n 1 => ~/a|t|',
  ],
  [
    'a domain watches special events',
    '1 WATCH @releaseDomain|t| => OK| ~@releaseDomain|t|\n s RELEASE 2| => OK|\n 1 => ~@releaseDomain|t|',
  ],
  ['a long special path', `* WATCH @${'x'.repeat(2048)}|t| => !EINVAL`],
  ['unwatch', '* WATCH /a|t| => OK| ~/a|t|\n * UNWATCH /a|t| => OK|\n * WRITE /a|1 => OK|'],
  ['unwatch another token', '* WATCH /a|t| => OK| ~/a|t|\n * UNWATCH /a|u| => !ENOENT'],
  ["unwatch another connection's", 's WATCH /a|t| => OK| ~/a|t|\n 0 UNWATCH /a|t| => !ENOENT'],
  ['unwatch relative', '1 WATCH dev|t| => OK| ~dev|t|\n 1 UNWATCH /local/domain/1/dev|t| => OK|'],
  ['unwatch without token', '* UNWATCH /a| => !EINVAL'],
  ['watch again after unwatch', '* WATCH /a|t| => OK| ~/a|t|\n * UNWATCH /a|t| => OK|\n * WATCH /a|t| => OK| ~/a|t|'],
  ['read-only sockets watch', 'r WATCH /a|t| => OK| ~/a|t|\n s WRITE /a|1 => OK|\n r => ~/a|t|'],
  // Transactions
  ['start', '* START | => 1|\n * START | => 2|\n *#1 END F| => OK|\n * START | => 3|'],
  ['start with any payload', '* START _ => 1|\n * START zzz => 2|'],
  ['ids are per connection', 's START | => 1|\n 1 START | => 1|'],
  ['nested', '* START | => 1|\n *#1 START | => !EBUSY'],
  ["another connection's", 's START | => 1|\n 0#1 READ /a| => !ENOENT'],
  ['it sees its own writes', '* START | => 1|\n *#1 WRITE /a|n => OK|\n *#1 READ /a| => n\n * READ /a| => x'],
  ['commit', '* START | => 1|\n *#1 WRITE /a|n => OK|\n *#1 END T| => OK|\n * READ /a| => n\n *#1 READ /a| => !ENOENT'],
  ['abort', '* START | => 1|\n *#1 WRITE /a|n => OK|\n *#1 END F| => OK|\n * READ /a| => x'],
  [
    'any change anywhere breaks it',
    's START | => 1|\n s#1 WRITE /a|n => OK|\n 1 WRITE x|1 => OK|\n s#1 END T| => !EAGAIN\n s READ /a| => x\n s#1 END T| => !ENOENT',
  ],
  ['its own change outside breaks it', '* START | => 1|\n * WRITE /b|1 => OK|\n *#1 END T| => !EAGAIN'],
  ['even one that only read', '* START | => 1|\n *#1 READ /a| => x\n * WRITE /b|1 => OK|\n *#1 END T| => !EAGAIN'],
  ['even by a commit that only read', 's START | => 1|\n 0 START | => 1|\n 0#1 END T| => OK|\n s#1 END T| => !EAGAIN'],
  [
    'an aborted one breaks nothing',
    's START | => 1|\n 0 START | => 1|\n 0#1 WRITE /a|q => OK|\n 0#1 END F| => OK|\n s#1 END T| => OK|',
  ],
  ['a failed write breaks nothing', 's START | => 1|\n 1 WRITE /a|q => !EACCES\n s#1 END T| => OK|'],
  ['it does not see later changes', 's START | => 1|\n 0 WRITE /a|q => OK|\n s#1 READ /a| => x'],
  [
    'reads and watches of others break nothing',
    's START | => 1|\n 0 READ /a| => x\n 0 WATCH /a|t| => OK| ~/a|t|\n 0 MKDIR /a| => OK|\n s#1 END T| => OK|',
  ],
  [
    'watches fire at the end, each path once, in the order of first changes',
    '0 WATCH /|t| => OK| ~/|t|\n s START | => 1|\n s#1 WRITE /b|1 => OK|\n s#1 WRITE /a|1 => OK|\n s#1 WRITE /b|2 => OK|\n 0 =>\n s#1 END T| => OK|\n 0 => ~/b|t| ~/a|t|',
  ],
  [
    'its own watches fire before the answer',
    '* WATCH /a|t| => OK| ~/a|t|\n * START | => 1|\n *#1 WRITE /a|1 => OK|\n *#1 END T| => ~/a|t| OK|',
  ],
  [
    'an aborted one fires nothing',
    '0 WATCH /|t| => OK| ~/|t|\n s START | => 1|\n s#1 RM /a| => OK|\n s#1 END F| => OK|\n 0 =>',
  ],
  [
    'a removal fires for what was below',
    '0 WATCH /a/b|t| => OK| ~/a/b|t|\n s START | => 1|\n s#1 RM /a| => OK|\n s#1 END T| => OK|\n 0 => ~/a/b|t|',
  ],
  ['end without transaction', '* END T| => !ENOENT'],
  ['end with a bad word', '* START | => 1|\n *#1 END X| => !EINVAL\n *#1 END T| => OK|'],
  ['end without NUL', '* START | => 1|\n *#1 END T => !EINVAL'],
  ['end of an unknown one', '*#9 END T| => !ENOENT'],
  ['an unknown type in an unknown transaction', '*#9 T20 _ => !ENOENT'],
  ['permissions count inside', '1 START | => 1|\n 1#1 WRITE /a|1 => !EACCES\n 1#1 READ /ro| => 1'],
  ['a domain commits', '1 START | => 1|\n 1#1 WRITE x|1 => OK|\n 1#1 END T| => OK|\n s READ /local/domain/1/x| => 1'],
  [
    'a watch made inside is made',
    's START | => 1|\n s#1 WATCH /a|t| => OK| ~/a|t|\n 0 WRITE /a|1 => OK|\n s => ~/a|t|',
  ],

  // Edges of both
  ['anything behind @ may be watched', '* WATCH @|t| => OK| ~@|t|\n * WATCH @none/such|t| => OK| ~@none/such|t|'],
  ['permissions of what is above are no event', '* WATCH /a/b|t| => OK| ~/a/b|t|\n * CHMOD /a|r0| => OK|'],
  ['a directory made below', '* WATCH /m/n|t| => OK| ~/m/n|t|\n * MKDIR /m/n/o| => ~/m/n/o|t| OK|'],
  [
    'parents that are watched themselves are not told',
    '* WATCH /m/n/o/p|t| => OK| ~/m/n/o/p|t|\n * MKDIR /m/n/o| => OK|',
  ],
  [
    'each connection hears it',
    '0 WATCH /a|t| => OK| ~/a|t|\n 1 WATCH /a|t| => OK| ~/a|t|\n 2 WATCH /|t| => OK| ~/|t|\n s WRITE /a|1 => OK|\n 0 => ~/a|t|\n 1 => ~/a|t|\n 2 => ~/a|t|',
  ],
  [
    'one path, two tokens, one taken back',
    '* WATCH /a|t| => OK| ~/a|t|\n * WATCH /a|u| => OK| ~/a|u|\n * UNWATCH /a|t| => OK|\n * WRITE /a|1 => ~/a|u| OK|',
  ],
  [
    'one token, two paths',
    '* WATCH /a|t| => OK| ~/a|t|\n * WATCH /a/b|t| => OK| ~/a/b|t|\n * UNWATCH /a|t| => OK|\n * RM /a| => ~/a/b|t| OK|',
  ],
  ['unwatch nothing', '* UNWATCH _ => !EINVAL', 'sr01'],
  ['unwatch three words', '* UNWATCH /a|t|u| => !EINVAL', 'sr01'],
  ['unwatch of a bad path is of an unknown one', '* UNWATCH /a/|t| => !ENOENT', 'sr01'],
  ['unwatch twice', '* WATCH /a|t| => OK| ~/a|t|\n * UNWATCH /a|t| => OK|\n * UNWATCH /a|t| => !ENOENT', 'sr01'],
  ['watch twice', '* WATCH /a|t| => OK| ~/a|t|\n * WATCH /a|t| => !EEXIST', 'sr01'],
  ['unwatch relative on a socket', 's UNWATCH a|t| => !ENOENT'],
  [
    "dom0's ring has relative watches",
    '0 WATCH x|t| => OK| ~x|t|\n s WRITE /local/domain/0/x/y|1 => OK|\n 0 => ~x/y|t|',
  ],
  [
    'relative, and what begins alike',
    '1 WATCH dev|t| => OK| ~dev|t|\n 1 WRITE device|1 => OK|\n 1 WRITE dev/x|1 => ~dev/x|t| OK|',
  ],
  [
    'an event of another domain comes to who listens there',
    '1 WATCH /local/domain/2|t| => OK| ~/local/domain/2|t|\n 2 WRITE x|1 => OK|\n 1 => ~/local/domain/2/x|t|',
  ],
  ['a long token', `* WATCH /a|${'t'.repeat(3000)}| => OK| ~/a|${'t'.repeat(3000)}|`],
  [
    'the longest path of a watch',
    `* WATCH /${'x'.repeat(3071)}|t| => OK| ~/${'x'.repeat(3071)}|t|\n * WATCH /${'x'.repeat(3072)}|t| => !EINVAL`,
  ],
  [
    'read-only sockets take part in transactions',
    'r START | => 1|\n r#1 READ /a| => x\n r#1 WRITE /a|1 => !EACCES\n r#1 END T| => OK|',
  ],
  ['end with nothing', '* START | => 1|\n * END _ => !EINVAL\n *#1 END _ => !EINVAL\n *#1 END F| => OK|', 'sr01'],
  ['end with a small letter', '* START | => 1|\n *#1 END t| => !EINVAL\n *#1 END F| => OK|', 'sr01'],
  [
    'end with two words',
    '* START | => 1|\n *#1 END T|F| => !EINVAL\n *#1 END TT| => !EINVAL\n *#1 END F| => OK|',
    'sr01',
  ],
  ['end twice', '* START | => 1|\n *#1 END F| => OK|\n *#1 END F| => !ENOENT', 'sr01'],
  [
    'two of one connection: the first wins',
    '* START | => 1|\n * START | => 2|\n *#1 WRITE /a|1 => OK|\n *#2 WRITE /a|2 => OK|\n *#1 END T| => OK|\n *#2 END T| => !EAGAIN\n * READ /a| => 1',
  ],
  [
    'two of one connection do not see each other',
    '* START | => 1|\n * START | => 2|\n *#1 WRITE /a|1 => OK|\n *#2 READ /a| => x\n * READ /a| => x',
  ],
  [
    'it lists what it made, and nobody else does',
    '* START | => 1|\n *#1 MKDIR /a/c| => OK|\n *#1 DIR /a| => b|c|\n * DIR /a| => b|\n *#1 END T| => OK|\n * DIR /a| => b|c|',
  ],
  [
    'it misses what it removed',
    '* START | => 1|\n *#1 RM /a| => OK|\n *#1 READ /a/b| => !ENOENT\n * READ /a/b| => y\n *#1 END T| => OK|\n * READ /a/b| => !ENOENT',
  ],
  [
    'removed and made anew inside',
    '* START | => 1|\n *#1 RM /a| => OK|\n *#1 WRITE /a|n => OK|\n *#1 END T| => OK|\n * READ /a| => n\n * DIR /a| => _',
  ],
  [
    'permissions set inside',
    '* START | => 1|\n *#1 CHMOD /a|r0| => OK|\n 1 READ /a| => !EACCES\n *#1 PERMS /a| => r0|\n *#1 END T| => OK|\n 1 READ /a| => x',
  ],
  [
    'permissions set inside, and left',
    '* START | => 1|\n *#1 CHMOD /a|r0| => OK|\n *#1 END F| => OK|\n 1 READ /a| => !EACCES',
  ],
  [
    'a failed one can be done again',
    '* START | => 1|\n *#1 WRITE /a|1 => OK|\n 1 WRITE k|v => OK|\n *#1 END T| => !EAGAIN\n * START | => 2|\n *#2 WRITE /a|1 => OK|\n *#2 END T| => OK|\n * READ /a| => 1',
  ],
  [
    'what needs no tree may be asked inside',
    '* START | => 1|\n *#1 PATH 1| => /local/domain/1|\n *#1 INTRODUCED 1| => T|\n *#1 DEBUG check| => OK|\n *#1 END T| => OK|',
    's0',
  ],
  [
    'a watch taken back inside stays taken back',
    '* WATCH /a|t| => OK| ~/a|t|\n * START | => 1|\n *#1 UNWATCH /a|t| => OK|\n *#1 END F| => OK|\n * WRITE /a|1 => OK|',
  ],
  [
    'a removal and a write inside: as the first of them',
    '0 WATCH /a/b|t| => OK| ~/a/b|t|\n s START | => 1|\n s#1 RM /a| => OK|\n s#1 WRITE /a|1 => OK|\n s#1 END T| => OK|\n 0 => ~/a/b|t|',
  ],
  [
    'a write and a removal inside: as the first of them',
    '0 WATCH /a/b|t| => OK| ~/a/b|t|\n s START | => 1|\n s#1 WRITE /a|1 => OK|\n s#1 RM /a| => OK|\n s#1 END T| => OK|\n 0 =>',
  ],
  ['an introduction breaks nothing', '* START | => 1|\n s INTRO 5|100|3| => OK|\n *#1 END T| => OK|'],
  [
    "a domain's transaction that fails",
    '1 START | => 1|\n 1#1 WRITE x|1 => OK|\n 2 WRITE y|1 => OK|\n 1#1 END T| => !EAGAIN\n 1 READ x| => !ENOENT',
  ],
]
