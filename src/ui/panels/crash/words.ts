export const en = {
  'trouble.label': 'Troubles',
  'trouble.details': 'Details',
  'trouble.dismiss': 'Put away',

  'trouble.off.title': 'The machine is off',
  'trouble.off.text': 'Nothing runs. The power button, or this one, starts it.',
  'trouble.off.safe': 'The disk keeps what was written to it.',
  'trouble.off.action': 'Power on',

  'trouble.halted.title': 'The machine has halted',
  'trouble.halted.text': 'Its processors have stopped for good; nothing more will happen by itself.',
  'trouble.halted.safe': 'What was synced to the disk is there.',
  'trouble.halted.action': 'Reset',

  'trouble.panic.title': 'Xen has panicked',
  'trouble.panic.text': 'The hypervisor met something it cannot go on from: {message}',
  'trouble.panic.safe':
    'What was synced to the disk is there. Unless it was booted with noreboot, the machine restarts by itself after five seconds.',
  'trouble.panic.action': 'Reset',

  'trouble.dom0.title': 'dom0 is dead',
  'trouble.dom0.text':
    'Domain 0 has crashed; Xen itself is well. Without dom0 nobody serves disks and consoles, so Xen restarts the machine after five seconds, or halts it if it was booted with noreboot.',
  'trouble.dom0.safe': 'What was synced to the disk is there; file systems are checked at the next boot.',
  'trouble.dom0.action': 'Reset',

  'trouble.crash.title': 'An image crashed: {image}',
  'trouble.crash.text': 'Code that ran on the machine broke a rule it cannot survive, and the machine has stopped.',
  'trouble.crash.safe': 'Only the code on the virtual machine stopped. Your browser and this page are safe.',
  'trouble.crash.action': 'Reset',
  'trouble.crash.message': 'Why',
  'trouble.crash.where': 'Where',
  'trouble.crash.where.unknown': 'not known',
  'trouble.crash.at': 'When',
  'trouble.crash.at.value': '{seconds} s of virtual time',
  'trouble.crash.stack': 'Calls, innermost first',

  'trouble.hung.title': 'The machine does not answer',
  'trouble.hung.text':
    'Something inside has kept its worker busy for more than ten seconds. It may come back by itself; or start over.',
  'trouble.hung.safe': 'This page and your browser are safe, and so is what was synced to the disk.',
  'trouble.hung.action': 'Power on a new machine',

  'trouble.dead.title': 'The machine is gone',
  'trouble.dead.text': 'The worker that held it died, most likely because code inside used up all memory.',
  'trouble.dead.safe': 'This page and your browser are safe, and so is what was synced to the disk.',
  'trouble.dead.action': 'Power on a new machine',

  'trouble.memory.title': 'Your browser refused {mib} MiB of memory',
  'trouble.memory.text': 'The machine could not be made. A smaller one may fit; closing other tabs helps, too.',
  'trouble.memory.safe': 'Nothing was started and nothing is lost.',
  'trouble.memory.action': 'Power on with {mib} MiB',

  'trouble.offline.title': 'The machine could not be loaded',
  'trouble.offline.text':
    'Its files did not come: there is no network, or the server does not answer, and this browser has not kept them yet.',
  'trouble.offline.safe': 'Nothing was started and nothing is lost.',
  'trouble.offline.action': 'Try again',

  'trouble.storage-denied.title': 'The browser keeps nothing for this page',
  'trouble.storage-denied.text':
    'It refuses storage, as private windows do. The machine works on a temporary disk that is gone when the page is.',
  'trouble.storage-denied.safe': 'All works; you can save the disk as a file yourself.',
  'trouble.storage-denied.action': 'Export the disk',

  'trouble.storage-full.title': 'Storage is full',
  'trouble.storage-full.text':
    'The browser had no room for what the machine wrote last. From here on the disk is temporary.',
  'trouble.storage-full.safe': 'What was saved before is safe. What came after is in this page only.',
  'trouble.storage-full.action': 'Export the disk',

  'trouble.storage-failed.title': 'The browser’s storage failed',
  'trouble.storage-failed.text':
    'It could not read or keep the disk, and not for want of room. From here on the disk is temporary.',
  'trouble.storage-failed.safe': 'What was saved before is not touched. What came after is in this page only.',
  'trouble.storage-failed.action': 'Export the disk',

  'trouble.other-tab.title': 'The disk is in use in another tab',
  'trouble.other-tab.text': 'One tab at a time may write. This one has a temporary disk of its own.',
  'trouble.other-tab.safe': 'The other tab’s machine is not touched.',
  'trouble.other-tab.action': 'Take over here',

  'trouble.lost-lock.title': 'Another tab has taken the disk over',
  'trouble.lost-lock.text': 'The machine here goes on, but what it writes from now on is gone when the page is.',
  'trouble.lost-lock.safe': 'What was saved before is safe; the other tab goes on from there.',
  'trouble.lost-lock.action': 'Take it back',

  'trouble.base-changed.title': 'Your disk is from an older version of this page',
  'trouble.base-changed.text':
    'This page brings a newer disk. Yours is kept with the base it began with, and the machine has booted from it.',
  'trouble.base-changed.safe': 'Nothing of yours has been changed.',
  'trouble.base-changed.action': 'Keep my disk',
  'trouble.base-changed.export': 'Export it',
  'trouble.base-changed.discard': 'Discard it, use the new one',

  'trouble.import.title': 'That file is not a disk',
  'trouble.import.text': 'It was refused: {message}',
  'trouble.import.safe': 'The machine’s own disk is as it was.',
  'trouble.import.action': 'Choose another file',

  'trouble.link.title': 'The address could not be followed',
  'trouble.link.text': 'It asks for “{what}”: {why}',
  'trouble.link.safe': 'That part was left out; all else is as if it had not been there.',
  'trouble.link.action': 'Go on without it',

  'trouble.old-browser.title': 'This browser is too old for Xen Playground',
  'trouble.old-browser.text':
    'A whole machine runs in this page. It needs WebAssembly and other things that this browser does not have:',
  'trouble.old-browser.safe': 'Nothing was started. A current Firefox, Chrome, Edge or Safari will do.',
  'trouble.old-browser.action': 'Try again',
} as const
