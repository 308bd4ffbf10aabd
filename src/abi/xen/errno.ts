/** Errors that hypercalls return, negated (xen/include/xen/errno.h: Linux's numbers). */
export const EPERM = 1
export const ESRCH = 3
export const ENOMEM = 12
export const EFAULT = 14
export const EINVAL = 22
export const ENOSYS = 38
