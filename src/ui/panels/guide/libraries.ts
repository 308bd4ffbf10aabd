/** What the page and its machine are built with, for the help's last lines. A test compares it with package.json. */
export interface Library {
  readonly name: string
  readonly licence: 'MIT' | 'Apache-2.0'
  /** Its packages. */
  readonly packages: readonly string[]
}

export const libraries: readonly Library[] = [
  { name: 'React', licence: 'MIT', packages: ['react', 'react-dom'] },
  { name: 'zustand', licence: 'MIT', packages: ['zustand'] },
  { name: 'xterm.js', licence: 'MIT', packages: ['@xterm/xterm', '@xterm/addon-search'] },
  { name: 'Dockview', licence: 'MIT', packages: ['dockview-react'] },
  { name: 'TanStack Virtual', licence: 'MIT', packages: ['@tanstack/react-virtual'] },
  { name: 'uPlot', licence: 'MIT', packages: ['uplot'] },
  {
    name: 'CodeMirror',
    licence: 'MIT',
    packages: [
      '@codemirror/commands',
      '@codemirror/language',
      '@codemirror/lint',
      '@codemirror/state',
      '@codemirror/view',
    ],
  },
  { name: 'fflate', licence: 'MIT', packages: ['fflate'] },
  { name: 'Sucrase', licence: 'MIT', packages: ['sucrase'] },
  { name: 'acorn', licence: 'MIT', packages: ['acorn'] },
  { name: 'noble-hashes', licence: 'MIT', packages: ['@noble/hashes'] },
]
