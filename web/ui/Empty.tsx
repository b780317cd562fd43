import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'

interface Props {
  readonly icon?: LucideIcon
  readonly title: string
  readonly text?: string
  readonly children?: ReactNode
}

/** The content of a view or a list that has nothing to show. */
export function Empty({ icon: Icon, title, text, children }: Props) {
  return (
    <div className="empty">
      {Icon && <Icon className="empty-mark" aria-hidden />}
      <h2>{title}</h2>
      {text && <p>{text}</p>}
      {children}
    </div>
  )
}
