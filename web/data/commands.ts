import { useEffect } from 'react'

/** Commands that only the view on the screen can run, for palette and shortcuts. */
interface Commands {
  readonly panel: () => void
  /** Shows a tab of the panel, or closes the panel if that tab is open. */
  readonly tab: (tab: 'files' | 'timeline' | 'runs' | 'browser') => void
  readonly find: () => void
  /** Appends text to the draft of the prompt. */
  readonly write: (text: string) => void
  readonly agent: (agent: string) => void
}

const offered: Partial<Commands> = {}

/** Offers a command while the component is mounted. `act` must keep its identity between renders. */
export function useOffer<Name extends keyof Commands>(name: Name, act: Commands[Name]): void {
  useEffect(() => {
    Object.assign(offered, { [name]: act })
    return () => {
      if (offered[name] === act) delete (offered as Record<string, unknown>)[name]
    }
  }, [name, act])
}

export const command = <Name extends keyof Commands>(name: Name): Commands[Name] | undefined => offered[name]
