import { useNavigate } from '@tanstack/react-router'
import { ChevronDown, ChevronUp, X } from 'lucide-react'
import { type KeyboardEvent, useState } from 'react'
import { useSearch } from '../search/use-search.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'

const MOST = 100

/** Finds text in the whole session, including items that are not loaded, and steps through the results. */
export function FindBox({ session, onClose }: { session: string; onClose: () => void }) {
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [at, setAt] = useState<number | null>(null)
  const { hits, pending, more, problem } = useSearch(text, session, MOST)
  const places = hits.map(({ n }) => n).sort((a, b) => a - b)
  const here = at === null ? -1 : places.indexOf(at)
  const go = (step: 1 | -1): void => {
    // Starts with the newest result: it is closest to the text on the screen.
    const next = here < 0 ? places.at(-1) : places[(here + step + places.length) % places.length]
    if (next === undefined) return
    setAt(next)
    void navigate({ to: '.', hash: String(next), replace: true })
  }
  const press = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') onClose()
    else if (event.key === 'Enter') go(event.shiftKey ? 1 : -1)
    else return
    event.preventDefault()
  }
  return (
    <search className="find">
      <input
        className="field"
        // biome-ignore lint/a11y/noAutofocus: it was opened in order to write in it
        autoFocus
        aria-label={texts.session.find.title}
        placeholder={texts.session.find.title}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={press}
      />
      <span className="faint find-count" role="status">
        {text.trim() !== '' && !pending && texts.session.find.found(here + 1, places.length, more)}
      </span>
      <Button
        icon={ChevronUp}
        className="quiet icon small"
        aria-label={texts.session.find.older}
        onClick={() => go(-1)}
      />
      <Button
        icon={ChevronDown}
        className="quiet icon small"
        aria-label={texts.session.find.newer}
        onClick={() => go(1)}
      />
      <Button icon={X} className="quiet icon small" aria-label={texts.session.find.close} onClick={onClose} />
      <Problem error={problem || null} />
    </search>
  )
}
