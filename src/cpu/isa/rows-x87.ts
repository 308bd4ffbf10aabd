/**
 * x87: escape opcodes D8 to DF, and FWAIT. Mnemonics are the manuals'; AT&T's assembler has FSUB and FSUBR, FDIV and FDIVR the other way round where ST(i) is the destination.
 * AMD APM volume 5; Intel SDM volume 2, appendix A, tables A-7 to A-22.
 */

const MEMORY = `
d8/0    fadd    Mss     fpu
d8/1    fmul    Mss     fpu
d8/2    fcom    Mss     fpu
d8/3    fcomp   Mss     fpu
d8/4    fsub    Mss     fpu
d8/5    fsubr   Mss     fpu
d8/6    fdiv    Mss     fpu
d8/7    fdivr   Mss     fpu
d9/0    fld     Mss     fpu
d9/2    fst     Mss     fpu
d9/3    fstp    Mss     fpu
d9/4    fldenv  Me      fpu
d9/5    fldcw   Mw      fpu
d9/6    fnstenv Me      fpu
d9/7    fnstcw  Mw      fpu
da/0    fiadd   Md      fpu
da/1    fimul   Md      fpu
da/2    ficom   Md      fpu
da/3    ficomp  Md      fpu
da/4    fisub   Md      fpu
da/5    fisubr  Md      fpu
da/6    fidiv   Md      fpu
da/7    fidivr  Md      fpu
db/0    fild    Md      fpu
db/2    fist    Md      fpu
db/3    fistp   Md      fpu
db/5    fld     Mt      fpu
db/7    fstp    Mt      fpu
dc/0    fadd    Msd     fpu
dc/1    fmul    Msd     fpu
dc/2    fcom    Msd     fpu
dc/3    fcomp   Msd     fpu
dc/4    fsub    Msd     fpu
dc/5    fsubr   Msd     fpu
dc/6    fdiv    Msd     fpu
dc/7    fdivr   Msd     fpu
dd/0    fld     Msd     fpu
dd/2    fst     Msd     fpu
dd/3    fstp    Msd     fpu
dd/4    frstor  Mf      fpu
dd/6    fnsave  Mf      fpu
dd/7    fnstsw  Mw      fpu
de/0    fiadd   Mw      fpu
de/1    fimul   Mw      fpu
de/2    ficom   Mw      fpu
de/3    ficomp  Mw      fpu
de/4    fisub   Mw      fpu
de/5    fisubr  Mw      fpu
de/6    fidiv   Mw      fpu
de/7    fidivr  Mw      fpu
df/0    fild    Mw      fpu
df/2    fist    Mw      fpu
df/3    fistp   Mw      fpu
df/4    fbld    Mt      fpu
df/5    fild    Mq      fpu
df/6    fbstp   Mt      fpu
df/7    fistp   Mq      fpu
`

const REGISTERS = `
d8/0    fadd    ST,STi  fpu
d8/1    fmul    ST,STi  fpu
d8/2    fcom    STi     fpu
d8/3    fcomp   STi     fpu
d8/4    fsub    ST,STi  fpu
d8/5    fsubr   ST,STi  fpu
d8/6    fdiv    ST,STi  fpu
d8/7    fdivr   ST,STi  fpu
d9/0    fld     STi     fpu
d9/1    fxch    STi     fpu
da/0    fcmovb  ST,STi  <c fpu cmov
da/1    fcmove  ST,STi  <z fpu cmov
da/2    fcmovbe ST,STi  <zc fpu cmov
da/3    fcmovu  ST,STi  <p fpu cmov
db/0    fcmovnb ST,STi  <c fpu cmov
db/1    fcmovne ST,STi  <z fpu cmov
db/2    fcmovnbe ST,STi <zc fpu cmov
db/3    fcmovnu ST,STi  <p fpu cmov
db/5    fucomi  ST,STi  =oszapc fpu cmov
db/6    fcomi   ST,STi  =oszapc fpu cmov
dc/0    fadd    STi,ST  fpu
dc/1    fmul    STi,ST  fpu
dc/4    fsubr   STi,ST  fpu name:fsub
dc/5    fsub    STi,ST  fpu name:fsubr
dc/6    fdivr   STi,ST  fpu name:fdiv
dc/7    fdiv    STi,ST  fpu name:fdivr
dd/0    ffree   STi     fpu
dd/2    fst     STi     fpu
dd/3    fstp    STi     fpu
dd/4    fucom   STi     fpu
dd/5    fucomp  STi     fpu
de/0    faddp   STi,ST  fpu
de/1    fmulp   STi,ST  fpu
de/4    fsubrp  STi,ST  fpu name:fsubp
de/5    fsubp   STi,ST  fpu name:fsubrp
de/6    fdivrp  STi,ST  fpu name:fdivp
de/7    fdivp   STi,ST  fpu name:fdivrp
df/0    ffreep  STi     fpu
df/5    fucomip ST,STi  =oszapc fpu cmov
df/6    fcomip  ST,STi  =oszapc fpu cmov
`

const BARE = `
9b      fwait   -       fpu
d9.d0   fnop    -       fpu
d9.e0   fchs    -       fpu
d9.e1   fabs    -       fpu
d9.e4   ftst    -       fpu
d9.e5   fxam    -       fpu
d9.e8   fld1    -       fpu
d9.e9   fldl2t  -       fpu
d9.ea   fldl2e  -       fpu
d9.eb   fldpi   -       fpu
d9.ec   fldlg2  -       fpu
d9.ed   fldln2  -       fpu
d9.ee   fldz    -       fpu
d9.f0   f2xm1   -       fpu
d9.f1   fyl2x   -       fpu
d9.f2   fptan   -       fpu
d9.f3   fpatan  -       fpu
d9.f4   fxtract -       fpu
d9.f5   fprem1  -       fpu
d9.f6   fdecstp -       fpu
d9.f7   fincstp -       fpu
d9.f8   fprem   -       fpu
d9.f9   fyl2xp1 -       fpu
d9.fa   fsqrt   -       fpu
d9.fb   fsincos -       fpu
d9.fc   frndint -       fpu
d9.fd   fscale  -       fpu
d9.fe   fsin    -       fpu
d9.ff   fcos    -       fpu
da.e9   fucompp -       fpu
db.e2   fnclex  -       fpu
db.e3   fninit  -       fpu
de.d9   fcompp  -       fpu
df.e0   fnstsw  AX      fpu
`

/** What processors have done since the 8087, though no manual says so: other opcodes of the same, and its successors' mode switches, which do nothing. */
const UNDOCUMENTED = `
d9/3    fstp1   STi     fpu undoc name:fstp
dc/2    fcom    STi     fpu undoc
dc/3    fcomp   STi     fpu undoc
dd/1    fxch    STi     fpu undoc
de/2    fcomp   STi     fpu undoc
df/1    fxch    STi     fpu undoc
df/2    fstp    STi     fpu undoc
df/3    fstp    STi     fpu undoc
db.e0   fneni   -       fpu undoc name:fnop
db.e1   fndisi  -       fpu undoc name:fnop
db.e4   fnsetpm -       fpu undoc name:fnop
`

export const X87_ROWS = MEMORY + REGISTERS + BARE + UNDOCUMENTED
