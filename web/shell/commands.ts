import { useEffect } from 'react'

/** What the view on the screen can do that only it can do, for palette and shortcuts. */
interface Commands {
  readonly panel: () => void
  /** Shows a part of the panel, or puts the panel away where it shows that already. */
  readonly tab: (tab: 'files' | 'timeline' | 'runs' | 'browser') => void
  readonly find: () => void
  /** Adds to the prompt that is being written. */
  readonly write: (text: string) => void
  readonly agent: (agent: string) => void
}

const offered: Partial<Commands> = {}

/** Offers a command while the component is on the screen. `act` should stay the same function. */
export function useOffer<Name extends keyof Commands>(name: Name, act: Commands[Name]): void {
  useEffect(() => {
    Object.assign(offered, { [name]: act })
    return () => {
      if (offered[name] === act) delete (offered as Record<string, unknown>)[name]
    }
  }, [name, act])
}

export const command = <Name extends keyof Commands>(name: Name): Commands[Name] | undefined => offered[name]
