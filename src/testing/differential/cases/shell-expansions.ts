// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the shell's
/** Quoting and expansions, as dash has them. */
import { snippets } from '../snippet.ts'

export const expansions = snippets({
  quotes: 'x="a b"; echo \'$x\' "$x" $x "\\$x" \\$x "a\'b" \'a"b\' "a"\'b\'c',
  backslashes: 'echo \\a \\\\ "\\a" "\\\\" "\\"" \'\\\' \\ x',
  'empty words': 'set -- "" \'\' ""$nope"" $nope; echo $#; set -- a""b; echo $1',
  default: 'unset x; y=; echo ${x-a} ${x:-b} ${y-c} ${y:-d} [${y-}] ${x-"a b"} "${x-a  b}"',
  'assign default': 'unset x; y=; echo ${x=a} $x; echo ${y=b} [$y]; echo ${y:=c} $y; : ${z:="p q"}; echo "$z"',
  alternative: 'x=1; y=; unset z; echo [${x+a}] [${y+b}] [${y:+c}] [${z+d}] ["${x+"q r"}"]',
  'error if unset': {
    sh: 'x=1; echo ${x?no}; (echo ${z?}); echo $?; (echo ${z:?my message}); echo ${z?}; echo not reached',
    stderr: true,
  },
  length: 'x=hello; echo ${#x} ${#nope}; set -- a b c; echo ${#} ${#@} ${#1}; x="a b"; echo ${#x}',
  'remove prefix': 'p=/usr/local/lib/x.tar.gz; echo ${p#*/} ${p##*/} ${p#/usr} ${p#nope} ${p#"*"}',
  'remove suffix': 'p=/usr/local/lib/x.tar.gz; echo ${p%.*} ${p%%.*} ${p%/*} ${p%%/*}x ${p%gz}',
  'remove with patterns': 'x=aabbcc; echo ${x#a*b} ${x##a*b} ${x%b*c} ${x%%b*c} ${x#[ab]} ${x%?} ${x#??} ${x%%[!a]*}',
  'remove with a variable pattern': 'x=a.b.c; p="*."; echo ${x#$p} ${x##$p} "${x#"$p"}" ${x#\\*}',
  'remove from parameters': 'x="hello world"; echo "${x#* }" "${x% *}" ${x#hello}',
  'nested expansions': 'a=1; unset b c; echo ${b:-${c:-${a}}} ${b:-$(echo sub)} ${b:-$((a+1))} "${b:-"${a}x"}"',
  'quotes inside braces': 'unset x; echo ${x:-\'a b\'} "${x:-\'a b\'}" ${x:-"a b"} "${x:-a "b" c}"',
  'word splitting': 'x="  a  b   c "; set -- $x; echo $#; set -- "$x"; echo $#; set -- x${x}y; echo $# "$1" "$2"',
  'IFS of other characters': 'IFS=:; x=a:b::c:; set -- $x; echo $#; for i in $x; do echo "[$i]"; done',
  'IFS mixed': 'IFS=" :"; x=" a : b::c d "; set -- $x; echo $#; for i in "$@"; do echo "[$i]"; done',
  'IFS empty and unset': 'x="a b:c"; IFS=; set -- $x; echo $#; unset IFS; set -- $x; echo $#',
  'IFS and $*': 'set -- a "b c" d; IFS=-; echo "$*"; IFS=; echo "$*"; unset IFS; echo "$*"; IFS=" "; echo $*',
  'quoted $@':
    'set -- a "b c" ""; for i in "$@"; do echo "[$i]"; done; for i in x"$@"y; do echo "<$i>"; done; set --; for i in "$@"; do echo no; done; for i in "x$@"; do echo "($i)"; done',
  'unquoted $@ and $*':
    'set -- "a b" c; for i in $@; do echo "[$i]"; done; for i in $*; do echo "<$i>"; done; for i in "$*"; do echo "{$i}"; done',
  'no splitting in assignments':
    'x="a  b"; y=$x; echo "$y"; z=$x$x; echo "$z"; set -- 1 2; w=$*; echo "$w"; v="$@"; echo "$v"',
  'no splitting in case': 'x="a b"; case $x in "a b") echo ok;; esac',
  'command substitution':
    'echo $(echo a b) "$(echo "a  b")" `echo c`; x=$(printf "a\\n\\n\\n"); echo "[$x]"; echo $(echo $(echo nested))',
  backquotes: 'echo `echo \\`echo in\\`` "`echo "x  y"`"; x=1; echo `echo \\$x` `echo $x`',
  'substitution and statuses': 'x=$(false); echo $?; echo $(exit 3) $?; y=$(echo a; exit 4); echo $? $y',
  'substitution with parentheses': 'echo $( (echo a) ) $(case x in x) echo y;; esac) $(echo ")")',
  'substitution over lines': 'echo $(\n  echo a # comment )\n  echo b\n)',
  'substitution changes nothing': 'x=1; y=$(x=2; echo $x); echo $x $y',
  'large substitution': 'x=$(i=0; while [ $i -lt 1000 ]; do echo "line $i"; i=$((i+1)); done); echo ${#x}',
  arithmetic:
    'echo $((1+2*3)) $(((1+2)*3)) $((7/2)) $((-7/2)) $((7%3)) $((-7%3)) $((1<<4)) $((255>>4)) $((5&3)) $((5|3)) $((5^3)) $((~5))',
  'arithmetic comparisons':
    'echo $((1<2)) $((2<=1)) $((1==1)) $((1!=1)) $((2>1)) $((1>=2)) $((1&&0)) $((1||0)) $((!0)) $((!5)) $((1?2:3)) $((0?2:3))',
  'arithmetic with variables':
    'x=5; y=x; echo $((x+1)) $(($x+1)) $((x*x)) $((nope+1)) $((x=7)) $x $((x+=3)) $x $((x<<=1)) $((x-=1)) $((x%=7))',
  'arithmetic bases': 'echo $((0x1f)) $((017)) $((0xFF+010)) $((-0x10))',
  'arithmetic 64 bits':
    'echo $((9223372036854775807+1)) $((1<<62)) $((1<<63)) $((4611686018427387904*2)) $((123456789*987654321)) $((-9223372036854775807-1))',
  'arithmetic short circuit': 'x=1; echo $((0&&(x=5))) $x $((1||(x=6))) $x $((1?x:(x=7))) $x',
  'arithmetic spaces and nesting': 'echo $(( 1 +\n 2 )) $(( $(echo 3) * $((2+2)) )) $((((1))))',
  'arithmetic errors': {
    sh: '(echo $((1/0))); echo $?; (echo $((1+))); echo $?; x=abc; (echo $((x))); echo $?; (echo $((2**3)))',
    stderr: true,
  },
  'arithmetic unary': 'x=3; echo $((-x)) $((+x)) $((- -x)) $((!x)) $((~-1)) $((3 - -2))',
  tilde: 'HOME=/h; echo ~ ~/x "~" \\~ a~ ~nosuchuser; x=~; echo $x; y=~/a:~/b; echo $y; echo x=~; echo ~root',
  'pathname expansion':
    'touch a.c b.c c.h .d; mkdir e; echo *; echo *.c; echo .*c; echo ?.h; echo [ab].c; echo [!a].c; echo *.x; echo "*" \\* \'*\'',
  'pathname expansion in directories':
    'mkdir -p x/y z; touch x/a x/y/b z/a; echo */a; echo x/*/*; echo */; echo ./*; echo x//a*; echo no*/a',
  'empty defaults in quotes':
    'set -- a "${x-}" "${y:-}" "${z+}" ${x-}; echo $#; unset q; set -- "${q=}" "${q:+}"; echo $#',
  'pathname expansion of variables':
    'touch a1 a2; p="a*"; echo $p "$p" ${p}; x=$p; echo "$x"; for f in $p; do echo "<$f>"; done',
  'brackets that never close': 'touch "[a" b; echo [a b; echo "["*',
  'pathname expansion quoted in part': 'touch "a*b" axb; echo a"*"b a\\*b a*b "a"*',
  'pathname expansion sorts by bytes': 'touch B a C b _ 1; echo *',
  'no expansion where none is':
    'touch f1 f2; x=f*; echo "$x"; case f1 in f*) echo m;; esac; echo >out f*; cat out; cat <<E\nf*\nE',
  'hidden files': 'touch .a b; echo *; echo .[a-z]*; echo [.a]*',
  'parameters in words': 'a=1; echo $a$a "$a"b ${a}b $a.b $ab ${a}$a$ $ "$" a$',
  'special parameters': 'set -- a b; echo $# ${#} $* "$@" $0; echo ${1}${2}x ${3-none}',
  'long values': 'x=a; i=0; while [ $i -lt 12 ]; do x=$x$x; i=$((i+1)); done; echo ${#x}',
  'no brace expansion': 'echo {a,b} {1..3} a{b,c}d',
  'bash forms mean nothing': { sh: "x=abc; echo $'a'; [ a == a ]; echo $?; x+=d; echo $?", stderr: true },
  'double bracket is a command': { sh: '[[ a = a ]]; echo $?', stderr: true },
  'multibyte text is bytes': 'x=\\303\\244; y=$(printf "$x"); echo ${#y}; case $y in ??) echo two;; esac',
  'bytes pass through':
    'printf "\\001\\377\\200" | wc -c; x=$(printf "\\377\\001"); printf "%s" "$x" | wc -c; echo ${#x}; printf "$x"',
})
