import { ArrowLeft, ArrowRight, RotateCw } from 'lucide-react'
import { useState } from 'react'
import type { BrowserTab } from '../../src/model/browser-sight.ts'
import { texts } from '../texts/texts.ts'
import { IconButton } from '../ui/Button.tsx'
import { onSend } from '../ui/form.ts'
import type { SendInput } from './use-picture-input.ts'

const STEPS = { back: ArrowLeft, forward: ArrowRight, reload: RotateCw } as const

interface Props {
  readonly tab: BrowserTab | null
  /** Null without control: then the bar only shows title and address. */
  readonly send: SendInput | null
}

export function AddressBar({ tab, send }: Props) {
  if (send) return <Controlled tab={tab} send={send} />
  return (
    <div className="browser-where">
      <b className="cut">{tab?.title || texts.browser.untitled}</b>
      <span className="cut faint" title={tab?.url}>
        {tab?.url}
      </span>
    </div>
  )
}

function Controlled({ tab, send }: { tab: BrowserTab | null; send: SendInput }) {
  const labels = texts.browser
  const [draft, setDraft] = useState<string | null>(null)
  return (
    <form
      className="browser-bar"
      onSubmit={onSend(() => {
        if (draft?.trim()) send({ kind: 'go', url: draft.trim() })
        setDraft(null)
      })}
    >
      {(['back', 'forward', 'reload'] as const).map((to) => {
        const Icon = STEPS[to]
        return <IconButton key={to} icon={Icon} label={labels[to]} onClick={() => send({ kind: 'step', to })} />
      })}
      <input
        className="field grow"
        aria-label={labels.address}
        inputMode="url"
        autoCapitalize="off"
        spellCheck={false}
        value={draft ?? tab?.url ?? ''}
        onChange={(event) => setDraft(event.target.value)}
        onFocus={(event) => event.target.select()}
        onBlur={() => setDraft(null)}
      />
    </form>
  )
}
