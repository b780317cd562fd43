import { useState } from 'react'
import { overlay } from '../data/overlay.ts'
import { prefer, usePreferences } from '../data/preferences.ts'
import { mayNotify, requestNotify } from '../notify/browser.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Segments } from '../ui/Segments.tsx'
import '../ui/dialogs.css'

/** The settings of this browser: theme, density and notifications. */
export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const { theme, density, sound } = usePreferences()
  return (
    <Dialog title={texts.settings.title} onClose={onClose}>
      <div className="settings">
        <Segments
          label={texts.settings.theme}
          value={theme}
          options={texts.settings.themes}
          onChoose={(next) => prefer({ theme: next })}
        />
        <Segments
          label={texts.settings.density}
          value={density}
          options={texts.settings.densities}
          onChoose={(next) => prefer({ density: next })}
        />
        <section className="stack" aria-label={texts.settings.hidden}>
          <h3>{texts.settings.hidden}</h3>
          <Notify />
          <label className="setting">
            <input type="checkbox" checked={sound} onChange={(event) => prefer({ sound: event.target.checked })} />
            <span>
              {texts.settings.tone}
              <span className="setting-note">{texts.settings.toneNote}</span>
            </span>
          </label>
        </section>
        <section aria-label={texts.ruleList.section}>
          <h3>{texts.ruleList.section}</h3>
          <div className="setting">
            <span className="dim grow">{texts.ruleList.about}</span>
            <Button label={texts.ruleList.title} onClick={() => overlay.set({ kind: 'rules' })} />
          </div>
        </section>
        <div className="actions">
          <Button label={texts.ui.done} onClick={onClose} />
        </div>
      </div>
    </Dialog>
  )
}

/** The checkbox for notifications. Only a click on it asks for the browser's permission. */
function Notify() {
  const { notify } = usePreferences()
  const [allowed, setAllowed] = useState(mayNotify)
  const change = async (wanted: boolean): Promise<void> => {
    const now = wanted ? await requestNotify() : allowed
    setAllowed(now)
    prefer({ notify: wanted && now === 'granted' })
  }
  const blocked = allowed === 'denied' || allowed === 'impossible'
  return (
    <label className="setting">
      <input
        type="checkbox"
        checked={notify && allowed === 'granted'}
        disabled={blocked}
        onChange={(event) => void change(event.target.checked)}
      />
      <span>
        {texts.settings.notify}
        <span className="setting-note">{texts.settings.notifyNotes[allowed]}</span>
      </span>
    </label>
  )
}
