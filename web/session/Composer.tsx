import { CornerDownLeft, X } from 'lucide-react'
import {
  type ClipboardEvent,
  type KeyboardEvent,
  memo,
  useCallback,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import type { BusyPolicy } from '../../src/model/events.ts'
import type { SessionView } from '../../src/model/view.ts'
import { usePage, useSubmit } from '../data/use-page.ts'
import { useOffer } from '../shell/commands.ts'
import { texts } from '../texts/texts.ts'
import { Problem } from '../ui/Problem.tsx'
import { AgentOptions } from './AgentOptions.tsx'
import { BusyChoice } from './BusyChoice.tsx'
import { SlashMenu, useSlash } from './SlashMenu.tsx'
import { useSession } from './session-context.ts'
import { newKey, type Picture, readPicture, useDraft } from './use-draft.ts'
import './composer.css'

/** What of the session's view writing needs; none of it changes with each word the agent says. */
interface Props extends Pick<SessionView, 'agents' | 'state'> {
  readonly running: boolean
  /** The agent that was spoken to last. */
  readonly agent: string
}

/** Where one writes. What was typed stays until the server has it. */
export const Composer = memo(function Composer({ agents, state, running, agent: last }: Props) {
  const page = usePage()
  const { session, workspace } = useSession()
  const draft = useDraft(session)
  const [pictures, setPictures] = useState<readonly Picture[]>([])
  const [chosen, setChosen] = useState<string | null>(null)
  const [busy, setBusy] = useState<Exclude<BusyPolicy, 'reject'>>('queue')
  const agent = chosen ?? last
  useOffer('agent', setChosen)
  const area = useRef<HTMLTextAreaElement>(null)
  useOffer('write', useWrite(draft, area))
  const attempt = useRef({ of: '', key: '' })
  const list = useId()
  const slash = useSlash(draft.text, agents[agent]?.commands ?? [], (text) => {
    draft.set(text)
    area.current?.focus()
  })
  const send = useSubmit(async () => {
    const text = draft.text
    const content = [
      ...(text.trim() ? [{ type: 'text' as const, text }] : []),
      ...pictures.map((picture) => ({ type: 'image' as const, ...picture })),
    ]
    // Sent again after a lost answer it must not be a second prompt.
    const of = JSON.stringify([content, agent, busy])
    if (attempt.current.of !== of) attempt.current = { of, key: newKey() }
    const { key } = attempt.current
    await page.call('sessions.prompt', { workspace, id: session, content, agent, busy: running ? busy : 'queue', key })
    attempt.current = { of: '', key: '' }
    draft.clear(text)
    setPictures([])
    setChosen(null)
  })
  const closed = state !== 'open'
  const empty = !draft.text.trim() && pictures.length === 0
  useGrowing(area, draft.text)
  const press = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing || slash.press(event)) return
    const fingers = matchMedia('(pointer: coarse)').matches
    if (event.key !== 'Enter' || event.shiftKey || (fingers && !event.ctrlKey && !event.metaKey)) return
    event.preventDefault()
    if (!empty && !closed) send.run()
  }
  const paste = (event: ClipboardEvent): void => {
    const files = [...event.clipboardData.files].filter(({ type }) => type.startsWith('image/'))
    if (files.length === 0) return
    event.preventDefault()
    void Promise.all(files.map(readPicture)).then((more) => setPictures((had) => [...had, ...more]))
  }
  if (closed) return <p className="composer-closed">{texts.composer.closed}</p>
  return (
    <form
      className="composer"
      aria-label={texts.composer.title}
      onSubmit={(event) => {
        event.preventDefault()
        if (!empty) send.run()
      }}
    >
      <Problem error={send.problem} what={texts.composer.notSent} />
      <div className="composer-box">
        <SlashMenu id={list} slash={slash} />
        <Pictures pictures={pictures} onDrop={(at) => setPictures(pictures.filter((_, each) => each !== at))} />
        <textarea
          ref={area}
          rows={1}
          aria-label={texts.composer.title}
          placeholder={texts.composer.placeholder}
          value={draft.text}
          onChange={(event) => draft.set(event.target.value)}
          onKeyDown={press}
          onPaste={paste}
          {...(slash.open && {
            role: 'combobox',
            'aria-expanded': true,
            'aria-controls': list,
            'aria-activedescendant': `${list}-${slash.at}`,
          })}
        />
        <div className="composer-foot">
          <div className="composer-options">
            <AgentOptions known={agents[agent]} agent={agent} onAgent={setChosen} />
            <span className="grow" />
            {running && <BusyChoice agent={agent} value={busy} onChoose={setBusy} />}
          </div>
          <button type="submit" className="btn primary" disabled={empty || send.pending}>
            <CornerDownLeft aria-hidden />
            <span className="send-word">{send.pending ? texts.composer.sending : texts.ui.send}</span>
          </button>
        </div>
      </div>
    </form>
  )
})

/** Adds to what is written, for whoever gathers words elsewhere on the page. */
function useWrite(draft: ReturnType<typeof useDraft>, area: React.RefObject<HTMLTextAreaElement | null>) {
  const latest = useRef(draft)
  latest.current = draft
  return useCallback(
    (more: string) => {
      const { text, set } = latest.current
      set([text.trimEnd(), more].filter(Boolean).join('\n\n'))
      area.current?.focus()
    },
    [area],
  )
}

/** The field is as high as its text, up to a third of the window. */
function useGrowing(area: React.RefObject<HTMLTextAreaElement | null>, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is what changes the height
  useLayoutEffect(() => {
    const element = area.current
    if (!element) return
    element.style.height = 'auto'
    element.style.height = `${Math.min(element.scrollHeight, Math.max(120, innerHeight / 3))}px`
  }, [area, text])
}

function Pictures({ pictures, onDrop }: { pictures: readonly Picture[]; onDrop: (at: number) => void }) {
  if (pictures.length === 0) return null
  return (
    <ul className="pictures">
      {pictures.map(({ data, mimeType }, at) => (
        <li key={data.slice(-64)}>
          <img src={`data:${mimeType};base64,${data}`} alt={texts.composer.pasted(at + 1)} />
          <button
            type="button"
            className="btn icon small"
            aria-label={texts.composer.removePicture(at + 1)}
            onClick={() => onDrop(at)}
          >
            <X aria-hidden />
          </button>
        </li>
      ))}
    </ul>
  )
}
