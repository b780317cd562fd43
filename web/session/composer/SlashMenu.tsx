import { type KeyboardEvent, useState } from 'react'
import type { AgentView } from '../../../src/model/events/view.ts'
import { texts } from '../../texts/texts.ts'

type Command = AgentView['commands'][number]

export interface Slash {
  readonly open: boolean
  readonly found: readonly Command[]
  readonly at: number
  readonly take: (command: Command) => void
  /** Returns whether the menu handled the key. */
  readonly press: (event: KeyboardEvent) => boolean
}

/** Returns the commands of the agent that match the typed beginning of one. */
export function useSlash(text: string, commands: readonly Command[], set: (text: string) => void): Slash {
  const [wanted, setWanted] = useState(0)
  const [closed, setClosed] = useState('')
  const typed = /^\/(\S*)$/.exec(text)?.[1]?.toLowerCase()
  const found =
    typed === undefined || closed === text ? [] : commands.filter(({ name }) => name.toLowerCase().includes(typed))
  const at = Math.min(wanted, Math.max(0, found.length - 1))
  const take = ({ name }: Command): void => {
    setWanted(0)
    set(`/${name} `)
  }
  const press = (event: KeyboardEvent): boolean => {
    if (found.length === 0) return false
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) setWanted((at + step + found.length) % found.length)
    else if (event.key === 'Enter' || event.key === 'Tab') take(found[at]!)
    else if (event.key === 'Escape') setClosed(text)
    else return false
    event.preventDefault()
    return true
  }
  return { open: found.length > 0, found, at, take, press }
}

export function SlashMenu({ id, slash }: { id: string; slash: Slash }) {
  if (!slash.open) return null
  return (
    <div className="popup slash" role="listbox" id={id} aria-label={texts.composer.commands}>
      {slash.found.map((command, at) => (
        // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field, which points at the option
        // biome-ignore lint/a11y/useKeyWithClickEvents: keys are taken by the field
        <div
          key={command.name}
          id={`${id}-${at}`}
          role="option"
          aria-selected={at === slash.at}
          className="popup-item"
          data-highlighted={at === slash.at || undefined}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => slash.take(command)}
        >
          <code>/{command.name}</code>
          {command.hint && <span className="faint">{command.hint}</span>}
          <span className="cut grow dim">{command.description}</span>
        </div>
      ))}
    </div>
  )
}
