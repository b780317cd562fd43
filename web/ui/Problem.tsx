import type { ReactNode } from 'react'
import { asCarrelError } from '../../src/model/errors.ts'
import { texts } from '../texts/texts.ts'

/** An error: the failed act, and the reason with the next step as its source gave it. */
export function Problem({ error, what, children }: { error: Error | null; what?: string; children?: ReactNode }) {
  if (!error) return null
  return (
    <div className="problem" role="alert">
      <p>
        {what && <b>{what} </b>}
        {asCarrelError(error).message || texts.ui.noReason}
      </p>
      {children}
    </div>
  )
}
