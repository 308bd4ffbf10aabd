// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the shell's
import { expect, test } from 'vitest'
import { PACKAGES } from '#testing/differential/packages.ts'
import { posixRig } from '#testing/posix-rig.ts'

const run = (name: string, script: string) => posixRig({ packages: PACKAGES }).run([name, '-c', script])

test.each([
  [
    'brace expansion',
    'echo {a,b}{1..3} x{,y} {3..1} {a..c} {x} {1..2',
    'a1 a2 a3 b1 b2 b3 x xy 3 2 1 a b c {x} {1..2\n',
  ],
  ['nested braces and quotes', 'echo {a,{b,c}d} "{a,b}" {a\\,b,c} \'{\'a,b}', 'a bd cd {a,b} a,b c {a,b}\n'],
  [
    '[[ ]]',
    '[[ abc == a* && ! -z x || 1 -gt 2 ]] && echo y; [[ a < b ]] && echo lt; x="a b"; [[ $x = "a b" ]]; echo $?',
    'y\nlt\n0\n',
  ],
  ['[[ ]] with quoted pattern', '[[ abc == "a*" ]]; echo $?; [[ -d / && ( -e /nosuch || -n x ) ]]; echo $?', '1\n0\n'],
  [
    '(( ))',
    '((x = 3 * 4)); echo $? $x; ((x++)); echo $x; ((0)); echo $?; for i in 1; do ((x > 5)) && echo big; done',
    '0 12\n13\n1\nbig\n',
  ],
  ['+=', 'x=a; x+=b; x+="c d"; echo "$x"; export x+=e; echo "$x"', undefined],
  ['&> and &>>', '{ echo o; echo e >&2; } &>/tmp/f; echo more &>>/tmp/f; cat /tmp/f', 'o\ne\nmore\n'],
  ['here-string', 'x="a  b"; cat <<< $x; cat <<< "$x y"; read a b <<< "1 2"; echo $b', 'a  b\na  b y\n2\n'],
  ["$'..'", "printf '%s|' $'a\\tb' $'\\x41\\101\\'' $'\\e' | tr '\\033' E", "a\tb|AA'|E|"],
  [
    '${v/p/r}',
    'x=abcabc; echo ${x/b/X} ${x//b/X} ${x/#a/Y} ${x/%c/Z} ${x//[ac]} ${x/z/q}',
    'aXcabc aXcaXc Ybcabc abcabZ bb abcabc\n',
  ],
  ['${v:o:l}', 'x=abcdef; echo ${x:2} ${x:1:3} ${x: -2} ${x:0:-1} ${x:1+1:2}', 'cdef bcd ef abcde cd\n'],
  ['function keyword', 'function f { echo "f $1"; }; f x; function g() { echo g; }; g', 'f x\ng\n'],
  ['source with arguments', 'echo \'echo "$1 $#"\' >/tmp/s; source /tmp/s a b; . /tmp/s', 'a 2\n 0\n'],
  [
    'echo takes escapes only with -e',
    'echo "a\\tb"; echo -e "a\\tb"; echo -ne "x\\n"; echo -E "q\\n"',
    'a\\tb\na\tb\nx\nq\\n\n',
  ],
  ['== in test', '[ a == a ] && echo same', 'same\n'],
  ['increments', 'x=1; echo $((x++ + ++x)) $x; y=x; echo $((y + 1))', '4 3\n4\n'],
  ['arrays are refused', 'eval "a=(1 2)"; echo $?', undefined],
])('bash: %s', (name, script, stdout) => {
  const result = run('bash', script)
  if (name === '+=') expect(result.stdout).toMatch(/^abc d\n/)
  else if (stdout === undefined) expect(result.stderr).toContain('arrays are not supported')
  else expect(result).toMatchObject({ stdout, stderr: '', status: 0 })
})

test.each([
  ['nosuch', 'bash: nosuch: command not found\n', 127],
  ['./nosuch', 'bash: ./nosuch: No such file or directory\n', 127],
  ['cat </nosuch', 'bash: /nosuch: No such file or directory\n', 1],
  ['cd /nosuch', 'bash: cd: /nosuch: No such file or directory\n', 1],
  ['/tmp', 'bash: /tmp: Is a directory\n', 126],
  ['readonly a=1; a=2', 'bash: a: readonly variable\n', 1],
  ['set -u; echo $nope', 'bash: nope: unbound variable\n', 1],
  ['[ 1 -eq x ]', 'bash: [: x: integer expression expected\n', 2],
])('bash says of %s what it says', (script, stderr, status) => {
  expect(run('bash', script)).toMatchObject({ stderr, status })
})

test('a script names the line', () => {
  const rig = posixRig({ packages: PACKAGES, files: { '/s': { text: '#!/bin/bash\n\nnosuch\n', mode: 0o755 } } })
  expect(rig.run(['bash', '-c', '/s']).stderr).toBe('/s: line 3: nosuch: command not found\n')
})

test('sh has none of it', () => {
  expect(run('sh', 'echo {a,b}; f=ab; echo "${f/a/b}"')).toMatchObject({
    stdout: '{a,b}\n',
    stderr: 'sh: 1: Bad substitution\n',
    status: 2,
  })
})
