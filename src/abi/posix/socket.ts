/** sys/socket.h, sys/un.h. */
export const AF_UNIX = 1
export const SOCK_STREAM = 1
export const SOL_SOCKET = 1
export const SO_TYPE = 3
export const SO_ERROR = 4
/** struct ucred: u32 pid, uid, gid. */
export const SO_PEERCRED = 17
export const SHUT_RD = 0
export const SHUT_WR = 1
export const SHUT_RDWR = 2
/** sizeof(sockaddr_un.sun_path). */
export const UNIX_PATH_MAX = 108

/** struct sockaddr_un: u16 family, the path and a NUL. `path` is a byte string. */
export function sockaddrUn(path: string): Uint8Array {
  const bytes = new Uint8Array(2 + path.length + 1)
  bytes[0] = AF_UNIX
  for (let i = 0; i < path.length; i++) bytes[2 + i] = path.charCodeAt(i)
  return bytes
}
