/** The commands that mean something in the menu file alone; menu-lst.ts obeys them. At the prompt they are error 27. */
import type { Command } from './command.ts'

export const menuOnly: readonly Command[] = [
  {
    name: 'default',
    usage: "default [NUM | `saved']",
    help:
      'Set the default entry to entry number NUM (if not specified, it is' +
      ' 0, the first entry) or the entry number saved by savedefault.',
  },
  {
    name: 'fallback',
    usage: 'fallback NUM...',
    help:
      'Go into unattended boot mode: if the default boot entry has any' +
      ' errors, instead of waiting for the user to do anything, it' +
      ' immediately starts over using the NUM entry (same numbering as the' +
      " `default' command). This obviously won't help if the machine" +
      ' was rebooted by a kernel that GRUB loaded.',
  },
  { name: 'hiddenmenu', usage: 'hiddenmenu', help: 'Hide the menu.' },
  {
    name: 'timeout',
    usage: 'timeout SEC',
    help:
      'Set a timeout, in SEC seconds, before automatically booting the' +
      ' default entry (normally the first entry defined).',
  },
  {
    name: 'title',
    usage: 'title [NAME ...]',
    help:
      'Start a new boot entry, and set its name to the contents of the' +
      ' rest of the line, starting with the first non-space character.',
  },
]
