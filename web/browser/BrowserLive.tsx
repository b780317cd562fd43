import type { BrowserUse } from '../../src/model/browser.ts'
import type { BrowserTab } from '../../src/model/browser-sight.ts'
import { clockTime } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'
import { AddressBar } from './AddressBar.tsx'
import { BrowserTools } from './BrowserTools.tsx'
import { PageDialog } from './PageDialog.tsx'
import { Picture } from './Picture.tsx'
import { TypeBar } from './TypeBar.tsx'
import { useControl } from './use-control.ts'
import { useLive } from './use-live.ts'

/** The live view of a run's browser, and its controls. */
export function BrowserLive({ use }: { use: BrowserUse }) {
  const live = useLive(use.run)
  const control = useControl(use, live)
  const { holder, mine, send, show } = control
  const labels = texts.browser
  const tab = live.scene?.tabs.find(({ id }) => id === live.scene?.shown) ?? null
  const dialog = live.ended ? null : live.scene?.dialog
  return (
    <section className="browser-live" aria-label={labels.view}>
      <BrowserTools live={live} control={control} />
      {holder && (
        <p className="browser-held" role="status">
          {mine ? labels.yours : labels.hasIt(holder.by.name, clockTime(holder.since))}
        </p>
      )}
      {use.replaced > 0 && <p className="browser-note faint">{labels.replaced(use.replaced)}</p>}
      <TabList tabs={live.scene?.tabs ?? []} shown={tab?.id ?? null} onShow={(id) => show.run(id)} />
      <AddressBar tab={tab} send={send} />
      {dialog && <PageDialog key={dialog.message} dialog={dialog} send={send} />}
      <Picture live={live} title={tab?.title ?? ''} send={send} />
      {send && <TypeBar send={send} />}
      {send && <p className="faint browser-keys">{labels.keys}</p>}
      <p role="status" className="faint">
        {control.kept ? labels.kept : ''}
      </p>
      <Problem error={control.problem} what={labels.failed} />
    </section>
  )
}

interface TabListProps {
  readonly tabs: readonly BrowserTab[]
  readonly shown: string | null
  readonly onShow: (id: string) => void
}

function TabList({ tabs, shown, onShow }: TabListProps) {
  const labels = texts.browser
  if (tabs.length < 2) return null
  return (
    <fieldset className="browser-tabs" aria-label={labels.tabs}>
      {tabs.map(({ id, title, url }) => (
        <Button key={id} className="quiet cut" title={url} aria-pressed={id === shown} onClick={() => onShow(id)}>
          {title || url || labels.untitled}
        </Button>
      ))}
    </fieldset>
  )
}
