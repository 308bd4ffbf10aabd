import { expect, it } from 'vitest'
import { posixRig } from '#testing/posix-rig.ts'
import { textutils } from '../../packages/textutils.ts'
import { textutilsUsr } from '../../packages/textutils-usr.ts'

const rig = posixRig({ packages: [textutils, textutilsUsr], files: { '/in': 'alpha 1 x\nbeta 22 y\n\ndelta 4.5 w\n' } })

it.each<[program: string, expected: string]>([
  ['{print $2, $1}', '1 alpha\n22 beta\n \n4.5 delta\n'],
  ['/a/ {n++} END {print n, NR}', '3 4\n'],
  ['{s += $2} END {print s, s/NR}', '27.5 6.875\n'],
  ['{a[$1]=$2} END {print a["beta"], ("x" in a), length(a)}', '22 0 4\n'],
  ['NR==1 {$2="X"; print; $5="e"; print NF, $0}', 'alpha X x\n5 alpha X x  e\n'],
  ['function f(n) { return n<=1 ? 1 : n*f(n-1) } BEGIN {print f(10)}', '3628800\n'],
  ['function g(a) { a["k"]=5 } BEGIN {g(z); print z["k"]}', '5\n'],
  ['BEGIN {printf "%5d|%-5s|%05.2f|%x|%c\\n", 42, "ab", 3.14159, 255, 65}', '   42|ab   |03.14|ff|A\n'],
  ['BEGIN {while ((getline l < "/in") > 0) n++; print n}', '4\n'],
  ['BEGIN {s = "banana"; n = gsub(/an/, "[&]", s); print n, s}', '2 b[an][an]a\n'],
])('%s', (program, expected) => {
  expect(rig.run(['awk', program, '/in'])).toMatchObject({ stdout: expected, status: 0 })
})

it.each<[program: string, status: number, text: string]>([
  ['{print', 2, 'syntax error'],
  ['BEGIN {print 1/0}', 2, 'division by zero attempted'],
  ['BEGIN {exit 3}', 3, ''],
  ['BEGIN {nosuch(1)}', 2, "function `nosuch' not defined"],
  ['/(/', 2, 'Unmatched ( or \\('],
  ['function r(n) { return r(n+1) } BEGIN {r(1)}', 2, 'too many calls'],
])('%s fails', (program, status, text) => {
  const result = rig.run(['awk', program, '/in'])
  expect(result.status).toBe(status)
  expect(result.stderr).toContain(text)
})
