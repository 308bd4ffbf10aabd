/** GRUB 0.97's errors: numbers of stage2/shared.h, texts of stage2/common.c. */
export const Err = {
  badFilename: 1,
  badFiletype: 2,
  badGzipData: 3,
  badGzipHeader: 4,
  badPartTable: 5,
  badVersion: 6,
  below1mb: 7,
  bootCommand: 8,
  bootFailure: 9,
  bootFeatures: 10,
  devFormat: 11,
  devValues: 12,
  execFormat: 13,
  fileLength: 14,
  fileNotFound: 15,
  fsysCorrupt: 16,
  fsysMount: 17,
  geom: 18,
  needLinuxKernel: 19,
  needMultibootKernel: 20,
  noDisk: 21,
  noPart: 22,
  numberParsing: 23,
  outsidePart: 24,
  read: 25,
  symlinkLoop: 26,
  unrecognized: 27,
  wontFit: 28,
  write: 29,
  badArgument: 30,
  unaligned: 31,
  privileged: 32,
  devNeedInit: 33,
  noDiskSpace: 34,
  numberOverflow: 35,
} as const
export type Err = (typeof Err)[keyof typeof Err]

const TEXTS: Readonly<Record<Err, string>> = {
  1: 'Filename must be either an absolute pathname or blocklist',
  2: 'Bad file or directory type',
  3: 'Bad or corrupt data while decompressing file',
  4: 'Bad or incompatible header in compressed file',
  5: 'Partition table invalid or corrupt',
  6: 'Mismatched or corrupt version of stage1/stage2',
  7: 'Loading below 1MB is not supported',
  8: 'Kernel must be loaded before booting',
  9: 'Unknown boot failure',
  10: 'Unsupported Multiboot features requested',
  11: 'Unrecognized device string',
  12: 'Invalid device requested',
  13: 'Invalid or unsupported executable format',
  14: 'Filesystem compatibility error, cannot read whole file',
  15: 'File not found',
  16: 'Inconsistent filesystem structure',
  17: 'Cannot mount selected partition',
  18: 'Selected cylinder exceeds maximum supported by BIOS',
  19: 'Linux kernel must be loaded before initrd',
  20: 'Multiboot kernel must be loaded before modules',
  21: 'Selected disk does not exist',
  22: 'No such partition',
  23: 'Error while parsing number',
  24: 'Attempt to access block outside partition',
  25: 'Disk read error',
  26: 'Too many symbolic links',
  27: 'Unrecognized command',
  28: 'Selected item cannot fit into memory',
  29: 'Disk write error',
  30: 'Invalid argument',
  31: 'File is not sector aligned',
  32: 'Must be authenticated',
  33: 'Device not initialized yet',
  34: 'No spare sectors on the disk',
  35: 'Overflow while parsing number',
}

export const errorText = (number: Err): string => TEXTS[number]

/** What a command throws. Not an Error: nobody wants its stack, and GRUB shows number and text alone. */
export class GrubError {
  readonly number: Err
  constructor(number: Err) {
    this.number = number
  }
}

export const fail = (number: Err): never => {
  throw new GrubError(number)
}

/** The GRUB error in what was caught; anything else is our own bug and goes on. */
export function grubError(caught: unknown): GrubError {
  if (caught instanceof GrubError) return caught
  throw caught
}

/** The number of the GRUB error that `act` throws, undefined when it throws none. */
export function errorOf(act: () => void): Err | undefined {
  try {
    act()
    return undefined
  } catch (caught) {
    return grubError(caught).number
  }
}
