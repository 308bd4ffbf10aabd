/** Mirrors xen/include/public/io/xenbus.h: the states of a split device's halves. */
export const XenbusState = {
  Unknown: 0,
  Initialising: 1,
  /** Finished early initialisation, waits for information from the peer or a hotplug script. */
  InitWait: 2,
  /** Initialised and waiting for a connection from the peer. */
  Initialised: 3,
  Connected: 4,
  /** Closed because of an error or an unplug. */
  Closing: 5,
  Closed: 6,
  Reconfiguring: 7,
  Reconfigured: 8,
} as const
export type XenbusState = (typeof XenbusState)[keyof typeof XenbusState]
