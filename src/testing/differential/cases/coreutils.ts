/** coreutils: where 5.97 and Debian's say the same. */
import { snippets } from '../snippet.ts'

const LINES = 'one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\neleven\ntwelve\n'
const TABLE = 'b 10 x\na 9 y\nc 100 x\na 10 z\n\nB 2 y\n'
const files = { f: LINES, t: TABLE, n: 'no newline', e: '' }

export const coreutils = snippets({
  'cat joins files and -': { sh: 'cat f - n', files, stdin: 'middle\n' },
  'cat of a missing file goes on': { sh: 'cat f nope n; echo $?', files },
  'cat -n numbers across files': { sh: 'cat -n n f', files },
  'cat -b leaves blank lines': { sh: 'cat -b t', files },
  'cat -s squeezes': "printf 'a\\n\\n\\n\\nb\\n\\n' | cat -s",
  'cat -A shows everything': "printf 'a\\tb\\001\\177\\377\\200\\n\\n' | cat -A",
  'cat -vT and -E': "printf 'a\\tb\\r\\n' | cat -vT; printf 'a\\n' | cat -E",
  'cat of a directory': 'mkdir d; cat d; echo $?',

  'head and tail': { sh: 'head f; echo --; tail f; head -n 3 f; tail -n 3 f; head -2 f; tail -2 f', files },
  'head -n -N and tail -n +N': { sh: 'head -n -10 f; echo --; tail -n +11 f; tail -n +0 n', files },
  'head -c and tail -c': { sh: 'head -c 5 f; tail -c 5 f; head -c -60 f; tail -c +60 f', files },
  'head of several files': { sh: 'head -n 1 f t n', files },
  'tail of several files': { sh: 'tail -n 1 f t; tail -qn 1 f t; tail -v -n 1 f', files },
  'head and tail of pipes': {
    sh: 'cat f | tail -n 2; cat f | head -n 2; cat n | tail -n 1; seq 3000 | tail -n 2',
    files,
  },
  'tail -n 0 and more than there is': { sh: 'tail -n 0 f; tail -n 99 n; tail -c 99 n', files },
  'head 1k': 'yes | head -c 1k | wc -c; yes | head -c 3b | wc -c',
  'head gives back what it did not print': { sh: '{ head -n 2 >/dev/null; cat; } < f', files },
  'head of nothing': { sh: 'head e; tail e; head nope; echo $?', files },

  'wc of files': { sh: 'wc f t n e', files },
  'wc of a pipe': { sh: 'cat f | wc; cat f | wc -l; cat f | wc -lc', files },
  'wc by options': { sh: 'wc -l f; wc -w f; wc -c f; wc -L f; wc -m f; wc -lw f t', files },
  'wc of a missing file': { sh: 'wc -c nope f; echo $?', files },
  'wc -L with tabs': "printf 'a\\tb\\nccc\\n' | wc -L",

  'cut fields': { sh: 'cut -d " " -f 1,3 t; cut -d " " -f 2- t; cut -d " " -f -2 -s t', files },
  'cut bytes and characters': { sh: 'cut -c 1-3 f; cut -b 2,4- n; cut -c 2 f', files },
  'cut --complement and --output-delimiter': {
    sh: 'cut -d " " -f 2 --complement t; cut -d " " -f 1,3 --output-delimiter=: t; cut -c 1,3 --output-delimiter=- f',
    files,
  },
  'cut wants a list': 'cut; echo $?; cut -f 0 </dev/null; echo $?; cut -f 1 -c 1; echo $?; cut -d ab -f 1; echo $?',
  'paste side by side': { sh: 'head -3 f > g; paste g t; paste -d : g t; paste -s g; paste -s -d ", " g', files },
  'paste - -': { sh: 'paste - - - < f; paste -d "\\n" f n | head -4', files },

  'tr letters': 'echo "Hello World" | tr a-z A-Z; echo hello | tr elo 310; echo aabbcc | tr -s abc',
  'tr classes':
    "echo 'a1 b2' | tr -d '[:digit:]'; echo 'Abc' | tr '[:upper:]' '[:lower:]'; echo abc | tr '[:lower:]' '[:upper:]'",
  'tr -c and -cd and -cs':
    "echo 'a-b c' | tr -c 'a-z\\n' _; echo 'a-b c' | tr -cd a-z; echo; echo 'a--b  c' | tr -cs a-z '\\n'",
  'tr escapes and repeats':
    "printf 'a\\nb' | tr '\\n' ' '; echo abcd | tr a-d 'x[y*2]z'; echo abc | tr 'a-c' '[x*]'; echo aXb | tr X '\\061'",
  'tr -ds': 'echo aabbccdd | tr -ds ab cd; echo abc | tr abc x; echo abc | tr -t abc x',
  'tr refuses': 'tr; echo $?; tr a; echo $?; tr z-a x; echo $?; tr -d a b; echo $?; tr a ""; echo $?',

  'sort lines': { sh: 'sort f; sort -r f; sort t', files },
  'sort -n and -u':
    "printf '10\\n9\\n-1\\n1.5\\nx\\n010\\n' | sort -n; printf 'b\\na\\nb\\n' | sort -u; printf '2\\n02\\n1\\n' | sort -nu",
  'sort by keys': { sh: 'sort -k 2n t; sort -k 3,3 -k 2,2nr t; sort -k1,1 -s t; sort -t " " -k 2 t', files },
  'sort -f -d -b -i':
    "printf 'b\\nA\\na\\nB\\n' | sort -f; printf 'a-b\\nab\\na c\\n' | sort -d; printf '  b\\n a\\n' | sort -b; printf '  b\\n a\\n' | sort",
  'sort -t with empty fields':
    "printf 'a::3\\nb:x:1\\nc::2\\n' | sort -t : -k 3n; printf 'a::3\\nb:x:1\\nc::2\\n' | sort -t : -k 2,2",
  'sort by characters of fields':
    "printf 'x13\\nx02\\nx21\\n' | sort -k 1.3; printf 'abc d\\nabb e\\n' | sort -k 1.2,1.3",
  'sort -M': "printf 'dec\\nJan\\nfoo\\nmar\\n' | sort -M",
  'sort -g': "printf '1e3\\n20\\n-1e2\\nabc\\n' | sort -g",
  'sort -c': { sh: 'sort -c f; echo $?; sort f | sort -c; echo $?; sort -cu t; echo $?', files },
  'sort -o onto its input': { sh: 'sort -o f f; cat f', files },
  'sort -m': { sh: 'sort f > a; sort t > b; sort -m a b', files },
  'sort -z': "printf 'b\\000a\\000' | sort -z | tr '\\000' '\\n'",
  'sort of files without newline': { sh: 'sort n f | tail -3', files },
  'sort of a missing file': 'sort nope; echo $?',
  'sort -k with global options': { sh: 'sort -r -k 2 t; sort -n -k 2,2 t; sort -nr -k 2,2 t', files },
  'sort 5000 numbers': 'seq 5000 | sort -r | sort -n | cksum',
  'sort numbers of any length':
    "printf '123456789012345678901\\n123456789012345678900\\n-5.25\\n-5.3\\n.5\\n' | sort -n",

  uniq: "printf 'a\\na\\nb\\nc\\nc\\nc\\na\\n' > u; uniq u; uniq -c u; uniq -d u; uniq -u u; uniq -D u",
  'uniq fields and characters':
    "printf '1 a\\n2 a\\n3 b\\n' | uniq -f 1; printf 'xa\\nya\\nyb\\n' | uniq -s 1; printf 'abc\\nabd\\n' | uniq -w 2; printf 'a\\nA\\n' | uniq -i",
  'uniq into a file': 'printf "a\\na\\n" > i; uniq i o; cat o; uniq --all-repeated=separate i',
  comm: "printf 'a\\nb\\nd\\n' > 1; printf 'b\\nc\\nd\\n' > 2; comm 1 2; comm -12 1 2; comm -3 1 2; comm -23 1 2",
  'comm refuses': 'comm; echo $?; comm a; echo $?; comm /dev/null nope; echo $?',
  join: "printf 'a 1\\nb 2\\nc 3\\n' > 1; printf 'a x\\nc y\\nd z\\n' > 2; join 1 2; join -a 1 1 2; join -v 2 1 2; join -o 1.2,2.2 1 2; join -a1 -a2 -e - -o 0,1.2,2.2 1 2",
  'join -t and fields':
    "printf '1:a\\n2:b\\n' > 1; printf 'x:1\\ny:2\\n' > 2; join -t : -1 1 -2 2 1 2; join -t: -j 1 1 1",

  'tac and rev': { sh: 'tac f; tac n f | head -2; rev f; rev n', files },
  'tac -s': "printf 'a:b:c:' | tac -s :; echo; printf 'a:b:c' | tac -s :",
  fold: "printf 'abcdefghij\\n' | fold -w 4; printf 'the quick brown fox\\n' | fold -s -w 10; printf 'a\\tb\\n' | fold -w 8; printf 'a\\tb\\n' | fold -b -w 2",
  expand:
    "printf 'a\\tb\\tc\\n' | expand; printf 'a\\tb\\tc\\n' | expand -t 4; printf '\\ta\\tb\\n' | expand -i; printf 'a\\tb\\tc\\n' | expand -t 3,10",
  unexpand:
    "printf '        a       b\\n' | unexpand | cat -T; printf '        a       b  c\\n' | unexpand -a | cat -T; printf '    a   b\\n' | unexpand -t 4 | cat -T",
  nl: { sh: 'nl t; nl -ba t; nl -n rz -w 3 -s : f | head -2; nl -v 10 -i 5 f | head -3; nl -b n f | head -1', files },
  'nl sections': "printf '\\\\:\\\\:\\\\:\\nh\\n\\\\:\\\\:\\nb1\\nb2\\n\\\\:\\nf\\n' | nl",
  seq: 'seq 3; seq 2 4; seq 1 2 7; seq 5 -2 1; seq 3 1; seq -s , 3; seq -w 8 11; seq -f %03g 3; seq -2 0',
  'seq refuses': 'seq; echo $?; seq a; echo $?; seq 1 2 3 4; echo $?',

  'od forms':
    "printf 'abc\\n\\000\\377xyz 0123456789' > b; od b; od -c b; od -b b; od -x b; od -An -tx1 b; od -t d2 b; od -A d -t u1 b",
  'od parts': "printf 'abcdefghijklmnopqrstuvwxyz' > b; od -c -j 3 -N 5 b; od -A x -t x1z b; od -t a b; od -t o1 -w4 b",
  'od duplicates':
    'head -c 64 /dev/zero | od; head -c 64 /dev/zero | od -v; head -c 16 /dev/zero | od -tx4; od -tc </dev/null',
  'od of numbers':
    "printf '\\001\\002\\003\\004\\005\\006\\007\\010' | od -t x8; printf '\\377\\377\\376\\377' | od -t d4",
  checksums: { sh: 'cksum f; cksum < f; sum < f; sum -s f; md5sum f; sha1sum f; md5sum < e; cksum e f', files },
  'md5sum -c': {
    sh: 'md5sum f t > m; md5sum -c m; echo x >> t; md5sum -c m; echo $?; sha1sum f | sha1sum -c --status; echo $?',
    files,
  },
  split: { sh: 'split -l 5 f; wc -l x??; split -b 20 f p.; wc -c p.*; split -a 3 -l 10 f q; ls q*', files },
  tsort: "printf 'a b\\nb c\\na d\\nd c\\n' | tsort; echo 'a b b a' | tsort; echo $?",
  factor: 'factor 1 2 12 97 1000000007 1234567890 4294967297; echo 60 77 | factor',
  fmt: "printf 'the quick brown fox jumps over the lazy dog and runs away\\n\\nagain\\n' | fmt -w 30",

  echo: "/bin/echo a b; /bin/echo -n x; /bin/echo; /bin/echo -e 'a\\tb\\x'; /bin/echo -E 'a\\tb'; /bin/echo -e 'x\\0101\\cy'; /bin/echo; /bin/echo -z",
  'printf strings':
    "P=/usr/bin/printf; $P '%s-%s\\n' a b c; $P '%5s|%-5s|%.2s\\n' abc abc abc; $P '%b' 'x\\ty\\n'; $P '%c%c\\n' abc d; $P 'a%%b\\n'",
  'printf numbers':
    "P=/usr/bin/printf; $P '%d %i %5d|%-5d|%05d|%+d\\n' 1 -2 3 4 5 6; $P '%x %X %o %#x %#o %u\\n' 255 255 8 255 8 7; $P '%d %d %d\\n' 0x1f 010 \"'A\"",
  'printf floats':
    "P=/usr/bin/printf; $P '%f %.3f %e %g %g %g\\n' 3.14159 2.005 12345.678 0.0001 1000000 1e-10; $P '%8.3f|%-8.1f|%08.2f\\n' 1.5 2.5 3.5",
  'printf reuses its format': "P=/usr/bin/printf; $P '%s:%d\\n' a 1 b 2 c; $P 'x\\n' ; $P '[%s]\\n'; $P '%*d\\n' 5 42",
  'printf refuses':
    "P=/usr/bin/printf; $P '%d\\n' abc; echo $?; $P '%d\\n' 3x; echo $?; $P; echo $?; $P '%z\\n' 1; echo $?",
  'expr arithmetic':
    "expr 1 + 2; expr 7 / 2; expr 7 % 3; expr 2 '*' 3; expr 1 - 5; expr -7 / 2; expr 3 - 3; echo $?; expr 1 / 0; echo $?",
  'expr comparison': "expr 1 '<' 2; expr 10 '>' 9; expr a '<' b; expr a = a; expr 1 != 1; echo $?; expr 2 '>=' 2",
  'expr logic': "expr '' '|' x; expr 0 '|' 0; expr a '&' 0; expr a '&' b; expr '(' 1 + 2 ')' '*' 3",
  'expr strings':
    "expr abcde : 'abc'; expr abcde : 'a\\(.*\\)e'; expr length hello; expr substr hello 2 3; expr index hello lo; expr match abc 'b'; expr + match",
  'expr refuses': "expr; echo $?; expr 1 +; echo $?; expr a + 1; echo $?; expr 1 2; echo $?; expr ''; echo $?",
  'expr 64 bits': "expr 9223372036854775807 - 1; expr 4611686018427387904 '*' 1; expr 3000000000 '*' 3",
  'test strings and numbers':
    'T=/usr/bin/test; for e in "a = a" "a = b" "1 -lt 2" "2 -le 1" "-n x" "-z x" "x" "! x" "5 -eq 05" "a != b"; do $T $e; echo "$e: $?"; done',
  'test files':
    'T=/usr/bin/test; : > f; mkdir d; ln -s f l; ln -s no b; chmod 600 f; for e in "-f f" "-d f" "-d d" "-e no" "-L l" "-L b" "-e b" "-s f" "-r f" "-x f" "-h f" "f -ef l"; do $T $e; echo "$e: $?"; done',
  'test and or':
    'T=/usr/bin/test; $T a -a b; echo $?; $T "" -o b; echo $?; $T ! a -a b; echo $?; $T "(" a = b ")" -o c; echo $?; $T; echo $?',
  'test refuses':
    'T=/usr/bin/test; $T a -eq 1; echo $?; $T 1 2 3; echo $?; /usr/bin/[ a; echo $?; /usr/bin/[ a ]; echo $?',

  'basename and dirname':
    'basename /a/b.c; basename /a/b.c .c; basename b.c .c; basename /; basename a/; basename .c .c; dirname /a/b; dirname a; dirname /; dirname a/b/; dirname /a; basename; echo $?; dirname; echo $?',
  'true and false': '/bin/true; echo $?; /bin/false; echo $?; /bin/true x y; echo $?',
  env: 'env -i A=1 B=2 env; env -i X=y sh -c "echo \\$X"; env -u HOME sh -c "echo \\$HOME"; env -i nope; echo $?; env /etc/passwd; echo $?',
  printenv: 'printenv HOME; printenv NOPE; echo $?; A=b printenv A HOME',
  yes: 'yes | head -n 2; yes a b | head -n 1',
  tee: 'echo a | tee x y; cat x y; echo b | tee -a x; cat x; echo c | tee /no/such; echo $?',
  'sleep refuses': 'sleep; echo $?; sleep x; echo $?; sleep 0; echo $?; sleep 0.01 0; echo $?',
  nice: 'nice; nice -n 5 nice; nice nice; nice -5 nice; nice nope; echo $?',
  pathchk: 'pathchk a/b; echo $?; pathchk -p "a b"; echo $?; pathchk $(printf %300s x); echo $?; pathchk ""; echo $?',

  mkdir:
    'mkdir a; mkdir a; echo $?; mkdir -p a/b/c a; echo $?; mkdir x/y; echo $?; ls -R; mkdir -m 700 s; ls -ld s | cut -c 1-10; mkdir; echo $?',
  rmdir:
    'mkdir -p a/b/c; rmdir a; echo $?; rmdir -p a/b/c; ls; rmdir nope; echo $?; mkdir d; rmdir --ignore-fail-on-non-empty d; ls',
  rm: 'touch a b; mkdir d; rm a; ls; rm a; echo $?; rm -f a; echo $?; rm d; echo $?; rm -r d b; ls; rm; echo $?; rm -f; echo $?',
  'rm -r -v and dots':
    'mkdir -p d/e; touch d/f d/e/g; rm -r .; echo $?; rm -rf d/..; echo $?; rm -rf d; ls; rm -r nope; echo $?',
  'rm does not follow links': 'mkdir d; touch d/f; ln -s d l; rm -r l; ls; ls d; ln -s no b; rm b; ls',
  'rm -i asks': { sh: 'touch a b; rm -i a b; echo; ls', stdin: 'y\nn\n' },
  cp: 'echo 1 > a; cp a b; cat b; mkdir d; cp a b d; ls d; cp a d/c; cat d/c; cp nope x; echo $?; cp a; echo $?; cp a b c; echo $?; cp d e; echo $?; cp a a; echo $?',
  'cp -r':
    'mkdir -p d/e; echo 1 > d/f; ln -s f d/l; cp -r d x; ls -R x; cp -r d x; ls x; cp -R d/. y; ls y; readlink x/l; cp -r d d/z; echo $?',
  'cp -a keeps':
    'mkdir d; echo 1 > d/f; chmod 640 d/f; touch -d "2009-05-12 06:32:52" d/f; ln d/f d/g; cp -a d x; ls -l x | cut -c 1-13; test d/f -nt x/f; echo $?; test x/f -ef x/g; echo $?; date -u -r x/f +%s',
  'cp links':
    'echo 1 > f; ln -s f l; cp l a; test -L a; echo $?; cp -d l b; readlink b; cp -s f c; readlink c; cp -l f h; test f -ef h; echo $?; cp -P l p; readlink p; cp -L l q; test -L q; echo $?',
  'cp -u and -f and -i': {
    sh: 'echo 1 > a; echo 2 > b; touch -d 2001-01-01 a; cp -u a b; cat b; touch -d 2001-01-01 b; touch a; cp -u a b; cat b; echo 3 > c; chmod 400 c; cp -f a c; cat c; echo 4 > d; cp -i a d 2>/dev/null; cat d',
    stdin: 'n\n',
  },
  'cp over what it must not': 'mkdir d; touch f; cp -r d f; echo $?; mkdir -p e/f; cp f e; echo $?; ls -F e',
  mv: 'echo 1 > a; mv a b; ls; mkdir d; mv b d; ls d; mv d e; ls; mv nope x; echo $?; mv e e/f; echo $?; touch x y; mv x y e; ls e; mv x; echo $?; touch q; mv q q; echo $?',
  'mv onto directories':
    'mkdir -p a/x b/a; touch f; mv f b/a; ls b/a; mkdir c; touch c/x; mv a/x c; echo $?; mkdir -p g h/g/i; mv g h; echo $?; mv -T g c; echo $?',
  ln: 'echo 1 > a; ln a b; ls -l a | cut -c 12; ln -s a c; readlink c; ln a b; echo $?; ln -f a b; echo $?; ln -s x c; echo $?; ln -sf x c; readlink c; mkdir d; ln -s ../a d; readlink d/a; ln nope x; echo $?; ln d e; echo $?; ln -s d/a; readlink a; echo $?',
  'ln -n':
    'mkdir d e; ln -s d l; ln -sfn e l; readlink l; ln -sf d l; ls e; link e/d x; echo $?; unlink l; ls; unlink e; echo $?',
  touch:
    'touch a; ls; touch -d "2009-05-12 06:32:52 UTC" a; date -u -r a; touch -t 200905120632.52 b; date -u -r b +%s; touch -c n; ls; touch -r b c; test b -nt c; echo $?; touch -t 99 x; echo $?; touch -d nonsense x; echo $?; touch; echo $?; touch /no/such; echo $?',
  'chmod octal and symbolic':
    'touch f; for m in 644 u+x go-r a=rw +x -w u=rwx,go= g=u o+X 4755 1777; do chmod $m f; ls -l f | cut -c 1-10; done; chmod 9 f; echo $?; chmod u+q f; echo $?; chmod 644; echo $?; chmod 644 nope; echo $?',
  'chmod -R and --reference':
    'mkdir -p d/e; touch d/f; chmod -R u=rwX,go= d; ls -lR d | grep -o "^[-d][rwx-]*"; touch g; chmod 600 g; touch h; chmod --reference=g h; ls -l h | cut -c 1-10',
  chown:
    'touch f; chown 12:34 f; ls -ln f | cut -d " " -f 3,4; chown :56 f; ls -ln f | cut -d " " -f 3,4; chown root f; chgrp 0 f; ls -ln f | cut -d " " -f 3,4; chown nosuch f; echo $?; chgrp nosuch f; echo $?; chown root nope; echo $?; ln -s f l; chown -h 9 l; ls -ln l f | cut -d " " -f 3',
  'mknod and mkfifo':
    'mkfifo p; ls -l p | cut -c 1-10; mknod q p; ls -l q | cut -c 1; mknod -m 600 c c 1 3; ls -l c | cut -d " " -f 1,5,6; mkfifo p; echo $?; mknod x; echo $?; mkfifo -m 644 m; ls -l m | cut -c 1-10',
  readlink:
    'mkdir d; touch d/f; ln -s d/f l; readlink l; readlink d; echo $?; readlink -f l | sed "s,.*/d,d,"; readlink -f d/../l/../l | sed "s,.*/,,"; echo $?; readlink -e nope; echo $?; readlink -f nope | sed "s,.*/,,"; readlink -n l; readlink -m a/b/../c | sed "s,.*/a,a,"; ln -s x y; ln -s y x; readlink -f x; echo $?',
  pwd: 'mkdir -p d/e; cd d/e; /bin/pwd | sed "s,.*/d,d,"',
  install:
    'echo 1 > a; install a b; ls -l b | cut -c 1-10; install -m 600 a c; ls -l c | cut -c 1-10; install -d x/y z; ls; install a x/y; ls x/y; install -D a n/m/o; cat n/m/o',
  stat: 'echo hello > f; chmod 640 f; touch -d "2009-05-12 06:32:52" f; stat -c "%n %s %a %A %F %h %u %g %U %Y" f; mkdir d; stat -c "%F %a" d; ln -s f l; stat -c %F l; stat -L -c %s l; stat nope; echo $?; : > e; stat -c %F e',
  du: 'mkdir -p d/e; head -c 5000 /dev/zero > d/f; head -c 100 /dev/zero > d/e/g; du -ab d/f d/e/g; du --apparent-size -a d/f; du nope; echo $?',
  dd: 'printf abcdefghij > f; dd if=f bs=2 count=2 2>/dev/null; echo; dd if=f bs=1 skip=3 count=4 2>/dev/null; echo; dd if=f of=g bs=3 2>&1 | head -2; cat g; echo; dd if=f conv=ucase 2>/dev/null; echo; dd if=f conv=swab 2>/dev/null; echo',
  'dd seek and notrunc':
    'printf abcdefghij > f; printf XY | dd of=f bs=1 seek=2 conv=notrunc 2>/dev/null; cat f; echo; printf Z | dd of=f bs=4 seek=1 2>/dev/null; cat f; echo; printf abc | dd bs=5 conv=sync 2>/dev/null | od -c',
  'dd blocks':
    'head -c 1000 /dev/zero | dd ibs=100 obs=300 2>&1 >/dev/null | head -2; dd if=nope; echo $?; dd bogus; echo $?; dd bs=0; echo $?; dd if=/dev/zero bs=1k count=2x2 2>/dev/null | wc -c',

  ls: 'touch b a .h; mkdir d; ls; ls -a; ls -A; ls -r; ls -1 d a; ls nope; echo $?; ls -d d .; ls -F; ls -p; ls a nope; echo $?',
  'ls -l':
    'umask 022; echo hello > f; touch -d "2001-02-03 04:05:06" f; mkdir d; touch -d 2001-02-03 d; ln -s f l; ls -l f; ls -ln f; ls -lg f; ls -lo f; ls -l l | sed "s/.* l -/l -/"; ls -ld d | cut -c 12-; ls -lF l | sed "s/.* l -/l -/"; ls -lh f; ls -l nope',
  'ls sorts':
    'for i in 1 2 3; do head -c $((i * 100)) /dev/zero > f$i; done; touch -d 2001-01-01 f2; touch -d 2002-01-01 f1; touch -d 2003-01-01 f3; ls -t; ls -tr; ls -S; ls -Sr; touch a.c b.a c.b; ls -X; touch v1 v10 v2; ls -v v*',
  'ls -R': 'mkdir -p a/b/c; touch a/x a/b/y; ls -R; ls -R a; ls a a/b; ls -aR a',
  'ls in columns':
    'for i in $(seq 30); do touch file$i; done; touch a-very-long-name-in-between; ls -C | cat -A; ls -x | cat -A; ls -m; ls -w 40 -C; ls -Cw 200',
  'ls indicators and quotes':
    'touch "a b" x; chmod +x x; mkfifo p; ln -s no l; mkdir d; ls -F; ls --file-type; ls -Q; ls -b; touch "$(printf "t\\tn\\001")"; ls -b; ls -q; ls -N | cat -A',
  'ls -i and -s and -n':
    'touch a; mkdir d; ls -lnd d | cut -c 1-10; ls -s a; ls --color=always a | cat -v >/dev/null; ls -I "a*"; touch b~; ls -B; ls --sort=none >/dev/null; echo $?; ls -z; echo $?; ls --color=bad; echo $?',
  'ls total and time styles':
    'touch -d "2001-02-03 04:05:06" f; ls -l; ls -l --time-style=long-iso f; ls -l --time-style=+%s f; ls --full-time f | cut -d " " -f 6-; touch -a -d 2002-02-02 f; ls -lu --time-style=long-iso f',
  'ls devices': 'ls -l /dev/null | cut -d " " -f 1-6; cd /dev; ls -d null zero',

  'date forms':
    'date -u -d @0; date -u -d @1242109972 "+%F %T %j %a %A %b %B %d %e %H %I %M %p %S %y %Y %Z %z %s %u %w %U %V %W %G %g %C %D %R %r %n%t%%"; date -u -d "2009-05-12 06:32:52" +%s; date -u -R -d @86400; date -u -d @0 +%c',
  'date flags':
    'date -u -d @1242109972 "+%-d|%_d|%05d|%-H|%^a|%e|%k|%l|%N|%-m|%10Y"; date -u -d "2009-01-31 1 month" +%F; date -u -d "2009-05-12 yesterday" +%F; date -u -d "2008-02-29 +1 year" +%F',
  'date parses':
    'for d in "12 May 2009" "May 12 2009" "May 12, 2009 10:00" "2009-05-12 10:00:30 +0200" "5/12/2009" "20090512" "2009-05-12 3pm" "@5" "2009-05-12 00:00 UTC + 3 days" "2009-05-12 2 weeks ago" "12-May-2009" "Tue, 12 May 2009 06:32:52 +0000"; do date -u -d "$d" "+%F %T"; done',
  'date refuses':
    'date -d nonsense; echo $?; date -u -d 2009-13-01; echo $?; date -u -d "2009-02-30"; echo $?; date +%F x; echo $?; date -u -d "25:00"; echo $?',
  'id of root': 'id -u; id -un; id -g; id -gn; id -ur; whoami; id nosuch; echo $?; id -ug; echo $?',
  uname: 'uname -s; uname; uname -o; uname x; echo $?; uname -z; echo $?',
  tty: 'tty </dev/null; echo $?; tty -s </dev/null; echo $?',
  'stty without a terminal': 'stty </dev/null; echo $?; stty -F /dev/null; echo $?',
  mktemp:
    'f=$(mktemp t.XXXXXX); ls | wc -l; printf %s $f | wc -c; d=$(mktemp -d d.XXXXXXXX); test -d $d; echo $?; ls -l $f | cut -c 1-10; mktemp x/t.XXXXXX; echo $?',
  nohup: 'nohup echo a </dev/null; nohup nope </dev/null; echo $?',
  'an option unknown to all':
    'for c in cat head tail wc cut paste tr sort uniq comm cp mv rm ln mkdir rmdir touch chmod chown ls du df date uname id tee seq; do $c --nonsense-option x </dev/null >/dev/null 2>&1; echo $c $?; done',
  'writing to a full device':
    'echo a > f; for c in "cat f" "head f" "sort f" "wc f" "seq 5" ls "uniq f" "cut -c1 f" "od f" "/bin/echo x" /bin/pwd "/usr/bin/printf x"; do $c > /dev/full 2>/dev/null; echo "$c $?"; done',
  'a reader that goes away': 'yes | head -n 1; seq 100000 | head -n 1; cat /dev/zero | head -c 10 | wc -c',
})
