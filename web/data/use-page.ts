import { createContext, useCallback, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { asCarrelError, type CarrelError } from '../../src/model/errors.ts'
import type { WorkspaceView } from '../../src/model/events/workspace-log.ts'
import type { PageState, PageStore } from './page-state.ts'

export const PageContext = createContext<PageStore | null>(null)

export function usePage(): PageStore {
  const page = useContext(PageContext)
  if (!page) throw new Error('A component was used outside of the page.')
  return page
}

/** Returns a part of the state. `select` must return the same object while nothing changed. */
export function usePageState<T>(select: (state: PageState) => T): T {
  const page = usePage()
  return useSyncExternalStore(page.subscribe, () => select(page.state()))
}

/** Returns the workspace. Only for components below the shell, which waits for it. */
export function useWorkspace(): WorkspaceView {
  const workspace = usePageState((state) => state.workspace)
  if (!workspace) throw new Error('The workspace is not here yet.')
  return workspace
}

export const useWorkspaceId = (): string => usePageState((state) => state.workspaceId ?? '')

export interface Submit<Args extends unknown[]> {
  readonly run: (...args: Args) => void
  readonly pending: boolean
  readonly problem: CarrelError | null
  readonly clear: () => void
}

/** Runs one request at a time and keeps its error. A success shows in the stream. */
export function useSubmit<Args extends unknown[]>(act: (...args: Args) => Promise<unknown>): Submit<Args> {
  const [pending, setPending] = useState(false)
  const [problem, setProblem] = useState<CarrelError | null>(null)
  const latest = useRef(act)
  const busy = useRef(false)
  useEffect(() => {
    latest.current = act
  })
  const run = useCallback((...args: Args): void => {
    if (busy.current) return
    busy.current = true
    setPending(true)
    setProblem(null)
    latest
      .current(...args)
      .catch((thrown: unknown) => setProblem(asCarrelError(thrown)))
      .finally(() => {
        busy.current = false
        setPending(false)
      })
  }, [])
  const clear = useCallback(() => setProblem(null), [])
  return { run, pending, problem, clear }
}
