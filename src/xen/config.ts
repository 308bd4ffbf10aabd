/** Config.mk: which hypervisor this tree builds. Each Xen that runs carries its build, since a test may boot another. */

export interface Build {
  /** XEN_SUBVERSION and XEN_EXTRAVERSION of 3.x. */
  readonly subversion: number
  readonly extraversion: string
  /** debug=y */
  readonly debug: boolean
}

export const BUILD: Build = { subversion: 3, extraversion: '.0', debug: false }

/** What 3.4 does otherwise. */
export const is34 = ({ build }: { readonly build: Build }): boolean => build.subversion >= 4
