/**
 * Every request: good, bad, at its edge, by those who may and those who may not. A line is `WHO OP PAYLOAD => MESSAGES`: s and r are sockets (r read-only), a
 * number is that domain's ring; `#3` behind the name is a transaction; `|` stands for NUL, `^` for a newline; `!` marks an error, `~` an event, `_` an empty payload. All that the
 * client is told by then, in order. `WHO => MESSAGES`: what else it has been told.
 */
import { expect, test } from 'vitest'
import { World } from '#testing/xenstored-rig.ts'

/** What most cases begin with: a node for everybody's rights. */
const SETUP = `
  s WRITE /a|x => OK|
  s WRITE /a/b|y => OK|
  s MKDIR /local/domain/1 => !EINVAL
  s MKDIR /local/domain/1| => OK|
  s CHMOD /local/domain/1|n1| => OK|
  s MKDIR /local/domain/2| => OK|
  s CHMOD /local/domain/2|n2| => OK|
  s WRITE /ro|1 => OK|
  s CHMOD /ro|r0| => OK|
  s WRITE /wo|2 => OK|
  s CHMOD /wo|w0| => OK|
  s WRITE /rw|3 => OK|
  s CHMOD /rw|b0| => OK|
  s WRITE /for1|4 => OK|
  s CHMOD /for1|n0|r1|w2| => OK|
`

const CASES: readonly (readonly [title: string, script: string])[] = [
  // READ
  ['read a value', 's READ /a| => x'],
  ['read an empty value', 's READ /tool| => _'],
  ['read the root', 's READ /| => _'],
  ['read what is missing', 's READ /none| => !ENOENT'],
  ['read below what is missing', 's READ /none/deeper| => !ENOENT'],
  ['read below a leaf', 's READ /a/b/c| => !ENOENT'],
  ['read without NUL', 's READ /a => !EINVAL'],
  ['read nothing', 's READ _ => !EINVAL'],
  ['read an empty path', 's READ | => !EINVAL'],
  ['read two arguments', 's READ /a|/b| => !EINVAL'],
  ['read with something behind the NUL', 's READ /a|x => !EINVAL'],
  ['read a path with a trailing slash', 's READ /a/| => !EINVAL'],
  ['read a path with a double slash', 's READ //a| => !EINVAL'],
  ['read a path with a double slash inside', 's READ /a//b| => !EINVAL'],
  ['read a path with a blank', 's READ /a b| => !EINVAL'],
  ['read a path with a dot', 's READ /a.b| => !EINVAL'],
  ['read a path with a high byte', 's READ /\xe9| => !EINVAL'],
  ['read a path with a newline at its end', 's READ /a^| => !EINVAL'],
  ['read a special path', 's READ @introduceDomain| => !EINVAL'],
  ['read the longest path', `s READ /${'x'.repeat(3071)}| => !ENOENT`],
  ['read a longer path', `s READ /${'x'.repeat(3072)}| => !EINVAL`],
  ['all legal characters', 's WRITE /aZ09-_@|v => OK|\n s READ /aZ09-_@| => v'],
  ['relative on a socket', 's READ a| => !EINVAL'],
  ['relative on a ring', '1 WRITE name|me => OK|\n 1 READ name| => me\n s READ /local/domain/1/name| => me'],
  ["relative on dom0's ring", '0 WRITE name|d0 => OK|\n s READ /local/domain/0/name| => d0'],
  ['the domain itself is no relative path', '1 READ | => !EINVAL'],
  ['a domain reads what it may', '1 READ /for1| => 4'],
  ['a domain reads what all may', '1 READ /ro| => 1'],
  ['a domain reads what it may only write', '2 READ /for1| => !EACCES'],
  ['a domain reads what only dom0 may', '1 READ /a| => !EACCES'],
  ['a domain does not learn what is missing', '1 READ /none| => !EACCES'],
  ['a domain does not learn what is missing in a foreign directory', '1 READ /local/domain/2/x| => !EACCES'],
  ['a domain learns what is missing in its own', '1 READ /local/domain/1/x| => !ENOENT'],
  ['a domain learns what is missing below a readable node', '1 READ /ro/x| => !ENOENT'],
  [
    'a domain reads below a directory that it may not read',
    's WRITE /a/b/c|7 => OK|\n s CHMOD /a/b/c|r0| => OK|\n 1 READ /a/b/c| => 7',
  ],
  ['read-only sockets read', 'r READ /a| => x'],
  ["dom0's ring reads all", '0 READ /local/domain/2| => _'],
  ['read in a transaction that is none', 's#7 READ /a| => !ENOENT'],

  // DIRECTORY
  ['list the root', 's DIR /| => tool|a|local|ro|wo|rw|for1|'],
  [
    'list in the order of creation',
    's WRITE /d/z|1 => OK|\n s WRITE /d/a|1 => OK|\n s WRITE /d/m|1 => OK|\n s DIR /d| => z|a|m|',
  ],
  [
    'a node that is made anew comes last',
    's WRITE /d/z| => OK|\n s WRITE /d/a| => OK|\n s RM /d/z| => OK|\n s MKDIR /d/z| => OK|\n s DIR /d| => a|z|',
  ],
  ['list a leaf', 's DIR /a/b| => _'],
  ['list what is missing', 's DIR /none| => !ENOENT'],
  ['list without NUL', 's DIR /a => !EINVAL'],
  ['list nothing', 's DIR _ => !EINVAL'],
  ['list a bad path', 's DIR a/b| => !EINVAL'],
  ['a domain lists its own', '1 WRITE k|v => OK|\n 1 DIR /local/domain/1| => k|'],
  ["a domain lists another's", '1 DIR /local/domain/2| => !EACCES'],
  ['a domain lists all domains', '1 DIR /local/domain| => !EACCES'],
  ['a domain lists the root', '1 DIR /| => !EACCES'],
  ['who may only write lists', '1 DIR /wo| => !EACCES'],

  // WRITE
  ['write anew', 's WRITE /a|z => OK|\n s READ /a| => z'],
  ['write nothing', 's WRITE /a| => OK|\n s READ /a| => _'],
  ['write with NULs in the value', 's WRITE /a|1|2| => OK|\n s READ /a| => 1|2|'],
  ['write creates parents', 's WRITE /p/q/r|v => OK|\n s READ /p| => _\n s DIR /p| => q|\n s READ /p/q/r| => v'],
  ['write without NUL', 's WRITE /a => !EINVAL'],
  ['write without anything', 's WRITE _ => !EINVAL'],
  ['write to an empty path', 's WRITE |v => !EINVAL'],
  ['write to a bad path', 's WRITE /a b|v => !EINVAL'],
  ['write to a special path', 's WRITE @releaseDomain|v => !EINVAL'],
  ['write relative on a socket', 's WRITE a|v => !EINVAL'],
  ['write to the root', 's WRITE /|v => OK|\n s READ /| => v'],
  ['a domain writes where it may', '1 WRITE /rw|v => OK|\n s READ /rw| => v'],
  ['a domain writes where it may only write', '1 WRITE /wo|v => OK|\n s READ /wo| => v'],
  ['a domain writes where it may only read', '1 WRITE /ro|v => !EACCES'],
  ['a domain writes where another may', '1 WRITE /for1|v => !EACCES\n 2 WRITE /for1|v => OK|'],
  ["a domain writes to dom0's", '1 WRITE /a|v => !EACCES'],
  ['a domain creates at the root', '1 WRITE /new|v => !EACCES'],
  ['a domain creates below what it may write', '1 WRITE /rw/n|v => OK|\n s PERMS /rw/n| => b1|'],
  ['a domain creates below what it may read', '1 WRITE /ro/n|v => !EACCES'],
  [
    'a domain creates in its own',
    '1 WRITE x/y|v => OK|\n s PERMS /local/domain/1/x| => n1|\n s PERMS /local/domain/1/x/y| => n1|',
  ],
  ["a domain creates in another's", '1 WRITE /local/domain/2/x|v => !EACCES'],
  [
    'dom0 creates in a domain: the owner is inherited',
    's WRITE /local/domain/1/x|v => OK|\n s PERMS /local/domain/1/x| => n1|\n 1 WRITE x|w => OK|',
  ],
  [
    'a list is inherited but for its owner',
    's MKDIR /l| => OK|\n s CHMOD /l|b2|r1| => OK|\n 2 WRITE /l/m| => OK|\n s PERMS /l/m| => b2|r1|',
  ],
  ['a read-only socket writes', 'r WRITE /a|v => !EACCES'],
  ['a read-only socket creates', 'r WRITE /new|v => !EACCES'],
  ['a read-only socket writes what all may', 'r WRITE /rw|v => !EACCES'],
  ['write in a transaction that is none', 's#1 WRITE /a|v => !ENOENT'],

  // MKDIR
  ['make a directory', 's MKDIR /m| => OK|\n s READ /m| => _'],
  ['make what exists', 's MKDIR /a| => OK|\n s READ /a| => x'],
  ['make with parents', 's MKDIR /m/n/o| => OK|\n s DIR /m/n| => o|'],
  ['make without NUL', 's MKDIR /m => !EINVAL'],
  ['make with a value', 's MKDIR /m|v => !EINVAL'],
  ['make the root', 's MKDIR /| => OK|'],
  ['make a bad path', 's MKDIR /m/| => !EINVAL'],
  ['a domain makes its own', '1 MKDIR dir| => OK|\n s PERMS /local/domain/1/dir| => n1|'],
  ['a domain makes elsewhere', '1 MKDIR /dir| => !EACCES'],
  ['a domain makes what exists and it may not write', '1 MKDIR /ro| => !EACCES'],
  ['a read-only socket makes', 'r MKDIR /m| => !EACCES'],

  // RM
  ['remove', 's RM /a/b| => OK|\n s READ /a/b| => !ENOENT\n s DIR /a| => _'],
  ['remove with all below', 's WRITE /a/b/c/d|1 => OK|\n s RM /a| => OK|\n s READ /a/b/c/d| => !ENOENT'],
  ['remove what is missing', 's RM /none| => OK|'],
  ['remove what is missing below what is missing', 's RM /none/x| => !ENOENT'],
  ['remove the root', 's RM /| => !EINVAL'],
  ['remove a bad path', 's RM /a/| => !EINVAL'],
  ['remove without NUL', 's RM /a => !EINVAL'],
  ['a domain removes its own node', '1 WRITE x|v => OK|\n 1 RM x| => OK|\n 1 READ x| => !ENOENT'],
  [
    'a domain removes its own directory from a foreign one',
    '1 RM /local/domain/1| => OK|\n s DIR /local/domain| => 2|',
  ],
  ["a domain removes dom0's", '1 RM /a| => !EACCES'],
  ['a domain removes what is missing where it may not write', '1 RM /none| => !EACCES'],
  ['a domain removes what is missing where it may write', '1 RM /rw/none| => OK|'],
  [
    'a domain removes what all may write, with all below',
    's WRITE /rw/x|1 => OK|\n s CHMOD /rw/x|n0| => OK|\n 1 RM /rw| => OK|\n s READ /rw/x| => !ENOENT',
  ],
  ['a read-only socket removes', 'r RM /a| => !EACCES'],

  // GET_PERMS, SET_PERMS
  ['permissions of the root', 's PERMS /| => n0|'],
  ['permissions of a list', 's PERMS /for1| => n0|r1|w2|'],
  ['permissions of what is missing', 's PERMS /none| => !ENOENT'],
  ['permissions without NUL', 's PERMS /a => !EINVAL'],
  ['a domain looks at permissions that it may read', '1 PERMS /ro| => r0|'],
  ['a domain looks at others', '1 PERMS /a| => !EACCES'],
  ['set permissions', 's CHMOD /a|b5|n3|w4|r1| => OK|\n s PERMS /a| => b5|n3|w4|r1|'],
  ['set a hexadecimal domain', 's CHMOD /a|n0x10|r010| => OK|\n s PERMS /a| => n16|r8|'],
  ['set a negative domain', 's CHMOD /a|n-1| => OK|\n s PERMS /a| => n-1|'],
  ['set a list with the same domain twice: the first counts', 's CHMOD /a|n0|n1|r1| => OK|\n 1 READ /a| => !EACCES'],
  ['set no permissions', 's CHMOD /a| => !EINVAL'],
  ['set without anything', 's CHMOD _ => !EINVAL'],
  ['set an unknown letter', 's CHMOD /a|x0| => !EINVAL'],
  ['set a letter alone', 's CHMOD /a|r| => !EINVAL'],
  ['set nothing as a permission', 's CHMOD /a|| => !EINVAL'],
  ['set with something behind the number', 's CHMOD /a|r0x| => !EINVAL'],
  ['set a bad octal number', 's CHMOD /a|r08| => !EINVAL'],
  ['set a good one and a bad one: nothing changes', 's CHMOD /a|r0|q1| => !EINVAL\n s PERMS /a| => n0|'],
  ['an end without NUL is not looked at', 's CHMOD /a|r0|zzz => OK|\n s PERMS /a| => r0|'],
  ['set of what is missing', 's CHMOD /none|r0| => !ENOENT'],
  ['set of a bad path', 's CHMOD a|r0| => !EINVAL'],
  ['an owner shares its own', '1 WRITE x|v => OK|\n 1 CHMOD x|n1|r2| => OK|\n 2 READ /local/domain/1/x| => v'],
  ['an owner gives away its own', '1 WRITE x|v => OK|\n 1 CHMOD x|n2| => !EINVAL\n s PERMS /local/domain/1/x| => n1|'],
  ['a domain sets where it may write', '1 CHMOD /rw|b1| => !EACCES'],
  ['a domain sets where it may not', '1 CHMOD /a|b1| => !EACCES'],
  [
    'who lost its right has lost it',
    '1 WRITE x|v => OK|\n s CHMOD /local/domain/1/x|n0| => OK|\n 1 READ x| => !EACCES',
  ],
  ['a read-only socket sets', 'r CHMOD /a|r0| => !EACCES'],
  ['a read-only socket sets of what is missing', 'r CHMOD /none|r0| => !ENOENT'],

  // WATCH, UNWATCH
  ['a watch tells at once', 's WATCH /a|t| => OK| ~/a|t|'],
  ['a watch of what is missing tells at once', 's WATCH /none|t| => OK| ~/none|t|'],
  ['a watch tells of a write, before the answer', 's WATCH /a|t| => OK| ~/a|t|\n s WRITE /a|1 => ~/a|t| OK|'],
  ['a watch tells of a write of the same value', 's WATCH /a|t| => OK| ~/a|t|\n s WRITE /a|x => ~/a|t| OK|'],
  ['a watch tells of what is below', 's WATCH /a|t| => OK| ~/a|t|\n s WRITE /a/b/c|1 => ~/a/b/c|t| OK|'],
  ['parents made on the way are not told', 's WATCH /p|t| => OK| ~/p|t|\n s WRITE /p/q/r|1 => ~/p/q/r|t| OK|'],
  ['a watch does not tell of what is above', 's WATCH /a/b|t| => OK| ~/a/b|t|\n s WRITE /a|1 => OK|'],
  ['a watch does not tell of what only begins alike', 's WATCH /a|t| => OK| ~/a|t|\n s WRITE /ab|1 => OK|'],
  ['a watch tells of permissions', 's WATCH /a|t| => OK| ~/a|t|\n s CHMOD /a|r0| => ~/a|t| OK|'],
  [
    'a watch tells of a new directory only',
    's WATCH /m|t| => OK| ~/m|t|\n s MKDIR /m| => ~/m|t| OK|\n s MKDIR /m| => OK|',
  ],
  ['a watch tells of a removal', 's WATCH /a|t| => OK| ~/a|t|\n s RM /a/b| => ~/a/b|t| OK|'],
  ['a watch tells its own path when more is removed', 's WATCH /a/b|t| => OK| ~/a/b|t|\n s RM /a| => ~/a/b|t| OK|'],
  ['also of what was not there', 's WATCH /a/z/y|t| => OK| ~/a/z/y|t|\n s RM /a| => ~/a/z/y|t| OK|'],
  ['removing what is missing is no event', 's WATCH /none|t| => OK| ~/none|t|\n s RM /none| => OK|'],
  ['a failed write is no event', 's WATCH /a|t| => OK| ~/a|t|\n 1 WRITE /a|1 => !EACCES\n s =>'],
  ['a watch of the root tells all', 's WATCH /|t| => OK| ~/|t|\n s WRITE /a/b|1 => ~/a/b|t| OK|'],
  [
    'a watch of the root tells special events too',
    's WATCH /|t| => OK| ~/|t|\n s INTRO 5|100|3| => ~@introduceDomain|t| OK|',
  ],
  [
    'two watches, two events',
    's WATCH /a|t| => OK| ~/a|t|\n s WATCH /a|u| => OK| ~/a|u|\n s WRITE /a|1 => ~/a|t| ~/a|u| OK|',
  ],
  [
    'watches tell in the order of registering',
    's WATCH /a/b|t| => OK| ~/a/b|t|\n s WATCH /|u| => OK| ~/|u|\n s WRITE /a/b|1 => ~/a/b|t| ~/a/b|u| OK|',
  ],
  ['the same watch twice', 's WATCH /a|t| => OK| ~/a|t|\n s WATCH /a|t| => !EEXIST'],
  ['an empty token', 's WATCH /a|| => OK| ~/a||'],
  ['a token of any bytes', 's WATCH /a|\xff ^| => OK| ~/a|\xff ^|'],
  ['a watch without token', 's WATCH /a| => !EINVAL'],
  ['a watch with three words', 's WATCH /a|t|u| => !EINVAL'],
  ['what is behind the token is not looked at', 's WATCH /a|t|zzz => OK| ~/a|t|'],
  ['a watch of nothing', 's WATCH _ => !EINVAL'],
  ['a watch of a bad path', 's WATCH /a/|t| => !EINVAL'],
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
  ['a long special path', `s WATCH @${'x'.repeat(2048)}|t| => !EINVAL`],
  ['unwatch', 's WATCH /a|t| => OK| ~/a|t|\n s UNWATCH /a|t| => OK|\n s WRITE /a|1 => OK|'],
  ['unwatch another token', 's WATCH /a|t| => OK| ~/a|t|\n s UNWATCH /a|u| => !ENOENT'],
  ["unwatch another connection's", 's WATCH /a|t| => OK| ~/a|t|\n 0 UNWATCH /a|t| => !ENOENT'],
  ['unwatch relative', '1 WATCH dev|t| => OK| ~dev|t|\n 1 UNWATCH /local/domain/1/dev|t| => OK|'],
  ['unwatch without token', 's UNWATCH /a| => !EINVAL'],
  ['watch again after unwatch', 's WATCH /a|t| => OK| ~/a|t|\n s UNWATCH /a|t| => OK|\n s WATCH /a|t| => OK| ~/a|t|'],
  ['read-only sockets watch', 'r WATCH /a|t| => OK| ~/a|t|\n s WRITE /a|1 => OK|\n r => ~/a|t|'],

  // Transactions
  ['start', 's START | => 1|\n s START | => 2|\n s#1 END F| => OK|\n s START | => 3|'],
  ['start with any payload', 's START _ => 1|\n s START zzz => 2|'],
  ['ids are per connection', 's START | => 1|\n 1 START | => 1|'],
  ['nested', 's START | => 1|\n s#1 START | => !EBUSY'],
  ["another connection's", 's START | => 1|\n 0#1 READ /a| => !ENOENT'],
  ['it sees its own writes', 's START | => 1|\n s#1 WRITE /a|n => OK|\n s#1 READ /a| => n\n s READ /a| => x'],
  ['commit', 's START | => 1|\n s#1 WRITE /a|n => OK|\n s#1 END T| => OK|\n s READ /a| => n\n s#1 READ /a| => !ENOENT'],
  ['abort', 's START | => 1|\n s#1 WRITE /a|n => OK|\n s#1 END F| => OK|\n s READ /a| => x'],
  [
    'any change anywhere breaks it',
    's START | => 1|\n s#1 WRITE /a|n => OK|\n 1 WRITE x|1 => OK|\n s#1 END T| => !EAGAIN\n s READ /a| => x\n s#1 END T| => !ENOENT',
  ],
  ['its own change outside breaks it', 's START | => 1|\n s WRITE /b|1 => OK|\n s#1 END T| => !EAGAIN'],
  ['even one that only read', 's START | => 1|\n s#1 READ /a| => x\n s WRITE /b|1 => OK|\n s#1 END T| => !EAGAIN'],
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
    's WATCH /a|t| => OK| ~/a|t|\n s START | => 1|\n s#1 WRITE /a|1 => OK|\n s#1 END T| => ~/a|t| OK|',
  ],
  [
    'an aborted one fires nothing',
    '0 WATCH /|t| => OK| ~/|t|\n s START | => 1|\n s#1 RM /a| => OK|\n s#1 END F| => OK|\n 0 =>',
  ],
  [
    'a removal fires for what was below',
    '0 WATCH /a/b|t| => OK| ~/a/b|t|\n s START | => 1|\n s#1 RM /a| => OK|\n s#1 END T| => OK|\n 0 => ~/a/b|t|',
  ],
  ['end without transaction', 's END T| => !ENOENT'],
  ['end with a bad word', 's START | => 1|\n s#1 END X| => !EINVAL\n s#1 END T| => OK|'],
  ['end without NUL', 's START | => 1|\n s#1 END T => !EINVAL'],
  ['end of an unknown one', 's#9 END T| => !ENOENT'],
  ['an unknown type in an unknown transaction', 's#9 T20 _ => !ENOENT'],
  ['permissions count inside', '1 START | => 1|\n 1#1 WRITE /a|1 => !EACCES\n 1#1 READ /ro| => 1'],
  ['a domain commits', '1 START | => 1|\n 1#1 WRITE x|1 => OK|\n 1#1 END T| => OK|\n s READ /local/domain/1/x| => 1'],
  [
    'a watch made inside is made',
    's START | => 1|\n s#1 WATCH /a|t| => OK| ~/a|t|\n 0 WRITE /a|1 => OK|\n s => ~/a|t|',
  ],

  // INTRODUCE and the domains
  ['introduce', 's INTRO 5|100|3| => OK|\n s INTRODUCED 5| => T|'],
  [
    'introduce is told',
    '0 WATCH @introduceDomain|t| => OK| ~@introduceDomain|t|\n s INTRO 5|100|3| => OK|\n 0 => ~@introduceDomain|t|',
  ],
  ["introduce by dom0's ring", '0 INTRO 5|100|3| => OK|'],
  ['introduce by a domain', '1 INTRO 5|100|3| => !EACCES'],
  ['introduce by a read-only socket', 'r INTRO 5|100|3| => !EACCES'],
  ['introduce with two words', 's INTRO 5|100| => !EINVAL'],
  ['introduce with two words by a domain', '1 INTRO 5|100| => !EINVAL'],
  ['introduce with port 0', 's INTRO 5|100|0| => !EINVAL'],
  ['introduce with no number as port', 's INTRO 5|100|x| => !EINVAL'],
  ['introduce what cannot be mapped', 's INTRO 66|100|3| => !EINVAL\n s INTRODUCED 66| => F|'],
  [
    'introduce again with the same page: a new beginning',
    '1 WATCH dev|t| => OK| ~dev|t|\n 1 START | => 1|\n s INTRO 1|1001|9| => OK|\n s WRITE /local/domain/1/dev|1 => OK|\n 1 =>\n 1#1 READ x| => !ENOENT',
  ],
  [
    'introduce again is not told',
    '0 WATCH @introduceDomain|t| => OK| ~@introduceDomain|t|\n s INTRO 1|1001|9| => OK|\n 0 =>',
  ],
  ['introduce again with another page', 's INTRO 1|7|9| => !EINVAL'],
  ['introduce dom0', 's INTRO 0|7|9| => !EINVAL'],
  ['is introduced', 's INTRODUCED 1| => T|\n 1 INTRODUCED 2| => T|\n s INTRODUCED 77| => F|'],
  ['is introduced: DOMID_SELF', '1 INTRODUCED 32752| => T|'],
  ['is introduced: no number', 's INTRODUCED x| => T|'],
  ['is introduced: nothing', 's INTRODUCED _ => !EINVAL'],
  ['release', 's RELEASE 1| => OK|\n s INTRODUCED 1| => F|\n s RELEASE 1| => !ENOENT'],
  [
    'release is told before the answer',
    's WATCH @releaseDomain|t| => OK| ~@releaseDomain|t|\n s RELEASE 1| => ~@releaseDomain|t| OK|',
  ],
  ['release leaves the nodes', '1 WRITE x|v => OK|\n s RELEASE 1| => OK|\n s READ /local/domain/1/x| => v'],
  ['release by a domain', '1 RELEASE 2| => !EACCES'],
  ['release of 0', 's RELEASE 0| => !EINVAL\n 1 RELEASE 0| => !EINVAL'],
  ['release of nothing', 's RELEASE _ => !EINVAL'],
  ['release of an unknown one', 's RELEASE 9| => !ENOENT'],
  [
    'the path of a domain',
    's PATH 1| => /local/domain/1|\n 1 PATH 77| => /local/domain/77|\n s PATH x| => /local/domain/0|',
  ],
  ['the path of a negative domain', 's PATH -1| => /local/domain/4294967295|'],
  ['the path of nothing', 's PATH _ => !EINVAL'],
  ['resume', 's RESUME 1| => OK|'],
  ['resume of an unknown one', 's RESUME 9| => !ENOENT'],
  ['resume by a domain', '1 RESUME 2| => !EACCES'],
  ['resume of 0', 's RESUME 0| => !EINVAL'],
  [
    'a target lends its rights',
    's TARGET 1|2| => OK|\n 1 WRITE /local/domain/2/x|v => OK|\n 1 READ /for1| => 4\n 1 WRITE /for1|v => !EACCES',
  ],
  ['a target by a domain', '1 TARGET 1|2| => !EACCES'],
  ['a target by a read-only socket', 'r TARGET 1|2| => !EACCES'],
  ['a target of an unknown one', 's TARGET 9|2| => !ENOENT\n s TARGET 1|9| => !ENOENT'],
  ['a target with one word', 's TARGET 1| => !EINVAL'],

  // The rest
  ['debug print', 's DEBUG print|hello| => OK|'],
  ['debug print without text', 's DEBUG print| => !EINVAL'],
  ['debug check', 's DEBUG check| => OK|'],
  ['debug anything', 's DEBUG zzz| => OK|\n s DEBUG _ => OK|'],
  ['debug by a domain', '1 DEBUG check| => !EACCES'],
  ['unknown types', 's T20 _ => !ENOSYS\n s T999 /a| => !ENOSYS\n 1 T20 _ => !ENOSYS'],
  ["the daemon's own types", 's EVENT /a|t| => !ENOSYS\n s ERROR EINVAL| => !ENOSYS'],
]

test.each(CASES)('%s', (_title, script) => {
  const world = new World()
  world.run(SETUP)
  world.run(script)
  expect(world.store.tree.check()).toEqual([])
})

const small = { quotas: { entryNb: 5, entrySize: 100, watchNb: 2, transaction: 1 } }

const QUOTAS: readonly (readonly [title: string, script: string])[] = [
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
]

test.each(QUOTAS)('quota: %s', (_title, script) => {
  const world = new World(small)
  world.run('s MKDIR /local/domain/1| => OK|')
  world.run('s CHMOD /local/domain/1|n1| => OK|')
  // Its own directory was there before it was introduced.
  for (const domain of world.store.domains) domain.entries = 0
  world.run(script)
  expect(world.store.tree.check()).toEqual([])
})
