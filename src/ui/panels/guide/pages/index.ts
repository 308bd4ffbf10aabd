/** The pages of the guide, in order. */
import type { Page } from './page.ts'
import { tour } from './tour.ts'

export const pages: readonly Page[] = [tour]
