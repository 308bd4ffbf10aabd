/**
 * Integer arithmetic, shifts and bits: rows of the one-byte and 0F opcode maps of the manuals (AMD APM volume 3, appendix A; Intel SDM volume 2, appendix A). How to read a row is
 * said in row.ts.
 */

/** Two operands, and their short forms: opcodes 00 to 3F and groups 1. */
const ARITHMETIC = `
00      add     Eb,Gb       =oszapc lock
01      add     Ev,Gv       =oszapc lock
02      add     Gb,Eb       =oszapc
03      add     Gv,Ev       =oszapc
04      add     AL,Ib       =oszapc
05      add     rAX,Iz      =oszapc
08      or      Eb,Gb       =oszpc ?a lock
09      or      Ev,Gv       =oszpc ?a lock
0a      or      Gb,Eb       =oszpc ?a
0b      or      Gv,Ev       =oszpc ?a
0c      or      AL,Ib       =oszpc ?a
0d      or      rAX,Iz      =oszpc ?a
10      adc     Eb,Gb       <c =oszapc lock
11      adc     Ev,Gv       <c =oszapc lock
12      adc     Gb,Eb       <c =oszapc
13      adc     Gv,Ev       <c =oszapc
14      adc     AL,Ib       <c =oszapc
15      adc     rAX,Iz      <c =oszapc
18      sbb     Eb,Gb       <c =oszapc lock
19      sbb     Ev,Gv       <c =oszapc lock
1a      sbb     Gb,Eb       <c =oszapc
1b      sbb     Gv,Ev       <c =oszapc
1c      sbb     AL,Ib       <c =oszapc
1d      sbb     rAX,Iz      <c =oszapc
20      and     Eb,Gb       =oszpc ?a lock
21      and     Ev,Gv       =oszpc ?a lock
22      and     Gb,Eb       =oszpc ?a
23      and     Gv,Ev       =oszpc ?a
24      and     AL,Ib       =oszpc ?a
25      and     rAX,Iz      =oszpc ?a
28      sub     Eb,Gb       =oszapc lock
29      sub     Ev,Gv       =oszapc lock
2a      sub     Gb,Eb       =oszapc
2b      sub     Gv,Ev       =oszapc
2c      sub     AL,Ib       =oszapc
2d      sub     rAX,Iz      =oszapc
30      xor     Eb,Gb       =oszpc ?a lock
31      xor     Ev,Gv       =oszpc ?a lock
32      xor     Gb,Eb       =oszpc ?a
33      xor     Gv,Ev       =oszpc ?a
34      xor     AL,Ib       =oszpc ?a
35      xor     rAX,Iz      =oszpc ?a
38      cmp     Eb,Gb       =oszapc
39      cmp     Ev,Gv       =oszapc
3a      cmp     Gb,Eb       =oszapc
3b      cmp     Gv,Ev       =oszapc
3c      cmp     AL,Ib       =oszapc
3d      cmp     rAX,Iz      =oszapc
80/0    add     Eb,Ib       =oszapc lock
80/1    or      Eb,Ib       =oszpc ?a lock
80/2    adc     Eb,Ib       <c =oszapc lock
80/3    sbb     Eb,Ib       <c =oszapc lock
80/4    and     Eb,Ib       =oszpc ?a lock
80/5    sub     Eb,Ib       =oszapc lock
80/6    xor     Eb,Ib       =oszpc ?a lock
80/7    cmp     Eb,Ib       =oszapc
81/0    add     Ev,Iz       =oszapc lock
81/1    or      Ev,Iz       =oszpc ?a lock
81/2    adc     Ev,Iz       <c =oszapc lock
81/3    sbb     Ev,Iz       <c =oszapc lock
81/4    and     Ev,Iz       =oszpc ?a lock
81/5    sub     Ev,Iz       =oszapc lock
81/6    xor     Ev,Iz       =oszpc ?a lock
81/7    cmp     Ev,Iz       =oszapc
82/0    add     Eb,Ib       =oszapc lock i64
82/1    or      Eb,Ib       =oszpc ?a lock i64
82/2    adc     Eb,Ib       <c =oszapc lock i64
82/3    sbb     Eb,Ib       <c =oszapc lock i64
82/4    and     Eb,Ib       =oszpc ?a lock i64
82/5    sub     Eb,Ib       =oszapc lock i64
82/6    xor     Eb,Ib       =oszpc ?a lock i64
82/7    cmp     Eb,Ib       =oszapc i64
83/0    add     Ev,Ibs      =oszapc lock
83/1    or      Ev,Ibs      =oszpc ?a lock
83/2    adc     Ev,Ibs      <c =oszapc lock
83/3    sbb     Ev,Ibs      <c =oszapc lock
83/4    and     Ev,Ibs      =oszpc ?a lock
83/5    sub     Ev,Ibs      =oszapc lock
83/6    xor     Ev,Ibs      =oszpc ?a lock
83/7    cmp     Ev,Ibs      =oszapc
84      test    Eb,Gb       =oszpc ?a
85      test    Ev,Gv       =oszpc ?a
a8      test    AL,Ib       =oszpc ?a
a9      test    rAX,Iz      =oszpc ?a
f6/0    test    Eb,Ib       =oszpc ?a
f6/1    test    Eb,Ib       =oszpc ?a
f7/0    test    Ev,Iz       =oszpc ?a
f7/1    test    Ev,Iz       =oszpc ?a
f6/2    not     Eb          lock
f7/2    not     Ev          lock
f6/3    neg     Eb          =oszapc lock
f7/3    neg     Ev          =oszapc lock
f6/4    mul     Eb          =oc ?szap
f7/4    mul     Ev          =oc ?szap
f6/5    imul    Eb          =oc ?szap
f7/5    imul    Ev          =oc ?szap
f6/6    div     Eb          ?oszapc
f7/6    div     Ev          ?oszapc
f6/7    idiv    Eb          ?oszapc
f7/7    idiv    Ev          ?oszapc
69      imul    Gv,Ev,Iz    =oc ?szap
6b      imul    Gv,Ev,Ibs   =oc ?szap
0f.af   imul    Gv,Ev       =oc ?szap
fe/0    inc     Eb          =oszap lock
ff/0    inc     Ev          =oszap lock
fe/1    dec     Eb          =oszap lock
ff/1    dec     Ev          =oszap lock
40+r    inc     Zv          =oszap i64
48+r    dec     Zv          =oszap i64
0f.b0   cmpxchg Eb,Gb       =oszapc lock
0f.b1   cmpxchg Ev,Gv       =oszapc lock
0f.c0   xadd    Eb,Gb       =oszapc lock
0f.c1   xadd    Ev,Gv       =oszapc lock
0f.c7/1 cmpxchg8b  Mq       =z lock w0 cx8
0f.c7/1 cmpxchg16b Mdq      =z lock w1 cx16
27      daa     -           <ac =szapc ?o i64
2f      das     -           <ac =szapc ?o i64
37      aaa     -           <a =ac ?oszp i64
3f      aas     -           <a =ac ?oszp i64
d4      aam     Ib          =szp ?oac i64
d5      aad     Ib          =szp ?oac i64
98      cbw     -
99      cwd     -
`

/** Groups 2: by 1, by a byte, by CL. Flags of a rotation or shift by 0 stay as they are. */
const SHIFTS = `
c0/0    rol     Eb,Ib       =c ?o
c0/1    ror     Eb,Ib       =c ?o
c0/2    rcl     Eb,Ib       <c =c ?o
c0/3    rcr     Eb,Ib       <c =c ?o
c0/4    shl     Eb,Ib       =szpc ?oa
c0/5    shr     Eb,Ib       =szpc ?oa
c0/6    shl     Eb,Ib       =szpc ?oa
c0/7    sar     Eb,Ib       =szpc ?oa
c1/0    rol     Ev,Ib       =c ?o
c1/1    ror     Ev,Ib       =c ?o
c1/2    rcl     Ev,Ib       <c =c ?o
c1/3    rcr     Ev,Ib       <c =c ?o
c1/4    shl     Ev,Ib       =szpc ?oa
c1/5    shr     Ev,Ib       =szpc ?oa
c1/6    shl     Ev,Ib       =szpc ?oa
c1/7    sar     Ev,Ib       =szpc ?oa
d0/0    rol     Eb,1        =oc
d0/1    ror     Eb,1        =oc
d0/2    rcl     Eb,1        <c =oc
d0/3    rcr     Eb,1        <c =oc
d0/4    shl     Eb,1        =oszpc ?a
d0/5    shr     Eb,1        =oszpc ?a
d0/6    shl     Eb,1        =oszpc ?a
d0/7    sar     Eb,1        =oszpc ?a
d1/0    rol     Ev,1        =oc
d1/1    ror     Ev,1        =oc
d1/2    rcl     Ev,1        <c =oc
d1/3    rcr     Ev,1        <c =oc
d1/4    shl     Ev,1        =oszpc ?a
d1/5    shr     Ev,1        =oszpc ?a
d1/6    shl     Ev,1        =oszpc ?a
d1/7    sar     Ev,1        =oszpc ?a
d2/0    rol     Eb,CL       =c ?o
d2/1    ror     Eb,CL       =c ?o
d2/2    rcl     Eb,CL       <c =c ?o
d2/3    rcr     Eb,CL       <c =c ?o
d2/4    shl     Eb,CL       =szpc ?oa
d2/5    shr     Eb,CL       =szpc ?oa
d2/6    shl     Eb,CL       =szpc ?oa
d2/7    sar     Eb,CL       =szpc ?oa
d3/0    rol     Ev,CL       =c ?o
d3/1    ror     Ev,CL       =c ?o
d3/2    rcl     Ev,CL       <c =c ?o
d3/3    rcr     Ev,CL       <c =c ?o
d3/4    shl     Ev,CL       =szpc ?oa
d3/5    shr     Ev,CL       =szpc ?oa
d3/6    shl     Ev,CL       =szpc ?oa
d3/7    sar     Ev,CL       =szpc ?oa
0f.a4   shld    Ev,Gv,Ib    =szpc ?oa
0f.a5   shld    Ev,Gv,CL    =szpc ?oa
0f.ac   shrd    Ev,Gv,Ib    =szpc ?oa
0f.ad   shrd    Ev,Gv,CL    =szpc ?oa
`

/** Without BMI1 and LZCNT, TZCNT is BSF and LZCNT is BSR with a prefix that says nothing. */
const BITS = `
0f.a3    bt     Ev,Gv       =c ?oszap
0f.ab    bts    Ev,Gv       =c ?oszap lock
0f.b3    btr    Ev,Gv       =c ?oszap lock
0f.bb    btc    Ev,Gv       =c ?oszap lock
0f.ba/4  bt     Ev,Ib       =c ?oszap
0f.ba/5  bts    Ev,Ib       =c ?oszap lock
0f.ba/6  btr    Ev,Ib       =c ?oszap lock
0f.ba/7  btc    Ev,Ib       =c ?oszap lock
0f.bc    bsf    Gv,Ev       =z ?osapc
0f.bd    bsr    Gv,Ev       =z ?osapc
f3.0f.bc bsf    Gv,Ev       =z ?osapc name:tzcnt
f3.0f.bd bsr    Gv,Ev       =z ?osapc name:lzcnt
f3.0f.b8 popcnt Gv,Ev       =oszapc popcnt
0f.c8+r  bswap  Zv
`

export const ARITHMETIC_ROWS = ARITHMETIC + SHIFTS + BITS
