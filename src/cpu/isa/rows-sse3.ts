/**
 * SSE3 and SSSE3 (Intel SDM volume 1, chapter 12): sums and differences of neighbours, shuffles by bytes, absolute values. MONITOR and MWAIT, which came with SSE3, are no instructions
 * at CPL 3.
 */

const SSE3 = `
f2.0f.12     movddup    Vpd,Wq          sse3
f3.0f.12     movsldup   Vps,Wps         sse3
f3.0f.16     movshdup   Vps,Wps         sse3
66.0f.7c     haddpd     Vpd,Wpd         sse3
f2.0f.7c     haddps     Vps,Wps         sse3
66.0f.7d     hsubpd     Vpd,Wpd         sse3
f2.0f.7d     hsubps     Vps,Wps         sse3
66.0f.d0     addsubpd   Vpd,Wpd         sse3
f2.0f.d0     addsubps   Vps,Wps         sse3
f2.0f.f0     lddqu      Vdq,Mdq         sse3
db/1         fisttp     Md              fpu sse3
dd/1         fisttp     Mq              fpu sse3
df/1         fisttp     Mw              fpu sse3
`

const MMX_SSSE3 = `
np.0f.38.00  pshufb     Pq,Qq           mmx ssse3
np.0f.38.01  phaddw     Pq,Qq           mmx ssse3
np.0f.38.02  phaddd     Pq,Qq           mmx ssse3
np.0f.38.03  phaddsw    Pq,Qq           mmx ssse3
np.0f.38.04  pmaddubsw  Pq,Qq           mmx ssse3
np.0f.38.05  phsubw     Pq,Qq           mmx ssse3
np.0f.38.06  phsubd     Pq,Qq           mmx ssse3
np.0f.38.07  phsubsw    Pq,Qq           mmx ssse3
np.0f.38.08  psignb     Pq,Qq           mmx ssse3
np.0f.38.09  psignw     Pq,Qq           mmx ssse3
np.0f.38.0a  psignd     Pq,Qq           mmx ssse3
np.0f.38.0b  pmulhrsw   Pq,Qq           mmx ssse3
np.0f.38.1c  pabsb      Pq,Qq           mmx ssse3
np.0f.38.1d  pabsw      Pq,Qq           mmx ssse3
np.0f.38.1e  pabsd      Pq,Qq           mmx ssse3
np.0f.3a.0f  palignr    Pq,Qq,Ib        mmx ssse3
`

const XMM_SSSE3 = `
66.0f.38.00  pshufb     Vdq,Wdq         ssse3
66.0f.38.01  phaddw     Vdq,Wdq         ssse3
66.0f.38.02  phaddd     Vdq,Wdq         ssse3
66.0f.38.03  phaddsw    Vdq,Wdq         ssse3
66.0f.38.04  pmaddubsw  Vdq,Wdq         ssse3
66.0f.38.05  phsubw     Vdq,Wdq         ssse3
66.0f.38.06  phsubd     Vdq,Wdq         ssse3
66.0f.38.07  phsubsw    Vdq,Wdq         ssse3
66.0f.38.08  psignb     Vdq,Wdq         ssse3
66.0f.38.09  psignw     Vdq,Wdq         ssse3
66.0f.38.0a  psignd     Vdq,Wdq         ssse3
66.0f.38.0b  pmulhrsw   Vdq,Wdq         ssse3
66.0f.38.1c  pabsb      Vdq,Wdq         ssse3
66.0f.38.1d  pabsw      Vdq,Wdq         ssse3
66.0f.38.1e  pabsd      Vdq,Wdq         ssse3
66.0f.3a.0f  palignr    Vdq,Wdq,Ib      ssse3
`

export const SSE3_ROWS = SSE3 + MMX_SSSE3 + XMM_SSSE3
