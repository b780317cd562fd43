import type { LucideIcon } from 'lucide-react'
import type { ComponentProps } from 'react'

type Props = ComponentProps<'button'> & { readonly icon?: LucideIcon; readonly label?: string }

/** A button with an icon, and a label or other content. Submits a form only as `type="submit"`. */
export function Button({ icon: Icon, label, className = '', children, ...rest }: Props) {
  return (
    <button type="button" className={`btn ${className}`} {...rest}>
      {Icon && <Icon aria-hidden />}
      {label}
      {children}
    </button>
  )
}

/** A button that shows only an icon. The label names it, and is its tooltip unless `title` is given. */
export function IconButton({ label, title = label, className = '', ...rest }: Props & { readonly label: string }) {
  return <Button className={`quiet icon ${className}`} aria-label={label} title={title} {...rest} />
}
