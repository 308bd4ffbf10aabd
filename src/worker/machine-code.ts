/**
 * What executes machine code, as a script of its own: the page needs it later than the rest of the worker, and a first load is light without
 * it. The worker makes a function of the text (main.ts).
 */
export { createRing3s } from '#world/ring3.ts'
export { withTranslations } from '#world/translations.ts'
