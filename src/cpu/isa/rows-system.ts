/**
 * What looks at or changes the system: privileged instructions (`priv`: a PV guest's are emulated by the hypervisor, or are #GP), CPUID and the like, and instructions that do
 * nothing but hint. AMD APM volume 3, chapter 4 and appendix A; volume 2, section 6.
 */

const PRIVILEGED = `
e4         in      AL,Ib      priv
e5         in      eAX,Ib     priv
e6         out     Ib,AL      priv
e7         out     Ib,eAX     priv
ec         in      AL,DX      priv
ed         in      eAX,DX     priv
ee         out     DX,AL      priv
ef         out     DX,eAX     priv
6c         ins     Yb,DX      <d priv rep
6d         ins     Yz,DX      <d priv rep
6e         outs    DX,Xb      <d priv rep
6f         outs    DX,Xz      <d priv rep
f4         hlt     -          priv
fa         cli     -          priv
fb         sti     -          priv
0f.00/2    lldt    Ew         priv
0f.00/3    ltr     Ew         priv
0f.01/2    lgdt    Ms         priv
0f.01/3    lidt    Ms         priv
0f.01/6    lmsw    Ew         priv
0f.01/7    invlpg  M          priv
0f.01.f8   swapgs  -          priv o64
0f.06      clts    -          priv
0f.07      sysret  -          priv
0f.08      invd    -          priv
0f.09      wbinvd  -          priv
0f.20      mov     Rn,Cn      priv anymod ?oszapc
0f.21      mov     Rn,Dn      priv anymod ?oszapc
0f.22      mov     Cn,Rn      priv anymod ?oszapc
0f.23      mov     Dn,Rn      priv anymod ?oszapc
0f.30      wrmsr   -          priv
0f.35      sysexit -          priv
0f.32      rdmsr   -          priv
0f.33      rdpmc   -          priv
`

const UNPRIVILEGED = `
0f.00/0    sldt    Rv
0f.00/0    sldt    Mw
0f.00/1    str     Rv
0f.00/1    str     Mw
0f.00/4    verr    Ew         =z
0f.00/5    verw    Ew         =z
0f.01/0    sgdt    Ms
0f.01/1    sidt    Ms
0f.01/4    smsw    Rv
0f.01/4    smsw    Mw
0f.01.f9   rdtscp  -          rdtscp
0f.02      lar     Gv,Rv      =z
0f.02      lar     Gv,Mw      =z
0f.03      lsl     Gv,Rv      =z
0f.03      lsl     Gv,Mw      =z
63         arpl    Ew,Gw      =z i64
0f.31      rdtsc   -          tsc
0f.a2      cpuid   -
np.0f.ae/7 clflush Mb         clfsh
np.0f.ae/5r lfence  -         sse2
np.0f.ae/6r mfence  -         sse2
np.0f.ae/7r sfence  -         sse
`

/** The NOPs with a ModRM byte, 0F 18 to 0F 1F, are also what processors without a feature make of its hints. */
const HINTS = `
0f.0d/0     prefetch    Mb    prefetchw
0f.0d/1     prefetchw   Mb    prefetchw
0f.0d/2     prefetch    Mb    prefetchw name:prefetchwt1
0f.0d/3     prefetch    Mb    prefetchw
0f.0d/4     prefetch    Mb    prefetchw
0f.0d/5     prefetch    Mb    prefetchw
0f.0d/6     prefetch    Mb    prefetchw
0f.0d/7     prefetch    Mb    prefetchw
0f.18/0     prefetchnta Mb    sse
0f.18/1     prefetcht0  Mb    sse
0f.18/2     prefetcht1  Mb    sse
0f.18/3     prefetcht2  Mb    sse
0f.18/0     nop         Rv
0f.18/1     nop         Rv
0f.18/2     nop         Rv
0f.18/3     nop         Rv
0f.18/4     nop         Ev
0f.18/5     nop         Ev
0f.18/6     nop         Ev
0f.18/7     nop         Ev
0f.19       nop         Ev
0f.1a       nop         Ev
0f.1b       nop         Ev
0f.1c       nop         Ev
0f.1d       nop         Ev
0f.1e       nop         Ev
0f.1f       nop         Ev
f3.0f.1e/1  nop         Ry    name:rdssp
f3.0f.1e.fa nop         -     name:endbr64
f3.0f.1e.fb nop         -     name:endbr32
`

export const SYSTEM_ROWS = PRIVILEGED + UNPRIVILEGED + HINTS
