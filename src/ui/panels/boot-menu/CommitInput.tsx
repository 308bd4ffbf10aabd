/** A text field that shows what is being typed and hands on what makes sense: an empty text only when the field is left. */
import { type InputHTMLAttributes, useState } from 'react'

interface CommitInputProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange'> {
  readonly value: string
  readonly onCommit: (value: string) => void
}

export function CommitInput({ value, onCommit, className = '', ...rest }: CommitInputProps) {
  const [typed, setTyped] = useState<string>()
  return (
    <input
      type="text"
      spellCheck={false}
      autoComplete="off"
      autoCapitalize="off"
      {...rest}
      className={`boot-menu-input ${className}`}
      value={typed ?? value}
      onFocus={() => setTyped(value)}
      onChange={({ target }) => {
        setTyped(target.value)
        if (target.value.trim() !== '') onCommit(target.value)
      }}
      onBlur={() => {
        if (typed !== undefined && typed.trim() === '' && value !== '') onCommit('')
        setTyped(undefined)
      }}
    />
  )
}
