import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { BrowserUse } from '../../src/model/browser.ts'
import type { BrowserInput } from '../../src/model/browser-sight.ts'
import { asCarrelError, type CarrelError } from '../../src/model/errors.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { createSender } from './gestures.ts'
import type { Live } from './live.ts'
import type { SendInput } from './use-picture-input.ts'

interface Target {
  readonly workspace: string
  readonly id: string
}

export type Control = ReturnType<typeof useControl>

/** The control of a run's browser: who has it, and the acts that take it, give it back and use it. */
export function useControl(use: BrowserUse, live: Live) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const [hold, setHold] = useState<string | null>(null)
  const [problem, setProblem] = useState<CarrelError | null>(null)
  const [kept, setKept] = useState(false)
  const target = useMemo(() => ({ workspace, id: use.run }), [workspace, use.run])
  const holder = live.scene?.holder ?? use.holder
  // The server decides who has control: another person may have handed it back.
  const mine = hold !== null && holder !== null
  const own = mine && hold !== null ? { hold } : {}
  const take = useSubmit(async () => {
    setProblem(null)
    setHold((await page.call('browsers.takeOver', target)).hold)
  })
  const handBack = useSubmit(async () => {
    await page.call('browsers.handBack', { ...target, ...own })
    setHold(null)
  })
  const keep = useSubmit(async () => {
    setKept(false)
    await page.call('browsers.keepPicture', target)
    setKept(true)
  })
  const show = useSubmit((tab: string) => page.call('browsers.show', { ...target, tab, ...own }))
  const input = useSender(hold, target, setProblem)
  return {
    holder,
    mine,
    kept,
    take,
    handBack,
    keep,
    show,
    /** Null without control, and once the browser is closed. */
    send: mine && !live.ended ? input : null,
    problem: problem ?? take.problem ?? handBack.problem ?? keep.problem ?? show.problem,
  }
}

function useSender(hold: string | null, target: Target, onError: (error: CarrelError) => void): SendInput {
  const page = usePage()
  const latest = useRef(onError)
  useEffect(() => {
    latest.current = onError
  })
  const send = useMemo(() => {
    if (hold === null) return null
    return createSender(
      (inputs) => page.call('browsers.input', { ...target, hold, inputs }),
      (thrown) => latest.current(asCarrelError(thrown)),
    )
  }, [page, target, hold])
  return useCallback((...inputs: BrowserInput[]) => send?.(...inputs), [send])
}
