/**
 * Moves, strings and branches: rows of the one-byte and 0F opcode maps of the manuals (AMD APM volume 3, appendix A; Intel SDM volume 2, appendix A). How to read a row is
 * said in row.ts. What only CPL 0 may do is in rows-system.ts.
 */

/** A MOV to SS or POP SS holds off nothing here: interrupts come between runs, by event channels. */
const MOVES = `
88       mov    Eb,Gb
89       mov    Ev,Gv
8a       mov    Gb,Eb
8b       mov    Gv,Ev
8c       mov    Rv,Sw
8c       mov    Mw,Sw
8e       mov    Sw,Rv       nocs
8e       mov    Sw,Mw       nocs
a0       mov    AL,Ob
a1       mov    rAX,Ov
a2       mov    Ob,AL
a3       mov    Ov,rAX
b0+r     mov    Zb,Ib
b8+r     mov    Zv,Iv
c6/0     mov    Eb,Ib
c7/0     mov    Ev,Iz
63       movsxd Gv,Ed       o64
0f.b6    movzx  Gv,Eb
0f.b7    movzx  Gv,Ew
0f.be    movsx  Gv,Eb
0f.bf    movsx  Gv,Ew
np.0f.c3 movnti My,Gy       sse2
8d       lea    Gv,M
86       xchg   Eb,Gb       lock
87       xchg   Ev,Gv       lock
90       nop    -
f3.90    pause  -
90+r     xchg   Zv,rAX
50+r     push   Zv          d64
58+r     pop    Zv          d64
68       push   Iz          d64
6a       push   Ibs         d64
ff/6     push   Ev          d64
8f/0     pop    Ev          d64
06       push   ES          d64 i64
0e       push   CS          d64 i64
16       push   SS          d64 i64
1e       push   DS          d64 i64
07       pop    ES          d64 i64
17       pop    SS          d64 i64
1f       pop    DS          d64 i64
0f.a0    push   FS          d64
0f.a8    push   GS          d64
0f.a1    pop    FS          d64
0f.a9    pop    GS          d64
60       pusha  -           i64
61       popa   -           i64
9c       pushf  -           <oszapcd d64
9d       popf   -           =oszapcd d64
9e       sahf   -           =szapc lahf
9f       lahf   -           <szapc lahf
c8       enter  Iw,Ib       d64
c9       leave  -           d64
d6       salc   -           <c i64 undoc
d7       xlat   (BX)
0f.40+cc cmovcc Gv,Ev       cmov
0f.90+cc setcc  Eb
f5       cmc    -           <c =c
f8       clc    -           =c
f9       stc    -           =c
fc       cld    -           =d
fd       std    -           =d
c4       les    Gv,Mp       i64
c5       lds    Gv,Mp       i64
0f.b2    lss    Gv,Mp
0f.b4    lfs    Gv,Mp
0f.b5    lgs    Gv,Mp
`

const STRINGS = `
a4      movs    Yb,Xb       <d rep
a5      movs    Yv,Xv       <d rep
a6      cmps    Xb,Yb       <d =oszapc repz
a7      cmps    Xv,Yv       <d =oszapc repz
aa      stos    Yb,AL       <d rep
ab      stos    Yv,rAX      <d rep
ac      lods    AL,Xb       <d rep
ad      lods    rAX,Xv      <d rep
ae      scas    AL,Yb       <d =oszapc repz
af      scas    rAX,Yv      <d =oszapc repz
`

/** In 64-bit mode a near branch has 64 bits, or with 66 sixteen, as AMD's processors have it. */
const BRANCHES = `
70+cc    jcc    Jb          d64
0f.80+cc jcc    Jz          d64
e0       loopne Jb          <z d64
e1       loope  Jb          <z d64
e2       loop   Jb          d64
e3       jcxz   Jb          d64
e8       call   Jz          d64
e9       jmp    Jz          d64
eb       jmp    Jb          d64
ff/2     call   Ev          d64
ff/4     jmp    Ev          d64
c2       ret    Iw          d64
c3       ret    -           d64
9a       callf  Iz,Iw       i64
ea       jmpf   Iz,Iw       i64
ff/3     callf  Mp
ff/5     jmpf   Mp
ca       retf   Iw
cb       retf   -
cf       iret   -           =oszapcd
cc       int3   -
cd       int    Ib
ce       into   -           <o i64
f1       int1   -
62       bound  Gv,Ma       i64
0f.05    syscall -          syscall
0f.34    sysenter -         sep
0f.0b    ud2    -
0f.b9    ud1    Gv,Ev
0f.ff    ud0    Gv,Ev
`

export const GENERAL_ROWS = MOVES + STRINGS + BRANCHES
