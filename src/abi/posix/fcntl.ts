/** open, lseek, access and fcntl (Linux x86_64: asm-generic/fcntl.h, unistd.h). */
export const O_RDONLY = 0
export const O_WRONLY = 1
export const O_RDWR = 2
export const O_ACCMODE = 3
export const O_CREAT = 0o100
export const O_EXCL = 0o200
export const O_NOCTTY = 0o400
export const O_TRUNC = 0o1000
export const O_APPEND = 0o2000
export const O_NONBLOCK = 0o4000
export const O_SYNC = 0o10000
export const O_DIRECTORY = 0o200000
export const O_NOFOLLOW = 0o400000

export const SEEK_SET = 0
export const SEEK_CUR = 1
export const SEEK_END = 2

export const F_OK = 0
export const X_OK = 1
export const W_OK = 2
export const R_OK = 4

export const F_DUPFD = 0
export const F_GETFD = 1
export const F_SETFD = 2
export const F_GETFL = 3
export const F_SETFL = 4
export const FD_CLOEXEC = 1

export const LOCK_SH = 1
export const LOCK_EX = 2
export const LOCK_NB = 4
export const LOCK_UN = 8

export const PATH_MAX = 4096
export const NAME_MAX = 255
export const PIPE_BUF = 4096
