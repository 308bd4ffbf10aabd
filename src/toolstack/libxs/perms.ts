/** Permissions of a node as xs_lib.c spells them: `n0`, `r5`, `w5`, `b5`. */

export const XS_PERM_NONE = 0
export const XS_PERM_READ = 1
export const XS_PERM_WRITE = 2
/** Never in a list: what the owner has besides. */
export const XS_PERM_OWNER = 8

/** struct xs_permissions. The first of a list names the owner, and what all domains may that the list does not name. */
export interface XsPermission {
  readonly id: number
  /** XS_PERM_READ | XS_PERM_WRITE */
  readonly perms: number
}

const LETTERS = 'nrwb'

/** strtol with base 0, all of the text: blanks and a sign, then hexadecimal, octal or decimal. */
const NUMBER = /^[ \t\n\v\f\r]*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/

/** xs_strings_to_perms, for one. Undefined: no permission (EINVAL). */
export function xsPermFromString(text: string): XsPermission | undefined {
  const perms = text === '' ? -1 : LETTERS.indexOf(text.charAt(0))
  const number = NUMBER.exec(text.slice(1))
  if (perms < 0 || !number) return undefined
  const digits = number[2]!
  const octal = digits.length > 1 && digits[0] === '0' && digits[1] !== 'x' && digits[1] !== 'X'
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits)
  return { id: Number(BigInt.asUintN(32, number[1] === '-' ? -value : value)), perms }
}

/** xs_perm_to_string. Undefined: there is no letter for it. */
export function xsPermToString({ id, perms }: XsPermission): string | undefined {
  return LETTERS[perms] === undefined ? undefined : `${LETTERS[perms]}${id | 0}`
}

/** A list of them: `n0,r5`. */
export const xsPermsText = (perms: readonly XsPermission[]): string =>
  perms.length === 1 ? `${xsPermToString(perms[0]!)}` : perms.map(xsPermToString).join(',')

/** The strings of a payload: what ends in NUL. */
export function xsStrings(payload: string): string[] {
  const strings = payload.split('\0')
  strings.pop()
  return strings
}
