/** What stat, statfs and getdents tell (Linux: stat.h, statfs.h, dirent.h). */
export const S_IFMT = 0o170000
export const S_IFSOCK = 0o140000
export const S_IFLNK = 0o120000
export const S_IFREG = 0o100000
export const S_IFBLK = 0o060000
export const S_IFDIR = 0o040000
export const S_IFCHR = 0o020000
export const S_IFIFO = 0o010000
export const S_ISUID = 0o4000
export const S_ISGID = 0o2000
export const S_ISVTX = 0o1000

export interface Stat {
  readonly dev: number
  readonly ino: number
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly rdev: number
  readonly size: number
  readonly blksize: number
  /** Of 512 bytes. */
  readonly blocks: number
  /** Seconds since 1970. */
  readonly atime: number
  readonly mtime: number
  readonly ctime: number
}

export interface StatFs {
  /** EXT2_SUPER_MAGIC and its like. */
  readonly type: number
  readonly bsize: number
  readonly blocks: number
  readonly bfree: number
  readonly bavail: number
  readonly files: number
  readonly ffree: number
  readonly namelen: number
}

/** dirent.d_type. */
export const DT_UNKNOWN = 0
export const DT_FIFO = 1
export const DT_CHR = 2
export const DT_DIR = 4
export const DT_BLK = 6
export const DT_REG = 8
export const DT_LNK = 10
export const DT_SOCK = 12

export interface Dirent {
  readonly ino: number
  readonly type: number
  /** A byte string. */
  readonly name: string
}

/** dev_t: 12 bits of major and 20 of minor, as Linux 2.6 encodes them for user space. */
export const makedev = (major: number, minor: number): number => (minor & 0xff) | (major << 8) | ((minor >> 8) << 20)
export const major = (dev: number): number => (dev >> 8) & 0xfff
export const minor = (dev: number): number => (dev & 0xff) | ((dev >> 12) & 0xfff00)
