/** The texts of one part of the page, in every language: what English has, the others must have, too. `{name}` is a parameter. */
export interface Dictionary<E extends Readonly<Record<string, string>>> {
  readonly en: E
  readonly zh: Readonly<Record<keyof E, string>>
}

export function defineWords<const E extends Readonly<Record<string, string>>>(
  en: E,
  zh: Readonly<Record<keyof E, string>>,
): Dictionary<E> {
  return { en, zh }
}
