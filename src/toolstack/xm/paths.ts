/** os.path, as far as xm needs it. */
import { normalize } from '#user/libc/path.ts'

/** abspath. */
export const absolute = (cwd: string, path: string): string => normalize(path.startsWith('/') ? path : `${cwd}/${path}`)
