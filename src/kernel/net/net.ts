/** Sockets as the kernel keeps them (Linux: net/socket.c, sockfs), and /proc/net/unix. */
import { ENODEV } from '#abi/posix/errno.ts'
import { S_IFSOCK } from '#abi/posix/stat.ts'
import { fail } from '../errno.ts'
import type { Initcall, Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import { OpenFile } from '../vfs/open-file.ts'
import { PseudoFs } from '../vfs/special.ts'
import { vfsOf } from '../vfs/vfs-of.ts'
import { socketOps } from './socket-file.ts'
import type { UnixSocket } from './unix-socket.ts'

const SOCKFS_MAGIC = 0x534f434b
const SOCK_STREAM = 1
const SO_ACCEPTCON = 0x10000
const SS_UNCONNECTED = 1
const SS_CONNECTING = 2
const SS_CONNECTED = 3
/** Where a kernel's objects lie, for what prints where one lies. */
const OBJECTS = 0xffff880000000000n
const OBJECT_BYTES = 1024n

export interface Net {
  /** Of the UNIX domain, those that have a name or were opened. */
  readonly sockets: Set<UnixSocket>
  /** By names that begin with NUL. */
  readonly abstract: Map<string, UnixSocket>
  /** A new open file for `socket`, without a descriptor. */
  file(task: Task, socket: UnixSocket): OpenFile
}

export const netOf = (kernel: Kernel): Net => kernel.net ?? fail(ENODEV)

function unixText(sockets: Iterable<UnixSocket>): string {
  let text = 'Num       RefCount Protocol Flags    Type St Inode Path\n'
  let number = 0n
  const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0')
  for (const { state, peer, ino, address } of sockets) {
    const at = (OBJECTS + ++number * OBJECT_BYTES).toString(16)
    const flags = state === 'listening' ? SO_ACCEPTCON : 0
    const st = state !== 'connected' ? SS_UNCONNECTED : ino === 0 ? SS_CONNECTING : SS_CONNECTED
    text += `${at}: ${hex(peer ? 3 : 2, 8)} 00000000 ${hex(flags, 8)} ${hex(SOCK_STREAM, 4)} ${hex(st, 2)} ${String(ino).padStart(5)}`
    text += address === undefined ? '\n' : ` ${address.replaceAll('\0', '@')}\n`
  }
  return text
}

/** sock_init, af_unix_init. */
export const netInit: Initcall = function* netInit(kernel) {
  const vfs = vfsOf(kernel)
  const sockfs = new PseudoFs(vfs, 'sockfs', SOCKFS_MAGIC)
  const sockets = new Set<UnixSocket>()
  kernel.net = {
    sockets,
    abstract: new Map(),
    file(task, socket) {
      const place = sockfs.place(task, 'socket', S_IFSOCK | 0o777)
      socket.ino = place.inode.ino
      sockets.add(socket)
      const file = new OpenFile(place, place.inode, socketOps(socket), 2)
      file.data = socket
      return file
    },
  }
  kernel.proc.add('net/unix', { mode: 0o444, read: () => unixText(sockets) })
}
