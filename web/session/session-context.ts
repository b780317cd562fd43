import { createContext, useContext } from 'react'

interface SessionScope {
  readonly session: string
  readonly workspace: string
  /** The session's project. Absent where only its questions are shown. */
  readonly project?: string
  /** The working copy of the session. Paths below it are shown relative to it. */
  readonly root: string
  /** The stream is up to date, so a running state on the screen is current. */
  readonly live: boolean
}

export const SessionContext = createContext<SessionScope>({ session: '', workspace: '', root: '', live: false })
export const useSession = (): SessionScope => useContext(SessionContext)
