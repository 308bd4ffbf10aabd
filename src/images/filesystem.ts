/** Filling an ext2 by a recipe: manifest rows, packages, modules, manual pages. */
import type { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { utf8Encode } from '#lib/utf8.ts'
import type { Images } from './compile.ts'
import type { ManifestRow } from './default/manifest.ts'
import { manPages } from './man-pages.ts'
import { type InstalledPackage, MODULES, modulePath } from './packages.ts'

export interface FileSystemRecipe {
  readonly manifest: readonly ManifestRow[]
  /** The bytes of the rows of kind `file`, by their path. */
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly packages: readonly InstalledPackage[]
  /** Manual pages of those packages, and kernel modules. */
  readonly complete: boolean
}

/** Directories that the manifest has not made are made. Error for a row without a file. */
export function fill(fs: Ext2, { manifest, files, packages, complete }: FileSystemRecipe, images: Images): void {
  const dirs = new Set<string>([''])
  const dirsOf = (path: string): void => {
    const dir = path.slice(0, path.lastIndexOf('/'))
    if (dirs.has(dir)) return
    dirsOf(dir)
    fs.mkdir(dir, 0o755)
    dirs.add(dir)
  }
  const install = (path: string, bytes: Uint8Array, mode: number): void => {
    dirsOf(path)
    fs.writeFile(path, bytes, mode)
  }
  for (const row of manifest) {
    if (row.kind === 'dir') dirs.add(row.path)
    place(fs, row, files, images)
  }
  for (const { pkg, paths } of packages) {
    // A package is one file; its programs are hard links of it.
    const [first, ...others] = pkg.programs.map(([path]) => path).filter((path) => paths?.includes(path) ?? true)
    if (first === undefined) continue
    install(first, images.get(pkg.name)!, pkg.mode ?? 0o755)
    for (const path of others) {
      dirsOf(path)
      fs.link(first, path)
    }
  }
  if (!complete) return
  for (const module of MODULES) install(modulePath(module), images.get(`${module.name}.ko`)!, 0o644)
  for (const { path, text } of manPages(packages.map(({ pkg }) => pkg))) install(path, utf8Encode(text), 0o644)
}

function place(fs: Ext2, row: ManifestRow, files: ReadonlyMap<string, Uint8Array>, images: Images): void {
  const owner = { uid: row.uid ?? 0, gid: row.gid ?? 0 }
  switch (row.kind) {
    case 'dir':
      fs.mkdir(row.path, row.mode, owner)
      break
    case 'link':
      fs.symlink(row.target, row.path, owner)
      break
    case 'file': {
      const bytes = files.get(row.path)
      if (!bytes) throw new Error(`no file for ${row.path}`)
      fs.writeFile(row.path, bytes, row.mode, owner)
      break
    }
    case 'empty':
      fs.writeFile(row.path, new Uint8Array(0), row.mode, owner)
      break
    case 'node':
      fs.mknod(row.path, row.mode, { major: row.major, minor: row.minor }, owner)
      break
    case 'image': {
      const bytes = images.get(row.image)
      if (bytes) fs.writeFile(row.path, bytes, row.mode, owner)
    }
  }
}
