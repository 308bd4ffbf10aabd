/**
 * The monitor's character generator: code page 437 in cells of 9 x 16, drawn for this page, so that it looks the same on every computer. Letters
 * stand on row 11, capitals are ten rows high and small letters seven; the ninth column is the gap.
 */
import { cp437 } from '#lib/cp437.ts'
import { lineGlyph } from './box-drawing.ts'

export const GLYPH_COLUMNS = 9
export const GLYPH_ROWS = 16

/** A character, its first row, and its rows from there on: two hexadecimal digits for eight columns, the left one first. */
const DRAWN = `
! 2 18181818181818001818
" 2 66666624
# 3 6c6cfe6c6cfe6c6c
$ 1 107cd6d0d07c1616d67c10
% 3 e2a6ec18306eca8e
& 2 386c6c6c3876dccccc76
' 2 18181810
( 2 0c18303030303030180c
) 2 30180c0c0c0c0c0c1830
* 5 6c38fe386c
+ 5 18187e1818
, 10 18181830
- 7 7e
. 10 1818
/ 2 06060c0c181830306060
0 2 7cc6c6ced6d6e6c6c67c
1 2 1838781818181818187e
2 2 7cc606060c183060c0fe
3 2 7cc606063c060606c67c
4 2 0c1c3c6cccccfe0c0c0c
5 2 fec0c0c0fc060606c67c
6 2 3c60c0c0fcc6c6c6c67c
7 2 fe06060c0c1818303030
8 2 7cc6c6c67cc6c6c6c67c
9 2 7cc6c6c6c67e06060c78
: 5 18180000001818
; 5 181800000018181830
< 3 060c18306030180c06
= 6 7e00007e
> 3 6030180c060c183060
? 2 7cc606060c1818001818
@ 2 7cc6c6ded6d6dec0c07e
A 2 38386c6cc6c6fec6c6c6
B 2 fcc6c6c6fcc6c6c6c6fc
C 2 7cc6c0c0c0c0c0c0c67c
D 2 f8ccc6c6c6c6c6c6ccf8
E 2 fec0c0c0fcc0c0c0c0fe
F 2 fec0c0c0fcc0c0c0c0c0
G 2 7cc6c0c0c0cec6c6c67e
H 2 c6c6c6c6fec6c6c6c6c6
I 2 7e18181818181818187e
J 2 1e060606060606c6c67c
K 2 c6ccd8f0e0f0d8ccc6c6
L 2 c0c0c0c0c0c0c0c0c0fe
M 2 c6eefed6d6c6c6c6c6c6
N 2 c6e6e6f6d6decec6c6c6
O 2 7cc6c6c6c6c6c6c6c67c
P 2 fcc6c6c6c6fcc0c0c0c0
Q 2 7cc6c6c6c6c6c6d6cc76
R 2 fcc6c6c6c6fcd8ccc6c6
S 2 7cc6c0c07c060606c67c
T 2 7e181818181818181818
U 2 c6c6c6c6c6c6c6c6c67c
V 2 c6c6c6c66c6c6c383810
W 2 c6c6c6c6c6d6d6feeec6
X 2 c6c66c6c38386c6cc6c6
Y 2 666666663c1818181818
Z 2 fe06060c183060c0c0fe
[ 2 3c30303030303030303c
\\ 2 c0c06060303018180c0c
] 2 3c0c0c0c0c0c0c0c0c3c
^ 2 10386cc6
_ 14 ff
\` 1 603018
a 5 7c06067ec6c67e
b 2 c0c0c0fcc6c6c6c6c6fc
c 5 7cc6c0c0c0c67c
d 2 0606067ec6c6c6c6c67e
e 5 7cc6c6fec0c67c
f 2 1c3630307c3030303030
g 5 7ec6c6c6c6c67e06067c
h 2 c0c0c0fcc6c6c6c6c6c6
i 2 1818003818181818187e
j 2 0c0c001c0c0c0c0c0c0ccc78
k 2 c0c0c0c6ccd8f0d8ccc6
l 2 3818181818181818180e
m 5 ecfed6d6d6d6d6
n 5 fcc6c6c6c6c6c6
o 5 7cc6c6c6c6c67c
p 5 fcc6c6c6c6c6fcc0c0c0
q 5 7ec6c6c6c6c67e060606
r 5 def0e0c0c0c0c0
s 5 7ec0c07c0606fc
t 3 3030fc30303030361c
u 5 c6c6c6c6c6c67e
v 5 c6c6c66c6c3810
w 5 c6c6d6d6d6fe6c
x 5 c6c66c386cc6c6
y 5 c6c6c6c6c6c67e06067c
z 5 fe0c183060c0fe
{ 2 0e18181818701818180e
| 1 18181818181818181818181818
} 2 70181818180e18181870
~ 6 76dc
ı 5 3818181818187e
æ 5 ec36367ed8d86e
Æ 2 3e6cccccfeccccccccce
¢ 3 10107cd6d0d0d67c1010
£ 2 386c6060f8606060e6fc
¥ 2 6666663c187e187e1818
₧ 2 f8ccccf8c6cfc6c6c6c3
ƒ 2 0e1b18187e18181818d870
ª 2 3c063e663e007e
º 2 3c6666663c007e
¿ 4 181800181830c0c0c67c
⌐ 6 fec0c0c0
¬ 6 fe060606
½ 1 c0c2c6cc183060dc860c183e
¼ 1 c0c2c6cc183066ce9e3e0606
¡ 2 18180018181818181818
« 5 366cd86c36
» 5 d86c366cd8
α 5 76dcccccccdc76
ß 2 78ccccccd8ccc6c6c6cc
Γ 2 fec6c0c0c0c0c0c0c0c0
π 5 fe6c6c6c6c6c6c
Σ 2 fec6603018183060c6fe
σ 5 7ed8cccccccc78
µ 5 66666666667c6060c0
τ 5 7ed8181818180e
Φ 2 107cd6d6d6d6d6d67c10
Θ 2 386cc6c6fec6c6c66c38
Ω 2 386cc6c6c6c66c6c6cee
δ 2 1e30180c3e666666663c
∞ 6 6cd6d66c
φ 4 107cd6d6d6d6d67c10
ε 3 1e3060607c6060301e
∩ 4 7cc6c6c6c6c6c6c6
≡ 4 fe0000fe0000fe
± 3 18187e181800007e
≥ 3 30180c060c1830007e
≤ 3 0c18306030180c007e
⌠ 1 0e1b18181818181818181818181818
⌡ 0 181818181818181818d8d870
÷ 4 1818007e001818
≈ 5 76dc0076dc
° 2 386c6c38
∙ 7 1818
· 7 18
√ 1 0f0c0c0c0c0cec6c6c3c1c
ⁿ 2 d86c6c6c6c
² 2 70d83060f8
■ 5 7c7c7c7c7c7c7c
☺ 3 3c42a58181a599423c
☻ 3 3c7edbffffdbe77e3c
♥ 4 6cfefefe7c3810
♦ 4 10387cfe7c3810
♣ 3 383810d6fed61038
♠ 3 10387cfefed61038
• 6 183c3c18
○ 5 3c664242663c
♂ 2 1e0e1a3278cccccccc78
♀ 2 3c666666663c187e1818
♪ 2 3e363e3030303070f0e0
♫ 2 7e667e666666666eeecc
☼ 4 925438ee385492
► 3 80e0f0fcfefcf0e080
◄ 3 020e1e7efe7e1e0e02
↕ 2 183c7e181818187e3c18
‼ 2 66666666666666006666
¶ 2 7ed6d6d6761616161616
§ 1 7cc660386cc6c66c380cc67c
▬ 8 fefefefe
↨ 2 183c7e1818187e3c187e
↑ 2 183c7e18181818181818
↓ 2 181818181818187e3c18
→ 5 180cfe0c18
← 5 3060fe6030
∟ 6 c0c0c0fe
↔ 5 2466ff6624
▲ 4 1038387c7cfefe
▼ 4 fefe7c7c383810
⌂ 4 10386cc6c6c6fe
`

/** An accented letter: what it stands on and what it bears. Small letters have two rows for it, three for the ring. */
const ACCENTED: Readonly<Record<string, string>> = {
  acute: 'éáíóúÉ',
  grave: 'àèìòù',
  circumflex: 'âêîôû',
  diaeresis: 'üäëïöÿÄÖÜ',
  ring: 'åÅ',
  tilde: 'ñÑ',
  cedilla: 'çÇ',
}

/** Rows, and the row that the first of them is on for a small letter and for a capital. */
const MARKS: Readonly<Record<string, readonly [rows: string, small: number, capital: number]>> = {
  acute: ['0c1830', 1, 0],
  grave: ['603018', 1, 0],
  circumflex: ['386cc6', 1, 0],
  diaeresis: ['6c6c', 2, 0],
  ring: ['386c38', 1, 0],
  tilde: ['76dc', 2, 0],
  cedilla: ['180c38', 12, 12],
}

type Rows = Uint16Array

const rowsOf = (hex: string): number[] => (hex.match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16) << 1)

function placed(first: number, rows: readonly number[]): Rows {
  const glyph = new Uint16Array(GLYPH_ROWS)
  glyph.set(rows, first)
  return glyph
}

function drawnGlyphs(): Map<string, Rows> {
  const drawn = new Map<string, Rows>([' ', '\u00a0'].map((blank) => [blank, new Uint16Array(GLYPH_ROWS)]))
  for (const line of DRAWN.trim().split('\n')) {
    const [character = '', first = '', hex = ''] = line.split(' ')
    drawn.set(character, placed(Number(first), rowsOf(hex)))
  }
  return drawn
}

/** A capital with something above it starts a row lower and is a row shorter. */
function lowered(capital: Rows): Rows {
  const glyph = capital.slice()
  glyph[2] = 0
  glyph.set([capital[2]!, ...capital.slice(4, 6)], 3)
  return glyph
}

function accented(character: string, mark: string, drawn: ReadonlyMap<string, Rows>): Rows {
  const [base = ''] = character.normalize('NFD')
  const [hex, small, capital] = MARKS[mark]!
  const isCapital = base !== base.toLowerCase()
  const letter = drawn.get(base === 'i' ? 'ı' : base)!
  const rows = rowsOf(hex)
  // Over a capital there is room for two rows and a gap.
  const above = isCapital && mark !== 'cedilla'
  const glyph = above ? lowered(letter) : letter.slice()
  const shown = above && mark !== 'ring' ? rows.slice(0, 2) : rows
  shown.forEach((row, i) => {
    glyph[(isCapital ? capital : small) + i]! |= row
  })
  return glyph
}

const inverse = (glyph: Rows): Rows => glyph.map((row) => ~row & 0x1ff)

function allGlyphs(): Uint16Array {
  const drawn = drawnGlyphs()
  for (const [mark, characters] of Object.entries(ACCENTED))
    for (const character of characters) drawn.set(character, accented(character, mark, drawn))
  drawn.set('◘', inverse(drawn.get('•')!))
  drawn.set('◙', inverse(drawn.get('○')!))
  const table = new Uint16Array(256 * GLYPH_ROWS)
  for (let code = 0; code < 256; code++) {
    const character = cp437(code)
    const glyph = drawn.get(character) ?? lineGlyph(character)
    if (!glyph) throw new Error(`no glyph for ${character}`)
    table.set(glyph, code * GLYPH_ROWS)
  }
  return table
}

let glyphs: Uint16Array | undefined

/** Of the character `code`: GLYPH_ROWS rows, each with its leftmost column in bit GLYPH_COLUMNS - 1. */
export function glyphRows(code: number): Uint16Array {
  glyphs ??= allGlyphs()
  return glyphs.subarray(code * GLYPH_ROWS, (code + 1) * GLYPH_ROWS)
}
