/** For tests of chance and repetition: how much of it. `npm test` does some each time, SOAK=1 all of it (`npm run soak`). */
const SOAK = Boolean(process.env['SOAK'])

/** How many in a campaign, and how many otherwise. */
export const campaign = <T>(all: T, some: T): T => (SOAK ? all : some)
