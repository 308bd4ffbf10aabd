/**
 * What a frame of 4 KiB of the physical address space is. RAM comes first, so that the fast paths are one comparison: up to CODE it is read as it
 * lies there, up to HELD it may be written to.
 */

export const PAGE_BYTES = 4096

export const RAM = 0
/** The same, and a processor may reach the bytes themselves: they are always what the frame holds. */
export const HELD = 1
/** The same, and code was translated from it: who keeps that is told of writes. */
export const CODE = 2
/** Reads as zero and is zero. */
export const CLEAN = 3
/** Reads as zero, but the bytes below are of an earlier life. */
export const STALE = 4
export const ROM = 5
export const DEVICE = 6
export const HOLE = 7
