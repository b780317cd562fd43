import { asCarrelError, CarrelError } from '../model/errors.ts'
import type { Mask } from '../model/secrets/mask.ts'
import type { Store } from '../store/store.ts'
import type { Log } from './log.ts'
import type { Vault } from './vault.ts'

/** Wraps a store so that requests are stored without values of secrets that people pasted into them (B3). */
export function maskingStore(store: Store, vault: Vault): Store {
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

/** Wraps a log so that its lines hold no value of a secret of any workspace (B3). */
export function maskingLog(log: Log, vault: Vault): Log {
  const mask = (detail: unknown) => (detail === undefined ? undefined : masked(detail, vault.everywhere))
  return {
    error: (text, detail) => log.error(vault.everywhere.text(text), mask(detail)),
    warn: (text, detail) => log.warn(vault.everywhere.text(text), mask(detail)),
    info: (text) => log.info(vault.everywhere.text(text)),
    debug: (text) => log.debug(vault.everywhere.text(text)),
  }
}

export function maskedError(thrown: unknown, mask: Mask): CarrelError {
  const error = asCarrelError(thrown)
  if (mask.empty) return error
  const { code, message, data, cause } = error
  return new CarrelError(
    code,
    mask.text(message),
    mask.value(data),
    cause === undefined ? undefined : masked(cause, mask),
  )
}

function masked(detail: unknown, mask: Mask): unknown {
  if (mask.empty || !(detail instanceof Error)) return mask.value(detail)
  const hidden = new Error(mask.text(detail.message))
  hidden.stack = mask.text(detail.stack ?? detail.message)
  return hidden
}
