import type { ReactNode } from 'react'
import type { SessionState } from '../../src/model/tree.ts'
import { texts } from '../texts/texts.ts'

/** A state as a shape and a colour: colour alone is not accessible. */
export function StateDot({ state, label = true }: { state: SessionState; label?: boolean }) {
  return (
    <>
      <svg
        className={`dot ${state}`}
        viewBox="0 0 12 12"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        aria-hidden
      >
        <title>{texts.ui.states[state]}</title>
        {SHAPES[state]}
      </svg>
      {label && <span className="hidden">{texts.ui.states[state]}</span>}
    </>
  )
}

const SHAPES: Record<SessionState, ReactNode> = {
  running: (
    <>
      <circle cx="6" cy="6" r="4.6" opacity="0.3" />
      <path d="M6 1.4a4.6 4.6 0 0 1 4.6 4.6" strokeLinecap="round" />
      <circle cx="6" cy="6" r="1.8" fill="currentColor" stroke="none" />
    </>
  ),
  waiting: (
    <>
      <circle cx="6" cy="6" r="5.6" fill="currentColor" stroke="none" />
      <path d="M6 3.2v3.4M6 8.6v.2" stroke="var(--bg)" strokeLinecap="round" />
    </>
  ),
  queued: <circle cx="6" cy="6" r="4.2" strokeDasharray="2 1.75" />,
  failed: <path d="M2.6 2.6l6.8 6.8M9.4 2.6L2.6 9.4" strokeLinecap="round" strokeWidth="2" />,
  lost: <path d="M3.4 4.4a2.6 2.6 0 1 1 3.7 2.3c-.7.3-1.1.7-1.1 1.3M6 10.4v.1" strokeLinecap="round" />,
  closed: <rect x="2.6" y="2.6" width="6.8" height="6.8" rx="1" opacity="0.6" />,
  idle: <circle cx="6" cy="6" r="3.4" opacity="0.55" />,
}
