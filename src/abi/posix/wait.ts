/** wait4: options, and how a status is coded (Linux: wait.h). */
import type { Rusage } from './resource.ts'

export const WNOHANG = 1
export const WUNTRACED = 2
export const WCONTINUED = 8

/** What wait4 tells; pid 0 with WNOHANG: nobody yet. */
export interface Waited {
  readonly pid: number
  readonly status: number
  readonly rusage: Rusage
}

export const exitStatus = (code: number): number => (code & 0xff) << 8
export const signalStatus = (signo: number): number => signo & 0x7f
export const stopStatus = (signo: number): number => (signo << 8) | 0x7f
export const CONTINUED_STATUS = 0xffff

export const WIFEXITED = (status: number): boolean => (status & 0x7f) === 0
export const WEXITSTATUS = (status: number): number => (status >> 8) & 0xff
export const WIFSTOPPED = (status: number): boolean => (status & 0xff) === 0x7f
export const WSTOPSIG = (status: number): number => (status >> 8) & 0xff
export const WIFCONTINUED = (status: number): boolean => status === CONTINUED_STATUS
export const WIFSIGNALED = (status: number): boolean =>
  !WIFEXITED(status) && !WIFSTOPPED(status) && !WIFCONTINUED(status)
export const WTERMSIG = (status: number): number => status & 0x7f
