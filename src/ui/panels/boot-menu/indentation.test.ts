/** The editor's indentation, by its own commands. */
import { insertNewlineAndIndent } from '@codemirror/commands'
import { EditorSelection, EditorState } from '@codemirror/state'
import { expect, test } from 'vitest'
import { indentation } from './indentation.ts'

/** What stands there after `typed` was typed at the end of `doc`, a letter at a time. */
function typing(doc: string, typed: string): string {
  let state = EditorState.create({ doc, selection: EditorSelection.cursor(doc.length), extensions: indentation })
  for (const letter of typed)
    if (letter === '\n') insertNewlineAndIndent({ state, dispatch: (transaction) => (state = transaction.state) })
    else state = state.update({ ...state.replaceSelection(letter), userEvent: 'input.type' }).state
  return state.sliceDoc()
}

test.each([
  ['lines of an entry stand in', 'title A', '\nroot (hd0,0)\nkernel /x', 'title A\n\troot (hd0,0)\n\tkernel /x'],
  [
    'a title goes back to the margin',
    'title A\n\tkernel /x',
    '\ntitle B\nroot',
    'title A\n\tkernel /x\ntitle B\n\troot',
  ],
  ['what stands before the entries does not', 'default 0', '\ntimeout 5', 'default 0\ntimeout 5'],
  ['after an empty line there is no entry', 'title A\n\tkernel /x\n', '\n# b', 'title A\n\tkernel /x\n\n# b'],
])('%s', (_, doc, typed, result) => {
  expect(typing(doc, typed)).toBe(result)
})
