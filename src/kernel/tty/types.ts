/** Terminals as the rest of the kernel knows them (Linux: tty.h). */
export interface Tty {
  /** As /proc and ps show it: `xvc0`, `tty1`, `pts/0`. */
  readonly name: string
  /** Device number. */
  readonly dev: number
  /** The foreground process group; 0: none. */
  pgrp: number
  /** Whose controlling terminal it is; 0: nobody's. */
  session: number
  /** The session's leader has gone: everybody who has it open gets EIO, the foreground group SIGHUP and SIGCONT. */
  hangup(): void
}
