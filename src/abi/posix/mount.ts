/** mount and umount2 (Linux: fs.h). */
export const MS_RDONLY = 1
export const MS_NOSUID = 2
export const MS_NODEV = 4
export const MS_NOEXEC = 8
export const MS_SYNCHRONOUS = 16
export const MS_REMOUNT = 32
export const MS_NOATIME = 1024
export const MS_BIND = 4096

export const MNT_FORCE = 1
export const MNT_DETACH = 2

export const EXT2_SUPER_MAGIC = 0xef53
export const TMPFS_MAGIC = 0x01021994
export const RAMFS_MAGIC = 0x858458f6
export const PROC_SUPER_MAGIC = 0x9fa0
export const SYSFS_MAGIC = 0x62656572
export const DEVPTS_SUPER_MAGIC = 0x1cd1
