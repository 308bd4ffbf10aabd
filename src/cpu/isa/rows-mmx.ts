/**
 * Packed integers, in MMX registers and, with SSE2, in XMM registers. AMD APM volumes 4 and 5.
 */

/** Of 8 bytes. What has an `sse` or `sse2` came with it. */
const MMX = `
np.0f.60     punpcklbw  Pq,Qd           mmx
np.0f.61     punpcklwd  Pq,Qd           mmx
np.0f.62     punpckldq  Pq,Qd           mmx
np.0f.63     packsswb   Pq,Qq           mmx
np.0f.64     pcmpgtb    Pq,Qq           mmx
np.0f.65     pcmpgtw    Pq,Qq           mmx
np.0f.66     pcmpgtd    Pq,Qq           mmx
np.0f.67     packuswb   Pq,Qq           mmx
np.0f.68     punpckhbw  Pq,Qq           mmx
np.0f.69     punpckhwd  Pq,Qq           mmx
np.0f.6a     punpckhdq  Pq,Qq           mmx
np.0f.6b     packssdw   Pq,Qq           mmx
np.0f.74     pcmpeqb    Pq,Qq           mmx
np.0f.75     pcmpeqw    Pq,Qq           mmx
np.0f.76     pcmpeqd    Pq,Qq           mmx
np.0f.d1     psrlw      Pq,Qq           mmx
np.0f.d2     psrld      Pq,Qq           mmx
np.0f.d3     psrlq      Pq,Qq           mmx
np.0f.d4     paddq      Pq,Qq           mmx sse2
np.0f.d5     pmullw     Pq,Qq           mmx
np.0f.d8     psubusb    Pq,Qq           mmx
np.0f.d9     psubusw    Pq,Qq           mmx
np.0f.da     pminub     Pq,Qq           mmx sse
np.0f.db     pand       Pq,Qq           mmx
np.0f.dc     paddusb    Pq,Qq           mmx
np.0f.dd     paddusw    Pq,Qq           mmx
np.0f.de     pmaxub     Pq,Qq           mmx sse
np.0f.df     pandn      Pq,Qq           mmx
np.0f.e0     pavgb      Pq,Qq           mmx sse
np.0f.e1     psraw      Pq,Qq           mmx
np.0f.e2     psrad      Pq,Qq           mmx
np.0f.e3     pavgw      Pq,Qq           mmx sse
np.0f.e4     pmulhuw    Pq,Qq           mmx sse
np.0f.e5     pmulhw     Pq,Qq           mmx
np.0f.e8     psubsb     Pq,Qq           mmx
np.0f.e9     psubsw     Pq,Qq           mmx
np.0f.ea     pminsw     Pq,Qq           mmx sse
np.0f.eb     por        Pq,Qq           mmx
np.0f.ec     paddsb     Pq,Qq           mmx
np.0f.ed     paddsw     Pq,Qq           mmx
np.0f.ee     pmaxsw     Pq,Qq           mmx sse
np.0f.ef     pxor       Pq,Qq           mmx
np.0f.f1     psllw      Pq,Qq           mmx
np.0f.f2     pslld      Pq,Qq           mmx
np.0f.f3     psllq      Pq,Qq           mmx
np.0f.f4     pmuludq    Pq,Qq           mmx sse2
np.0f.f5     pmaddwd    Pq,Qq           mmx
np.0f.f6     psadbw     Pq,Qq           mmx sse
np.0f.f8     psubb      Pq,Qq           mmx
np.0f.f9     psubw      Pq,Qq           mmx
np.0f.fa     psubd      Pq,Qq           mmx
np.0f.fb     psubq      Pq,Qq           mmx sse2
np.0f.fc     paddb      Pq,Qq           mmx
np.0f.fd     paddw      Pq,Qq           mmx
np.0f.fe     paddd      Pq,Qq           mmx
np.0f.71/2   psrlw      Nq,Ib           mmx
np.0f.71/4   psraw      Nq,Ib           mmx
np.0f.71/6   psllw      Nq,Ib           mmx
np.0f.72/2   psrld      Nq,Ib           mmx
np.0f.72/4   psrad      Nq,Ib           mmx
np.0f.72/6   pslld      Nq,Ib           mmx
np.0f.73/2   psrlq      Nq,Ib           mmx
np.0f.73/6   psllq      Nq,Ib           mmx
`

const MMX_MOVES = `
np.0f.6e     movd       Pq,Ed           mmx w0
np.0f.6e     movq       Pq,Eq           mmx w1
np.0f.7e     movd       Ed,Pq           mmx w0
np.0f.7e     movq       Eq,Pq           mmx w1
np.0f.6f     movq       Pq,Qq           mmx
np.0f.7f     movq       Qq,Pq           mmx
np.0f.e7     movntq     Mq,Pq           mmx sse
np.0f.f7     maskmovq   Pq,Nq,(DI)      mmx sse
np.0f.70     pshufw     Pq,Qq,Ib        mmx sse
np.0f.c4     pinsrw     Pq,Rd,Ib        mmx sse
np.0f.c4     pinsrw     Pq,Mw,Ib        mmx sse
np.0f.c5     pextrw     Gd,Nq,Ib        mmx sse
np.0f.d7     pmovmskb   Gd,Nq           mmx sse
f3.0f.d6     movq2dq    Vdq,Nq          mmx sse2
f2.0f.d6     movdq2q    Pq,Uq           mmx sse2
np.0f.77     emms       -               mmx
`

/** Of 16 bytes. */
const XMM = `
66.0f.60     punpcklbw  Vdq,Wdq         sse2
66.0f.61     punpcklwd  Vdq,Wdq         sse2
66.0f.62     punpckldq  Vdq,Wdq         sse2
66.0f.63     packsswb   Vdq,Wdq         sse2
66.0f.64     pcmpgtb    Vdq,Wdq         sse2
66.0f.65     pcmpgtw    Vdq,Wdq         sse2
66.0f.66     pcmpgtd    Vdq,Wdq         sse2
66.0f.67     packuswb   Vdq,Wdq         sse2
66.0f.68     punpckhbw  Vdq,Wdq         sse2
66.0f.69     punpckhwd  Vdq,Wdq         sse2
66.0f.6a     punpckhdq  Vdq,Wdq         sse2
66.0f.6b     packssdw   Vdq,Wdq         sse2
66.0f.6c     punpcklqdq Vdq,Wdq         sse2
66.0f.6d     punpckhqdq Vdq,Wdq         sse2
66.0f.74     pcmpeqb    Vdq,Wdq         sse2
66.0f.75     pcmpeqw    Vdq,Wdq         sse2
66.0f.76     pcmpeqd    Vdq,Wdq         sse2
66.0f.d1     psrlw      Vdq,Wdq         sse2
66.0f.d2     psrld      Vdq,Wdq         sse2
66.0f.d3     psrlq      Vdq,Wdq         sse2
66.0f.d4     paddq      Vdq,Wdq         sse2
66.0f.d5     pmullw     Vdq,Wdq         sse2
66.0f.d8     psubusb    Vdq,Wdq         sse2
66.0f.d9     psubusw    Vdq,Wdq         sse2
66.0f.da     pminub     Vdq,Wdq         sse2
66.0f.db     pand       Vdq,Wdq         sse2
66.0f.dc     paddusb    Vdq,Wdq         sse2
66.0f.dd     paddusw    Vdq,Wdq         sse2
66.0f.de     pmaxub     Vdq,Wdq         sse2
66.0f.df     pandn      Vdq,Wdq         sse2
66.0f.e0     pavgb      Vdq,Wdq         sse2
66.0f.e1     psraw      Vdq,Wdq         sse2
66.0f.e2     psrad      Vdq,Wdq         sse2
66.0f.e3     pavgw      Vdq,Wdq         sse2
66.0f.e4     pmulhuw    Vdq,Wdq         sse2
66.0f.e5     pmulhw     Vdq,Wdq         sse2
66.0f.e8     psubsb     Vdq,Wdq         sse2
66.0f.e9     psubsw     Vdq,Wdq         sse2
66.0f.ea     pminsw     Vdq,Wdq         sse2
66.0f.eb     por        Vdq,Wdq         sse2
66.0f.ec     paddsb     Vdq,Wdq         sse2
66.0f.ed     paddsw     Vdq,Wdq         sse2
66.0f.ee     pmaxsw     Vdq,Wdq         sse2
66.0f.ef     pxor       Vdq,Wdq         sse2
66.0f.f1     psllw      Vdq,Wdq         sse2
66.0f.f2     pslld      Vdq,Wdq         sse2
66.0f.f3     psllq      Vdq,Wdq         sse2
66.0f.f4     pmuludq    Vdq,Wdq         sse2
66.0f.f5     pmaddwd    Vdq,Wdq         sse2
66.0f.f6     psadbw     Vdq,Wdq         sse2
66.0f.f8     psubb      Vdq,Wdq         sse2
66.0f.f9     psubw      Vdq,Wdq         sse2
66.0f.fa     psubd      Vdq,Wdq         sse2
66.0f.fb     psubq      Vdq,Wdq         sse2
66.0f.fc     paddb      Vdq,Wdq         sse2
66.0f.fd     paddw      Vdq,Wdq         sse2
66.0f.fe     paddd      Vdq,Wdq         sse2
66.0f.71/2   psrlw      Udq,Ib          sse2
66.0f.71/4   psraw      Udq,Ib          sse2
66.0f.71/6   psllw      Udq,Ib          sse2
66.0f.72/2   psrld      Udq,Ib          sse2
66.0f.72/4   psrad      Udq,Ib          sse2
66.0f.72/6   pslld      Udq,Ib          sse2
66.0f.73/2   psrlq      Udq,Ib          sse2
66.0f.73/6   psllq      Udq,Ib          sse2
66.0f.73/3   psrldq     Udq,Ib          sse2
66.0f.73/7   pslldq     Udq,Ib          sse2
`

const XMM_MOVES = `
66.0f.6e     movd       Vdq,Ed          sse2 w0
66.0f.6e     movq       Vdq,Eq          sse2 w1
66.0f.7e     movd       Ed,Vdq          sse2 w0
66.0f.7e     movq       Eq,Vdq          sse2 w1
f3.0f.7e     movq       Vq,Wq           sse2
66.0f.d6     movq       Wq,Vq           sse2
66.0f.6f     movdqa     Vdq,Wdq         sse2
66.0f.7f     movdqa     Wdq,Vdq         sse2
f3.0f.6f     movdqu     Vdq,Wdq         sse2
f3.0f.7f     movdqu     Wdq,Vdq         sse2
66.0f.e7     movntdq    Mdq,Vdq         sse2
66.0f.f7     maskmovdqu Vdq,Udq,(DI)    sse2
66.0f.70     pshufd     Vdq,Wdq,Ib      sse2
f3.0f.70     pshufhw    Vdq,Wdq,Ib      sse2
f2.0f.70     pshuflw    Vdq,Wdq,Ib      sse2
66.0f.c4     pinsrw     Vdq,Rd,Ib       sse2
66.0f.c4     pinsrw     Vdq,Mw,Ib       sse2
66.0f.c5     pextrw     Gd,Udq,Ib       sse2
66.0f.d7     pmovmskb   Gd,Udq          sse2
`

export const MMX_ROWS = MMX + MMX_MOVES + XMM + XMM_MOVES
