/** poll (Linux: asm-generic/poll.h). */
export const POLLIN = 0x01
export const POLLPRI = 0x02
export const POLLOUT = 0x04
export const POLLERR = 0x08
export const POLLHUP = 0x10
export const POLLNVAL = 0x20
