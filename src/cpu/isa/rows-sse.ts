/**
 * SSE and SSE2's floating point, conversions and moves, and the state of it all: FXSAVE. The packed integers are in rows-mmx.ts. AMD APM volume 4.
 */

const MOVES = `
np.0f.10     movups     Vps,Wps         sse
np.0f.11     movups     Wps,Vps         sse
66.0f.10     movupd     Vpd,Wpd         sse2
66.0f.11     movupd     Wpd,Vpd         sse2
f3.0f.10     movss      Vss,Wss         sse
f3.0f.11     movss      Wss,Vss         sse
f2.0f.10     movsd      Vsd,Wsd         sse2
f2.0f.11     movsd      Wsd,Vsd         sse2
np.0f.12     movlps     Vq,Mq           sse
np.0f.12     movhlps    Vq,Uq           sse
np.0f.13     movlps     Mq,Vq           sse
66.0f.12     movlpd     Vq,Mq           sse2
66.0f.13     movlpd     Mq,Vq           sse2
np.0f.16     movhps     Vq,Mq           sse
np.0f.16     movlhps    Vq,Uq           sse
np.0f.17     movhps     Mq,Vq           sse
66.0f.16     movhpd     Vq,Mq           sse2
66.0f.17     movhpd     Mq,Vq           sse2
np.0f.28     movaps     Vps,Wps         sse
np.0f.29     movaps     Wps,Vps         sse
66.0f.28     movapd     Vpd,Wpd         sse2
66.0f.29     movapd     Wpd,Vpd         sse2
np.0f.2b     movntps    Mps,Vps         sse
66.0f.2b     movntpd    Mpd,Vpd         sse2
np.0f.50     movmskps   Gd,Ups          sse
66.0f.50     movmskpd   Gd,Upd          sse2
`

const ARITHMETIC = `
np.0f.51     sqrtps     Vps,Wps         sse
66.0f.51     sqrtpd     Vpd,Wpd         sse2
f3.0f.51     sqrtss     Vss,Wss         sse
f2.0f.51     sqrtsd     Vsd,Wsd         sse2
np.0f.52     rsqrtps    Vps,Wps         sse
f3.0f.52     rsqrtss    Vss,Wss         sse
np.0f.53     rcpps      Vps,Wps         sse
f3.0f.53     rcpss      Vss,Wss         sse
np.0f.54     andps      Vps,Wps         sse
66.0f.54     andpd      Vpd,Wpd         sse2
np.0f.55     andnps     Vps,Wps         sse
66.0f.55     andnpd     Vpd,Wpd         sse2
np.0f.56     orps       Vps,Wps         sse
66.0f.56     orpd       Vpd,Wpd         sse2
np.0f.57     xorps      Vps,Wps         sse
66.0f.57     xorpd      Vpd,Wpd         sse2
np.0f.58     addps      Vps,Wps         sse
66.0f.58     addpd      Vpd,Wpd         sse2
f3.0f.58     addss      Vss,Wss         sse
f2.0f.58     addsd      Vsd,Wsd         sse2
np.0f.59     mulps      Vps,Wps         sse
66.0f.59     mulpd      Vpd,Wpd         sse2
f3.0f.59     mulss      Vss,Wss         sse
f2.0f.59     mulsd      Vsd,Wsd         sse2
np.0f.5c     subps      Vps,Wps         sse
66.0f.5c     subpd      Vpd,Wpd         sse2
f3.0f.5c     subss      Vss,Wss         sse
f2.0f.5c     subsd      Vsd,Wsd         sse2
np.0f.5d     minps      Vps,Wps         sse
66.0f.5d     minpd      Vpd,Wpd         sse2
f3.0f.5d     minss      Vss,Wss         sse
f2.0f.5d     minsd      Vsd,Wsd         sse2
np.0f.5e     divps      Vps,Wps         sse
66.0f.5e     divpd      Vpd,Wpd         sse2
f3.0f.5e     divss      Vss,Wss         sse
f2.0f.5e     divsd      Vsd,Wsd         sse2
np.0f.5f     maxps      Vps,Wps         sse
66.0f.5f     maxpd      Vpd,Wpd         sse2
f3.0f.5f     maxss      Vss,Wss         sse
f2.0f.5f     maxsd      Vsd,Wsd         sse2
np.0f.c2     cmpps      Vps,Wps,Ib      sse
66.0f.c2     cmppd      Vpd,Wpd,Ib      sse2
f3.0f.c2     cmpss      Vss,Wss,Ib      sse
f2.0f.c2     cmpsd      Vsd,Wsd,Ib      sse2
np.0f.c6     shufps     Vps,Wps,Ib      sse
66.0f.c6     shufpd     Vpd,Wpd,Ib      sse2
np.0f.14     unpcklps   Vps,Wps         sse
66.0f.14     unpcklpd   Vpd,Wpd         sse2
np.0f.15     unpckhps   Vps,Wps         sse
66.0f.15     unpckhpd   Vpd,Wpd         sse2
np.0f.2e     ucomiss    Vss,Wss         =oszapc sse
66.0f.2e     ucomisd    Vsd,Wsd         =oszapc sse2
np.0f.2f     comiss     Vss,Wss         =oszapc sse
66.0f.2f     comisd     Vsd,Wsd         =oszapc sse2
`

const CONVERSIONS = `
np.0f.2a     cvtpi2ps   Vps,Qq          mmx sse
66.0f.2a     cvtpi2pd   Vpd,Qq          mmx sse2
f3.0f.2a     cvtsi2ss   Vss,Ey          sse
f2.0f.2a     cvtsi2sd   Vsd,Ey          sse2
np.0f.2c     cvttps2pi  Pq,Wq           mmx sse
66.0f.2c     cvttpd2pi  Pq,Wpd          mmx sse2
f3.0f.2c     cvttss2si  Gy,Wss          sse
f2.0f.2c     cvttsd2si  Gy,Wsd          sse2
np.0f.2d     cvtps2pi   Pq,Wq           mmx sse
66.0f.2d     cvtpd2pi   Pq,Wpd          mmx sse2
f3.0f.2d     cvtss2si   Gy,Wss          sse
f2.0f.2d     cvtsd2si   Gy,Wsd          sse2
np.0f.5a     cvtps2pd   Vpd,Wq          sse2
66.0f.5a     cvtpd2ps   Vps,Wpd         sse2
f3.0f.5a     cvtss2sd   Vsd,Wss         sse2
f2.0f.5a     cvtsd2ss   Vss,Wsd         sse2
np.0f.5b     cvtdq2ps   Vps,Wdq         sse2
66.0f.5b     cvtps2dq   Vdq,Wps         sse2
f3.0f.5b     cvttps2dq  Vdq,Wps         sse2
66.0f.e6     cvttpd2dq  Vq,Wpd          sse2
f3.0f.e6     cvtdq2pd   Vpd,Wq          sse2
f2.0f.e6     cvtpd2dq   Vq,Wpd          sse2
`

const STATE = `
np.0f.ae/0   fxsave     Mx              fxsr
np.0f.ae/1   fxrstor    Mx              fxsr
np.0f.ae/2   ldmxcsr    Md              sse
np.0f.ae/3   stmxcsr    Md              sse
`

export const SSE_ROWS = MOVES + ARITHMETIC + CONVERSIONS + STATE
