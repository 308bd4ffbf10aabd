// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are sed's
/** grep, sed, find, xargs, diff and cmp: where CentOS 5's and Debian's say the same. */
import { snippets } from '../snippet.ts'

const LINES = 'alpha one\nbeta two\ngamma three\ndelta four\nepsilon five\nalpha again one\n'
const MIXED = 'x=1\ny=22\nfoo bar\nFOO baz\n\nlast line no newline'
const NUMBERS = '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n'
const files = { f: LINES, m: MIXED, n: NUMBERS }
const tree = { 'a/f1': 'hi\n', 'a/b/f2.txt': 'longer text\n', 'a/b/empty': '', 'a/b/c/deep': 'x\n' }
const changed = '1\n2\n3x\n4\n5\n6\n7\n8\nnew\n9\n10\n'

export const text = snippets({
  'grep finds lines': { sh: 'grep alpha f; echo $?; grep zzz f; echo $?', files },
  'grep -n and -c': { sh: 'grep -n a f; grep -c a f m', files },
  'grep -v and -i': { sh: 'grep -v a f; grep -i foo m; grep -vi foo m', files },
  'grep -l and -L': { sh: 'grep -l alpha f m; grep -L alpha f m', files },
  'grep -h and -H': { sh: 'grep -h o f m; grep -H one f', files },
  'grep -w and -x': { sh: "grep -w on f; grep -w one f; grep -x 'beta two' f; grep -x beta f", files },
  'grep -o': { sh: "grep -o 'a[a-z]*' f; grep -on o f; grep -ob o f", files },
  'grep context': { sh: 'grep -A1 beta f; grep -B1 -n gamma f; grep -C1 delta f; grep -1 delta f', files },
  'grep context groups': { sh: 'grep -A1 alpha f; grep -n -B 1 -A 1 one f', files },
  'grep -m': { sh: 'grep -m1 alpha f; grep -m 1 -A 2 alpha f; grep -c -m 2 a f', files },
  'grep -E': { sh: "grep -E 'one|five' f; egrep 'o(n|u)' f; grep -E '^.{9}$' f; grep -E 'a{2}|e+' f", files },
  'grep -F': { sh: "grep -F 'o.e' f; echo $?; fgrep one f; grep -F -x 'beta two' f", files },
  'grep of several patterns': { sh: "grep -e one -e two f; printf 'two\\nfive\\n' > p; grep -f p f", files },
  'grep -q and -s': {
    sh: 'grep -q alpha f; echo $?; grep -s x nofile; echo $?; grep -q alpha nofile f; echo $?',
    files,
  },
  'grep of bad patterns': { sh: "grep '[' f; echo $?; grep 'a\\{2' f; echo $?; grep -E '(' f; echo $?", files },
  'grep -r': { sh: 'grep -r hi a; grep -rl x a | sort; grep -rc . a/b/c', files: tree },
  'grep with groups and back-references': { sh: "grep -E '(.)\\1' f; grep '\\(a\\).*\\1' f", files },
  'grep with classes': {
    sh: "grep '[[:digit:]]' m; grep '^[^[:alpha:]]' m; grep -c '[[:upper:]]' m; grep '[]x]' m",
    files,
  },
  'grep with anchors': { sh: "grep '^$' m; grep -n 'e$' f; grep '^a.*e$' f; grep 'x*' m", files },
  'grep with word edges': {
    sh: "grep '\\<one' f; grep 'o\\>' f; grep '\\bt' f; grep '\\Bn' f; grep -c '\\w' m",
    files,
  },
  'grep of standard input': { sh: 'grep b; echo $?', stdin: 'a\nb\nabc' },
  'grep of a pipe with a name': { sh: 'cat f | grep -H beta -; cat f | grep -c a', files },
  'grep --color=never': { sh: 'grep --color=never one f', files },

  'sed -n p': { sh: "sed -n 2p f; sed -n '2,3p' f; sed -n '$p' f; sed -n '$=' f", files },
  'sed d': { sh: "sed '2d' f; sed '$d' f; sed '/beta/,/delta/d' f; sed '/beta/!d' f", files },
  'sed s': { sh: "sed 's/a/A/' f; sed 's/a/A/g' f; sed 's/a/A/2' f; sed 's/a/A/2g' f", files },
  'sed s with groups': { sh: "sed 's/\\(.*\\) \\(.*\\)/\\2 \\1/' f; sed -r 's/(.*) (.*)/\\2 [&]/' f", files },
  'sed s of nothing': { sh: "sed 's/x*/-/g' f; sed 's/b*$/x/g' n", files },
  'sed s with p and w': { sh: "sed -n 's/alpha/X/p' f; sed -n 's/o/0/gpw out' f; cat out", files },
  'sed s with other delimiters': { sh: "echo /usr/bin | sed 's,/,-,g;s|u|U|'; echo a,b | sed 's,a\\,b,x,'" },
  'sed s with cases': { sh: "sed 's/.*/\\U&/; s/^./\\l&/' f; sed 's/\\(.\\)\\(.*\\)/\\u\\1\\2/' f", files },
  'sed s with newlines': { sh: "sed 's/ /\\n/' f; sed 's/ /\\\n/' f", files },
  'sed s with I': { sh: "sed 's/foo/X/I' m; sed -n '/foo/Ip' m", files },
  'sed addresses': {
    sh: "sed -n '2~2p' n; sed -n '3,+1p' n; sed -n '2,~4p' n; sed -n '0,/1/p' n; sed -n '1,/1/p' n",
    files,
  },
  'sed ranges that end early': { sh: "sed -n '5,2p' n; sed -n '/3/,/3/p' n; sed -n '2,4!p' n", files },
  'sed a i c': { sh: "sed '2i\\hello' n; sed '2a hello' n; sed '2c\\changed' n; sed '2,4c\\changed' n", files },
  'sed a of several lines': { sh: "sed '$a\\\nfoo\\\nbar' f", files },
  'sed N P D': { sh: "sed 'N;s/\\n/ /' n; sed '$!N;P;D' n; sed -n '$!N;l' n", files },
  'sed reverses': { sh: "sed '1!G;h;$!d' n; sed -n 'H;${x;s/\\n/,/g;p}' n", files },
  'sed branches': {
    sh: "sed -e ':a' -e '$!N' -e 's/\\n/+/' -e 'ta' n; sed '/alpha/b end;s/^/# /;:end' f; sed 'b;p' n",
    files,
  },
  'sed pads': { sh: "sed ':a;s/^\\(.\\{1,19\\}\\)$/ \\1/;ta' f", files },
  'sed y': { sh: "sed 'y/abc/xyz/' f; sed 'y/ /\\n/' f", files },
  'sed q and Q': { sh: "sed 2q n; sed '2q;s/1/x/' n; sed 5q3 n; echo $?; sed 3Q n", files },
  'sed n': { sh: "sed 'n;d' n; sed '$!n;s/./x/' n; sed -n 'n;p' n", files },
  'sed =': { sh: 'sed = n | sed "N;s/\\n/ /"', files },
  'sed l': { sh: "printf 'a\\tb\\\\c\\001\\n' | sed -n l; sed -n l m", files },
  'sed r and w': { sh: "sed '1r n' f; sed 'w out' f > /dev/null; cmp f out", files },
  'sed -i': { sh: "sed -i 's/a/Z/' m f; cat m f; sed -i.bak 1d n; ls; head -n 1 n n.bak", files },
  'sed -s': { sh: "sed -n '$p' f n; sed -s -n '$p' f n; sed -n '1p' f n", files },
  'sed keeps a missing newline': { sh: 'sed p m; sed -n "$ p" m', files },
  'sed with x': { sh: "sed 'x;p;x' n; sed G n", files },
  'sed with blocks': { sh: "sed -n '/a/,/e/{=;p}' f; sed -n '2{p;q}' n; sed '/^$/d' m", files },
  'sed empty expressions': { sh: "sed '/a/s//X/' f; sed -n '/one/{s//1/;p}' f", files },
  'sed errors': { sh: "sed 's/x' f; echo $?; sed k f; echo $?; sed '}' f; echo $?; sed '{p' f; echo $?", files },
  'sed of missing files': { sh: 'sed p nofile n | head -n 2; sed p nofile; echo $?', files },

  'find lists': { sh: 'find a | sort; find a/b/c', files: tree },
  'find by name and type': { sh: "find a -name f1; find a -type d | sort; find a -type f -name '*.txt'", files: tree },
  'find by depth': { sh: 'find a -maxdepth 1 | sort; find a -mindepth 3; find a -depth -name c', files: tree },
  'find by size': { sh: 'find a -empty; find a -type f -size -2c; find a -size 12c', files: tree },
  'find with operators': {
    sh: 'find a \\( -name f1 -o -name deep \\) -type f | sort; find a ! -type d | sort',
    files: tree,
  },
  'find -prune': { sh: 'find a -name b -prune -o -print | sort', files: tree },
  'find -exec': {
    sh: "find a -name f1 -exec echo got {} ';'; find a -type f -name 'f*' -exec cat {} + | sort",
    files: tree,
  },
  'find -delete': { sh: 'find a -name f1 -delete; find a -type f | sort; find a/b -delete; find a', files: tree },
  'find -printf': { sh: "find a -name f1 -printf '%f %s %d %h %m\\n'", files: tree },
  'find -perm': { sh: 'chmod 600 a/f1; find a -perm 600; find a -type f -perm -044 | sort', files: tree },
  'find -print0 and xargs -0': { sh: "touch 'a b'; find . -type f -print0 | xargs -0 ls", files: { x: '' } },
  'find errors': { sh: 'find nosuch; echo $?; find . -nonsense; echo $?; find . -name; echo $?' },

  'xargs collects': { sh: 'printf \'one two\\nthree "four five"\\n\' | xargs; echo a b | xargs echo x' },
  'xargs -n and -L': { sh: 'echo 1 2 3 4 5 | xargs -n 2; printf "a b\\nc\\n" | xargs -L 1 echo -' },
  'xargs -I': { sh: "printf 'one two\\nthree\\n' | xargs -I % echo '<%>' %" },
  'xargs status': {
    sh: 'echo a | xargs false; echo $?; echo a | xargs nosuchcommand; echo $?; xargs -r echo x < /dev/null',
  },

  'diff says what changed': { sh: 'diff n c; echo $?; diff n n; echo $?', files: { ...files, c: changed } },
  'diff -q and -s': { sh: 'diff -q n c; diff -s n n; diff n nosuch; echo $?', files: { ...files, c: changed } },
  'diff -u': {
    sh: 'diff -u --label A --label B n c; diff -U1 --label A --label B n c',
    files: { ...files, c: changed },
  },
  'diff without newlines': {
    sh: "printf 'a\\nb' > p; printf 'a\\nb\\n' > q; diff p q; diff --label P --label Q -u q p",
  },
  'diff ignoring blanks': {
    sh: "printf 'A B\\nc  d\\n' > p; printf 'a b\\nc d\\n' > q; diff -b p q; diff -i -b p q; diff -iw p q",
  },
  'diff of directories': { sh: 'mkdir x y; cp n x; echo 1 > y/n; cp f x/only; diff x y; diff -r x y; echo $?', files },
  'diff of nothing': { sh: ': > z; diff z n; diff n z; diff z z; echo $?', files },
  cmp: {
    sh: 'cmp n c; echo $?; cmp n n; cmp -s n c; echo $?; cmp -l n c | head -n 3',
    files: { ...files, c: changed },
  },
})
