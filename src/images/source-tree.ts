/** The sources that images are compiled from: path relative to src/ ('xen/setup.ts') -> text with LF line ends. */
export type SourceTree = ReadonlyMap<string, string>
