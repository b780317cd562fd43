import { createContext, useContext } from 'react'

interface SessionScope {
  readonly session: string
  readonly workspace: string
  /** Its project; not said where only its questions are shown. */
  readonly project?: string
  /** The folder its files are in: paths below it are shown without it. */
  readonly root: string
  /** The stream is up to date: what is running on the screen is running. */
  readonly live: boolean
}

export const SessionContext = createContext<SessionScope>({
  session: '',
  workspace: '',
  root: '',
  live: false,
})
export const useSession = (): SessionScope => useContext(SessionContext)
