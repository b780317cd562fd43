import { KeyRound } from 'lucide-react'
import { usePage } from '../data/use-page.ts'
import { CopyButton } from '../ui/CopyButton.tsx'

export function LoginView() {
  const page = usePage()
  return (
    <main className="alone">
      <KeyRound className="alone-mark" aria-hidden />
      <h1>Log in to Carrel</h1>
      <p className="dim">
        This browser is not logged in. On the machine where Carrel runs, use this command, or open the address that
        “carrel serve” printed when it started.
      </p>
      <p className="command">
        <code>carrel open</code>
        <CopyButton text={() => 'carrel open'} label="Copy the command" />
      </p>
      <button type="button" className="btn" onClick={() => void page.start()}>
        I have logged in: try again
      </button>
    </main>
  )
}
