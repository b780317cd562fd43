import { type ComponentType, lazy, type ReactNode, useState } from 'react'

/** A view whose file is downloaded when it is first shown, or earlier by `load`. */
interface OnDemand<Props> {
  (props: Props): ReactNode
  /** Downloads the file. May be repeated: a file is downloaded once, and again after a failure. */
  readonly load: () => Promise<unknown>
}

/**
 * Like React's `lazy`, but a view that was loaded before is shown at once. React shows even a loaded `lazy` view some
 * 300 ms after its fallback, and keys typed in that time are lost.
 */
export function onDemand<Props extends object>(download: () => Promise<ComponentType<Props>>): OnDemand<Props> {
  let loaded: ComponentType<Props> | undefined
  const load = async () => {
    loaded = await download()
    return { default: loaded }
  }
  const Later = lazy(load)
  function View(props: Props) {
    // The choice stays, so that a view on the screen keeps its state when its file arrives a second time.
    const [Chosen] = useState<ComponentType<Props>>(() => loaded ?? Later)
    return <Chosen {...props} />
  }
  return Object.assign(View, { load })
}
