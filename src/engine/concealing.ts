import { asCarrelError, CarrelError } from '../model/errors.ts'
import type { Mask } from '../model/mask.ts'
import type { Store } from '../store/store.ts'
import type { Log } from './log.ts'
import type { Vault } from './vault.ts'

/** The same store: what people ask for is stored without values of secrets that they pasted into it (B3). */
export function concealingStore(store: Store, vault: Vault): Store {
  const { submit } = store.log
  return {
    ...store,
    log: {
      ...store.log,
      async submit(workspace, session, request, options) {
        const mask = await vault.maskOf(workspace)
        const data = mask.empty ? request.data : mask.value(request.data)
        return await submit(workspace, session, { ...request, data } as typeof request, options)
      },
    },
  }
}

export function concealingLog(log: Log, vault: Vault): Log {
  const hide = (detail: unknown) => (detail === undefined ? undefined : concealed(detail, vault.everywhere))
  return {
    error: (text, detail) => log.error(vault.everywhere.text(text), hide(detail)),
    warn: (text, detail) => log.warn(vault.everywhere.text(text), hide(detail)),
    info: (text) => log.info(vault.everywhere.text(text)),
  }
}

/** An error as it may be shown. */
export function concealedError(thrown: unknown, mask: Mask): CarrelError {
  const error = asCarrelError(thrown)
  if (mask.empty) return error
  const { code, message, data, cause } = error
  return new CarrelError(
    code,
    mask.text(message),
    mask.value(data),
    cause === undefined ? undefined : concealed(cause, mask),
  )
}

function concealed(detail: unknown, mask: Mask): unknown {
  if (mask.empty || !(detail instanceof Error)) return mask.value(detail)
  const hidden = new Error(mask.text(detail.message))
  hidden.stack = mask.text(detail.stack ?? detail.message)
  return hidden
}
