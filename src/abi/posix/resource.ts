/** Limits and use of resources (Linux: resource.h). */
export const RLIMIT_CPU = 0
export const RLIMIT_FSIZE = 1
export const RLIMIT_DATA = 2
export const RLIMIT_STACK = 3
export const RLIMIT_CORE = 4
export const RLIMIT_RSS = 5
export const RLIMIT_NPROC = 6
export const RLIMIT_NOFILE = 7
export const RLIMIT_MEMLOCK = 8
export const RLIMIT_AS = 9
export const RLIM_NLIMITS = 16
export const RLIM_INFINITY = Number.POSITIVE_INFINITY

export const RUSAGE_SELF = 0
export const RUSAGE_CHILDREN = -1

/** CPU times in ns. */
export interface Rusage {
  readonly utimeNs: number
  readonly stimeNs: number
  readonly maxrssKb: number
}
