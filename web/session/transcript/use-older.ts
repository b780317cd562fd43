import { useEffect, useState } from 'react'
import { asCarrelError, type CarrelError } from '../../../src/model/errors.ts'

/** Loads older items while `wanted`. After an error it waits for `again`. `have` changes when a page has arrived. */
export function useOlder(load: () => Promise<void>, wanted: boolean, have: number) {
  const [loading, setLoading] = useState(false)
  const [problem, setProblem] = useState<CarrelError | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page that came may not have been enough
  useEffect(() => {
    if (!wanted || problem) return
    let here = true
    setLoading(true)
    load()
      .catch((thrown: unknown) => here && setProblem(asCarrelError(thrown)))
      .finally(() => here && setLoading(false))
    return () => {
      here = false
      setLoading(false)
    }
  }, [load, wanted, problem, have])
  return { loading, problem, again: () => setProblem(null) }
}
