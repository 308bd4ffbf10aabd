/** How the editor sets lines in. */
import { indentOnInput, indentService, indentUnit } from '@codemirror/language'
import { EditorState, type Extension } from '@codemirror/state'

/** Lines of an entry stand in by a tab, as on the default disk. */
export const indentation: Extension = [
  indentUnit.of('\t'),
  EditorState.tabSize.of(4),
  indentService.of((context, at) => {
    if (/^\s*title\b/.test(context.textAfterPos(at))) return 0
    const { doc } = context.state
    const line = doc.lineAt(at)
    if (line.text === '') return 0
    // Where a line is being broken, what counts is what stays before the break.
    const isBroken = context.lineAt(at, 1).from !== line.from
    const above = isBroken ? context.lineAt(at, -1).text : line.number > 1 ? doc.line(line.number - 1).text : ''
    return /^([ \t]*title\b|[ \t]+\S)/.test(above) ? context.state.tabSize : 0
  }),
  // A title that is typed goes back to the margin.
  EditorState.languageData.of(() => [{ indentOnInput: /^\s+title\s$/ }]),
  indentOnInput(),
]
