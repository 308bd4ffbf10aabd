/** A node's permissions for people: XenStore's own letters (`n0,r3`), taken apart and put into words. */
import type { MessageKey, Translate } from '../../i18n/index.ts'

export const accesses = ['n', 'r', 'w', 'b'] as const
/** Nothing, read, write, both. */
export type Access = (typeof accesses)[number]

export interface Permission {
  readonly domid: number
  readonly access: Access
}

/** The first names the owner, and what all domains may that the others do not name. */
export function parsePermissions(text: string): Permission[] {
  return text.split(',').flatMap((word) => {
    const access = accesses.find((letter) => word.startsWith(letter))
    const domid = Number(word.slice(1))
    return access && /^\d+$/.test(word.slice(1)) ? [{ access, domid }] : []
  })
}

export const spellPermissions = (permissions: readonly Permission[]): string[] =>
  permissions.map(({ access, domid }) => `${access}${domid}`)

export const accessKeys = {
  n: 'xenstore.access.n',
  r: 'xenstore.access.r',
  w: 'xenstore.access.w',
  b: 'xenstore.access.b',
} as const satisfies Record<Access, MessageKey>

/** "owner dom0, dom3 may read". */
export function permissionWords(t: Translate, permissions: readonly Permission[]): string {
  const [owner, ...others] = permissions
  if (!owner) return ''
  const words = [t('xenstore.perm.owner', { domain: t('xenstore.domain', { domid: owner.domid }) })]
  for (const { domid, access } of others)
    words.push(t('xenstore.perm.one', { domain: t('xenstore.domain', { domid }), access: t(accessKeys[access]) }))
  if (owner.access !== 'n')
    words.push(
      t(others.length > 0 ? 'xenstore.perm.others' : 'xenstore.perm.all', { access: t(accessKeys[owner.access]) }),
    )
  return words.join(t('xenstore.comma'))
}
