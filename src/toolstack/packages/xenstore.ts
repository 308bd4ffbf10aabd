/** XenStore's tools (tools/xenstore). The daemon is an image of its own: what a tool loads is short. */
import { multicall, type Package } from '#user/libc/program.ts'
import { xenstoreCommand, xenstoreTools } from '../xenstore/client.ts'
import { xenstoreControl } from '../xenstore/control.ts'

export const xenstore: Package = {
  name: 'xenstore',
  programs: [
    ['/usr/bin/xenstore', () => xenstoreCommand],
    ['/usr/bin/xenstore-control', () => xenstoreControl],
    ...xenstoreTools.map((tool) => [`/usr/bin/${tool.name}`, () => tool] as const),
  ],
}

export const main = multicall(xenstore)
