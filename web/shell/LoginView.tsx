import { KeyRound } from 'lucide-react'
import { usePage } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { CopyButton } from '../ui/CopyButton.tsx'

const COMMAND = 'carrel open'

export function LoginView() {
  const page = usePage()
  return (
    <main className="alone">
      <KeyRound className="alone-mark" aria-hidden />
      <h1>{texts.shell.login.title}</h1>
      <p className="dim">{texts.shell.login.how}</p>
      <p className="command">
        <code>{COMMAND}</code>
        <CopyButton text={() => COMMAND} label={texts.shell.login.copy} />
      </p>
      <Button label={texts.shell.login.again} onClick={() => void page.start()} />
    </main>
  )
}
