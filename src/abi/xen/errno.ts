/** Errors that hypercalls return, negated (xen/include/xen/errno.h: Linux's numbers). */
export const EPERM = 1
export const ENOENT = 2
export const ESRCH = 3
export const EIO = 5
export const E2BIG = 7
export const EAGAIN = 11
export const ENOMEM = 12
export const EACCES = 13
export const EFAULT = 14
export const EBUSY = 16
export const EEXIST = 17
export const ENODEV = 19
export const EINVAL = 22
export const ENOSPC = 28
export const ENOSYS = 38
export const ENODATA = 61
export const ETIME = 62
