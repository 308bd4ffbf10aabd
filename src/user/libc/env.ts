/** The environment: `NAME=value` strings. */

/** getenv(3). */
export function getenv(env: readonly string[], name: string): string | undefined {
  return env.find((entry) => entry.startsWith(name + '='))?.slice(name.length + 1)
}

/** A copy with `name` set, in its place if it was there. */
export function withEnv(env: readonly string[], name: string, value: string): string[] {
  const entry = `${name}=${value}`
  const at = env.findIndex((old) => old.startsWith(name + '='))
  return at < 0 ? [...env, entry] : env.with(at, entry)
}

/** A copy without `name`. */
export const withoutEnv = (env: readonly string[], name: string): string[] =>
  env.filter((entry) => !entry.startsWith(name + '='))
