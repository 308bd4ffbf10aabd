/** gnulib's file_type(): what a file is, in words. */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, type Stat } from '#abi/posix/stat.ts'

const WORDS: Readonly<Record<number, string>> = {
  [S_IFDIR]: 'directory',
  [S_IFBLK]: 'block special file',
  [S_IFCHR]: 'character special file',
  [S_IFIFO]: 'fifo',
  [S_IFLNK]: 'symbolic link',
  [S_IFSOCK]: 'socket',
}

export function fileType({ mode, size }: Pick<Stat, 'mode' | 'size'>): string {
  if ((mode & S_IFMT) === S_IFREG) return size === 0 ? 'regular empty file' : 'regular file'
  return WORDS[mode & S_IFMT] ?? 'weird file'
}
