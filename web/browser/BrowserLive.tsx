import { ArrowLeft, ArrowRight, Camera, Hand, RotateCw } from 'lucide-react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { BrowserUse } from '../../src/model/browser.ts'
import type { BrowserDialog, BrowserInput, BrowserTab } from '../../src/model/browser-sight.ts'
import { asCarrelError, type CarrelError } from '../../src/model/errors.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { clockTime } from '../ui/format.ts'
import { Problem } from '../ui/Problem.tsx'
import { useNow } from '../ui/use-now.ts'
import { createSender, press } from './gestures.ts'
import type { Live } from './live.ts'
import { Picture } from './Picture.tsx'
import { useLive } from './use-live.ts'

type Act = (...inputs: BrowserInput[]) => void

/** What the browser of a run shows, and the way to take it over. */
export function BrowserLive({ use }: { use: BrowserUse }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const live = useLive(use.run)
  const [hold, setHold] = useState<string | null>(null)
  const [problem, setProblem] = useState<CarrelError | null>(null)
  const at = useMemo(() => ({ workspace, id: use.run }), [workspace, use.run])
  const holder = live.scene?.holder ?? use.holder
  // Who has it is what the server says: it may have been handed back by somebody else.
  const mine = hold !== null && holder !== null
  const words = texts.browser
  const take = useSubmit(async () => {
    setProblem(null)
    setHold((await page.call('browsers.takeOver', at)).hold)
  })
  const back = useSubmit(async () => {
    await page.call('browsers.handBack', { ...at, ...(mine && hold !== null && { hold }) })
    setHold(null)
  })
  const [kept, setKept] = useState(false)
  const keep = useSubmit(async () => {
    setKept(false)
    await page.call('browsers.keepPicture', at)
    setKept(true)
  })
  const act = useSender(hold, at, setProblem)
  const show = useSubmit((tab: string) =>
    page.call('browsers.show', { ...at, tab, ...(mine && hold !== null && { hold }) }),
  )
  const tab = live.scene?.tabs.find(({ id }) => id === live.scene?.shown) ?? null
  const gone = live.ended
  return (
    <section className="browser-live" aria-label={words.view}>
      <div className="browser-tools">
        {holder === null ? (
          <button type="button" className="btn primary" disabled={gone || take.pending} onClick={() => take.run()}>
            <Hand aria-hidden /> {words.takeOver}
          </button>
        ) : (
          <button type="button" className="btn" disabled={gone || back.pending} onClick={() => back.run()}>
            <Hand aria-hidden /> {mine ? words.handBack : words.handBackFor(holder.by.name)}
          </button>
        )}
        <button
          type="button"
          className="btn"
          disabled={gone || tab === null || keep.pending}
          onClick={() => keep.run()}
        >
          <Camera aria-hidden /> {words.keep}
        </button>
        <span className="grow" />
        <State live={live} />
      </div>
      {holder && (
        <p className="browser-held" role="status">
          {mine ? words.yours : words.hasIt(holder.by.name, clockTime(holder.since))}
        </p>
      )}
      {use.replaced > 0 && <p className="browser-note faint">{words.replaced(use.replaced)}</p>}
      <TabList tabs={live.scene?.tabs ?? []} shown={tab?.id ?? null} onShow={(id) => show.run(id)} />
      <AddressBar key={`${mine}`} tab={tab} mine={mine && !gone} act={act} />
      {live.scene?.dialog && !gone && (
        <Dialog key={live.scene.dialog.message} dialog={live.scene.dialog} act={mine ? act : null} />
      )}
      <Picture live={live} title={tab?.title ?? ''} act={mine && !gone ? act : null} />
      {mine && !gone && <TypeBar act={act} />}
      {mine && !gone && <p className="faint browser-keys">{words.keys}</p>}
      <p role="status" className="faint">
        {kept ? words.kept : ''}
      </p>
      <Problem error={problem ?? take.problem ?? back.problem ?? keep.problem ?? show.problem} what={words.failed} />
    </section>
  )
}

function useSender(
  hold: string | null,
  at: { workspace: string; id: string },
  onError: (error: CarrelError) => void,
): Act {
  const page = usePage()
  const latest = useRef(onError)
  useEffect(() => {
    latest.current = onError
  })
  const send = useMemo(
    () =>
      hold === null
        ? null
        : createSender(
            (inputs) => page.call('browsers.input', { ...at, hold, inputs }),
            (thrown) => latest.current(asCarrelError(thrown)),
          ),
    [page, at, hold],
  )
  return useCallback((...inputs: BrowserInput[]) => send?.(...inputs), [send])
}

function State({ live }: { live: Live }) {
  const words = texts.browser
  const now = useNow(1_000, !live.open && !live.ended)
  if (live.ended) return <span className="browser-state">{words.ended}</span>
  if (!live.open)
    return (
      <span className="browser-state" data-state="stale">
        {live.cutAt === null ? words.connecting : words.stale(Math.max(0, Math.round((now - live.cutAt) / 1_000)))}
      </span>
    )
  if (live.scene?.state === 'starting') return <span className="browser-state">{words.starting}</span>
  if (live.frame === null) return <span className="browser-state">{words.nothing}</span>
  return (
    <span className="browser-state" data-state="live">
      {words.live}
    </span>
  )
}

function TabList({
  tabs,
  shown,
  onShow,
}: {
  tabs: readonly BrowserTab[]
  shown: string | null
  onShow: (id: string) => void
}) {
  const words = texts.browser
  if (tabs.length < 2) return null
  return (
    <fieldset className="browser-tabs" aria-label={words.tabs}>
      {tabs.map(({ id, title, url }) => (
        <button
          key={id}
          type="button"
          className="btn quiet cut"
          title={url}
          aria-pressed={id === shown}
          onClick={() => onShow(id)}
        >
          {title || url || words.untitled}
        </button>
      ))}
    </fieldset>
  )
}

function AddressBar({ tab, mine, act }: { tab: BrowserTab | null; mine: boolean; act: Act }) {
  const words = texts.browser
  const [draft, setDraft] = useState<string | null>(null)
  const step = (to: 'back' | 'forward' | 'reload') => () => act({ kind: 'step', to })
  if (!mine)
    return (
      <div className="browser-where">
        <b className="cut">{tab?.title || words.untitled}</b>
        <span className="cut faint" title={tab?.url}>
          {tab?.url}
        </span>
      </div>
    )
  return (
    <form
      className="browser-bar"
      onSubmit={(event) => {
        event.preventDefault()
        if (draft?.trim()) act({ kind: 'go', url: draft.trim() })
        setDraft(null)
      }}
    >
      <button
        type="button"
        className="btn quiet icon"
        aria-label={words.back}
        title={words.back}
        onClick={step('back')}
      >
        <ArrowLeft aria-hidden />
      </button>
      <button
        type="button"
        className="btn quiet icon"
        aria-label={words.forward}
        title={words.forward}
        onClick={step('forward')}
      >
        <ArrowRight aria-hidden />
      </button>
      <button
        type="button"
        className="btn quiet icon"
        aria-label={words.reload}
        title={words.reload}
        onClick={step('reload')}
      >
        <RotateCw aria-hidden />
      </button>
      <input
        className="field grow"
        aria-label={words.address}
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

/** What the page asks by itself. It stands in the page of the browser nowhere, so it stands here. */
function Dialog({ dialog, act }: { dialog: BrowserDialog; act: Act | null }) {
  const words = texts.browser
  const { kind, message } = dialog
  const [text, setText] = useState(dialog.answer)
  const leaving = kind === 'beforeunload'
  return (
    <form
      className="browser-dialog"
      aria-label={words.dialog[kind]}
      onSubmit={(event) => {
        event.preventDefault()
        act?.({ kind: 'dialog', accept: true, ...(kind === 'prompt' && { text }) })
      }}
    >
      <div role="status">
        <b>{words.dialog[kind]}</b>
        <p>{leaving ? words.leave : message}</p>
      </div>
      {act === null && <p className="faint">{words.takeToAnswer}</p>}
      {act !== null && kind === 'prompt' && (
        <input
          className="field"
          aria-label={words.dialogAnswer}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      {act !== null && (
        <div className="browser-tools">
          <button type="submit" className="btn primary">
            {leaving ? words.leaveIt : words.ok}
          </button>
          {kind !== 'alert' && (
            <button type="button" className="btn" onClick={() => act({ kind: 'dialog', accept: false })}>
              {leaving ? words.stay : words.cancel}
            </button>
          )}
        </div>
      )}
    </form>
  )
}

/** For fingers: a keyboard on the screen tells no keys, only what was written. */
function TypeBar({ act }: { act: Act }) {
  const words = texts.browser
  const [text, setText] = useState('')
  return (
    <form
      className="browser-type"
      onSubmit={(event) => {
        event.preventDefault()
        if (text) act({ kind: 'text', text })
        setText('')
      }}
    >
      <input
        className="field grow"
        aria-label={words.type}
        placeholder={words.type}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="btn">
        {words.send}
      </button>
      <button type="button" className="btn" onClick={() => act(...press('Enter', 13))}>
        {words.enter}
      </button>
      <button type="button" className="btn" onClick={() => act(...press('Backspace', 8))}>
        {words.erase}
      </button>
    </form>
  )
}
