import type { FormEvent } from 'react'

/** Returns a handler for the submission of a form that runs `act` and leaves the page where it is. */
export const onSend =
  (act: () => void) =>
  (event: FormEvent): void => {
    event.preventDefault()
    act()
  }
