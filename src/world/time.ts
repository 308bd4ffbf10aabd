/** What things cost in virtual time (design D5): the same everywhere, so the same run gives the same bytes. */

/** One fuel count: a loop iteration or a function entry. 24 cycles of the 2.4 GHz clock. */
export const FUEL_NS = 10
/** One instruction of machine code, or one iteration of a repeated one: 1.2 cycles. */
export const INSTRUCTION_NS = 0.5
/** A run between two looks at interrupts and other processors lasts this long at most, run-to-completion work aside. */
export const PCPU_SLICE_NS = 100_000
/** Fuel of one run. An image that needs more at a stretch has hung: it is stopped and reported. */
export const RUN_FUEL_MAX = 30_000_000
/** A guest kernel that runs this much without giving the processor back has hung, and is crashed. */
export const GUEST_FUEL_MAX = 20_000_000
/** Fuel that stays with whoever calls contained code (Xen a guest, a kernel a process), so that it can deal with one that used up its own. */
export const FUEL_KEPT = 5_000_000
/** What serves contained code has so much more than that code: the longest hypercall ends. */
export const SERVE_FUEL = 4_000_000
/** Native work, per byte handled. */
export const INFLATE_NS_PER_BYTE = 4
export const LOAD_NS_PER_BYTE = 1
/** One slice of real time is this much work at most: fuel used and code loaded, or steps taken (a few ms on a slow machine). */
export const SLICE_WORK = 100_000
export const SLICE_STEPS = 1000
/** Verifying and compiling a byte of code takes about as long as this much fuel. */
export const LOAD_WORK_PER_BYTE = 12
/** What an instruction costs in truth, as so much fuel: interpreted, in translated code, and to be translated. */
export const INTERPRETED_WORK = 4
export const TRANSLATED_WORK = 1 / 16
export const TRANSLATING_WORK = 400
/** A polling loop never runs more often than this: what it waits for has changed, or its time limit came. */
export const PAUSE_MIN_NS = 100
